import HotglueCore

/// How long somebody has said nothing, while they were listened to.
///
/// Time counts only when a look that was begun after it has found nothing. What passes between two looks
/// counts for little: then it was this process that stood still, or the machine with all that is on it,
/// or the store that was written to meanwhile.
struct Silence {
  private var lasted: Int64 = 0
  /// What counts of the time between two looks at most, in milliseconds.
  static let mostBetweenLooks: Int64 = 1000

  mutating func end() { lasted = 0 }

  /// A look has found nothing that was begun so many milliseconds after the one before it.
  mutating func goOn(_ sinceLastLook: Int64) {
    lasted += min(sinceLastLook, Self.mostBetweenLooks)
  }

  func isAtLeast(_ bound: Span) -> Bool { lasted >= bound.milliseconds }
}

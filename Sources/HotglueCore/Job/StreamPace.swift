/// How many jobs a stream is fed ahead, by how quick the last ones were.
///
/// What waits behind a job cannot be taken by another worker, so it is worth 50 ms at the most; what
/// does not wait costs a commit each. It grows from one, twice at a time, and falls at once.
public struct StreamPace: Hashable, Sendable {
  /// What a supervisor holds at the most.
  public static let deepest = 64
  /// What may wait, in microseconds of work.
  private static let aim: Int64 = 50_000

  /// Jobs that are fed and not answered, the one in hand among them.
  public private(set) var depth = 1

  public init() {}

  /// Takes in that `count` jobs were answered which together took so long.
  public mutating func note(answers count: Int, milliseconds: Int64) {
    guard count > 0 else { return }
    let each = max(1, max(0, milliseconds) * 1000 / Int64(count))
    let fitting = Int(clamping: Self.aim / each)
    depth = max(1, min(fitting, depth * 2, Self.deepest))
  }

  /// A job was given back because the one before it took too long.
  public mutating func noteSlow() { depth = 1 }
}

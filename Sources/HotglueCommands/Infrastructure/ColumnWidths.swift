/// How wide the columns of a table are.
enum ColumnWidths {
  private static let gap = 2
  private static let least = 16

  /// As wide as their texts, or less where a terminal has fewer columns: the last column, where free
  /// text stands, gives up to its least width, then the widest does. `nil`: no bound.
  static func fitted(_ wanted: [Int], into columns: Int?) -> [Int] {
    guard let columns, let last = wanted.indices.last else { return wanted }
    var widths = wanted
    var excess = wanted.reduce(0, +) + gap * last - columns
    let free = min(max(0, excess), max(0, widths[last] - least))
    widths[last] -= free
    excess -= free
    while excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
      widths[widest] > 1
    {
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }
}

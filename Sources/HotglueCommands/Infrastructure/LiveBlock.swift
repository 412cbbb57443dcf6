/// Lines at the bottom of a terminal that are drawn anew in place.
///
/// Never more of them than the terminal has rows, since what was scrolled away cannot be drawn over;
/// and none longer than a row.
struct LiveBlock {
  /// The widths of the lines that stand there.
  private var drawn: [Int] = []

  /// What puts the new lines in the place of the old ones.
  ///
  /// Row by row: a terminal that is told to clear all it shows may keep that among what was scrolled
  /// away.
  mutating func draw(_ lines: [String], on size: TerminalSize) -> String {
    let shown = lines.prefix(Self.room(on: size)).map {
      TextWidth.cut(Visible.text($0), to: max(1, size.columns - 1))
    }
    let standing = rows(on: size)
    let surplus = max(0, standing - shown.count)
    drawn = shown.map(TextWidth.of)
    return Self.up(standing) + shown.map { $0 + Self.nextRow }.joined()
      + String(repeating: Self.nextRow, count: surplus) + Self.up(surplus)
  }

  /// What takes the lines away.
  mutating func clear(_ size: TerminalSize) -> String { draw([], on: size) }

  /// How many rows the lines take: a terminal that was made narrower has wrapped them meanwhile.
  private func rows(on size: TerminalSize) -> Int {
    let columns = max(1, size.columns)
    let rows = drawn.reduce(0) { $0 + max(1, ($1 + columns - 1) / columns) }
    return min(rows, Self.room(on: size))
  }

  private static let nextRow = "\u{1b}[K\n"
  private static func up(_ rows: Int) -> String { rows == 0 ? "" : "\u{1b}[\(rows)A\r" }

  /// How many lines are shown at the most: the last row is the cursor's.
  static func room(on size: TerminalSize) -> Int { max(1, size.rows - 1) }
}

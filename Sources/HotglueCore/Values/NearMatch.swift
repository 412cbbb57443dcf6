/// 'Did you mean': the candidates nearest to what was typed.
public enum NearMatch {
  /// At most three candidates that start with `text`, or differ from it by a third of its letters
  /// or fewer; nearest first.
  public static func among(_ candidates: some Sequence<String>, to text: String) -> [String] {
    // Nobody mistypes a text of that length, and comparing letter by letter would take long.
    guard text.utf8.count <= 1000 else { return [] }
    let bound = max(1, text.count / 3)
    return
      candidates
      .compactMap { candidate -> (String, Int)? in
        if !text.isEmpty, candidate.hasPrefix(text) { return (candidate, 0) }
        guard abs(candidate.utf8.count - text.utf8.count) <= bound else { return nil }
        let distance = distance(Array(candidate.utf8), Array(text.utf8))
        return distance <= bound ? (candidate, distance) : nil
      }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      .prefix(3)
      .map(\.0)
  }

  /// Edits (insert, remove, replace, swap of neighbours) that turn one text into the other.
  static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var older: [Int] = []
    var previous = Array(0...right.count)
    for (row, a) in left.enumerated() {
      var current = [row + 1]
      current.reserveCapacity(right.count + 1)
      for (column, b) in right.enumerated() {
        var best = min(
          previous[column] + (a == b ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, a == right[column - 1], left[row - 1] == b {
          best = min(best, older[column - 1] + 1)
        }
        current.append(best)
      }
      older = previous
      previous = current
    }
    return previous[right.count]
  }
}

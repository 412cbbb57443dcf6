/// Where attempts leave what they wrote. The path is made from the IDs: a row says at most that there is a
/// log, and never where.
public enum LogPath {
  /// The path of an attempt's log below the store's folder; sharded, so that no folder gets long.
  public static func of(job: JobID, fence: Fence) -> String {
    "logs/\(job / 1000)/\(job)-\(fence).log"
  }

  /// Which attempt a file of that folder is of; `nil` when it is no log.
  public static func attempt(of name: String) -> (job: JobID, fence: Fence)? {
    guard name.hasSuffix(".log") else { return nil }
    let numbers = name.dropLast(4).split(separator: "-").compactMap { Int64($0) }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
  }
}

import HotglueCore
import HotglueStore

/// Where a list of jobs goes on. It carries its workspace and what was asked, so that it cannot
/// silently go on in another list; and the moment that `--since` meant, so that pages fit together.
struct PageCursor: Equatable {
  var workspace: WorkspaceID
  /// A hash of the filters.
  var query: UInt64
  var before: JobID
  var since: Timestamp?

  init(workspace: WorkspaceID, query: UInt64, before: JobID, since: Timestamp?) {
    self.workspace = workspace
    self.query = query
    self.before = before
    self.since = since
  }

  /// `WORKSPACE.QUERY.BEFORE.SINCE`, the numbers in base 36.
  var text: String {
    let numbers = [String(query, radix: 36), String(before, radix: 36)]
    let moment = since.map { String($0.milliseconds, radix: 36) } ?? ""
    return ([workspace.text] + numbers + [moment]).joined(separator: ".")
  }

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, let workspace = WorkspaceID(parts[0]),
      let query = UInt64(parts[1], radix: 36), let before = JobID(parts[2], radix: 36), before > 0
    else { return nil }
    self.init(workspace: workspace, query: query, before: before, since: nil)
    if !parts[3].isEmpty {
      guard let moment = Int64(parts[3], radix: 36) else { return nil }
      since = Timestamp(milliseconds: moment)
    }
  }

  /// FNV-1a, so that a cursor means the same in every process; the order of words does not count.
  static func hash(of words: [String]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in words.sorted().joined(separator: "\n").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    return hash
  }
}

import HotglueCore
import HotglueProcess
public import HotglueStore

/// Logs that nothing in the store names any more: of jobs that were pruned by somebody who died before
/// their logs were removed, or that came after a backup that was restored.
///
/// An attempt's row is there before its log and goes with its job, so a log whose attempt is not known
/// will never be.
public struct ForgottenLogs {
  private let store: any AttemptRecords
  /// `STORE.d`.
  private let folder: String

  public init(store: any AttemptRecords, folder: String) {
    self.store = store
    self.folder = folder
  }

  /// Absolute paths, sorted.
  public func paths() throws(RunnerError) -> [String] {
    var found: [String] = []
    for shard in names(in: "\(folder)/logs").sorted() {
      for name in names(in: "\(folder)/logs/\(shard)").sorted() {
        guard let attempt = LogPath.attempt(of: name) else { continue }
        let record = try storeStep { () throws(StoreError) in
          try store.record(ofJob: attempt.job, fence: attempt.fence)
        }
        if record == .unknown { found.append("\(folder)/logs/\(shard)/\(name)") }
      }
    }
    return found
  }
}

import HotglueFiles
import HotglueProcess
public import HotglueStore

/// Whether the worker that owns an attempt lives.
///
/// Its lock tells, whatever namespace it runs in. A lock file that is missing or cannot be opened
/// proves nothing: then its process is asked, by ID and start time.
enum OwnerPresence {
  case alive
  case frozen
  case gone

  init(
    _ attempt: RunningAttempt, bootID: String, pidNamespace: UInt64, _ folder: String
  ) {
    self.init(
      attempt.worker, isRetired: attempt.workerIsRetired, bootID: bootID,
      pidNamespace: pidNamespace, folder)
  }

  init(
    _ worker: WorkerIdentity, isRetired: Bool, bootID: String, pidNamespace: UInt64,
    _ folder: String
  ) {
    guard worker.bootID == bootID, !isRetired else {
      self = .gone
      return
    }
    let isVisible = worker.pidNamespace == String(pidNamespace)
    let process = SeenProcess(worker.pid).flatMap {
      isVisible && $0.startTime == worker.processStartTime ? $0 : nil
    }
    switch LockFile.state(of: folder + "/" + worker.lockPath) {
    case .free: self = .gone
    case .held: self = process?.isFrozen == true ? .frozen : .alive
    case .unknown where !isVisible, .missing where !isVisible:
      // Its lease decides.
      self = .alive
    case .unknown, .missing:
      if let process { self = process.isFrozen ? .frozen : .alive } else { self = .gone }
    }
  }
}

/// Whether a worker lives, for commands that only say so.
public enum WorkerPresence {
  /// `storeFolder`: the store's `STORE.d`.
  public static func isAlive(_ worker: WorkerIdentity, storeFolder: String) -> Bool {
    guard let here = try? ProcessIdentity.current() else { return false }
    let presence = OwnerPresence(
      worker, isRetired: false, bootID: here.bootID, pidNamespace: here.pidNamespace, storeFolder)
    if case .alive = presence { return true }
    return false
  }
}

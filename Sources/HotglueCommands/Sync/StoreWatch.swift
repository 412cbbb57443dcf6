import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// Notices, a second late at the most, that the store was deleted under a sync, which its folder tells: its file
/// is still open then, and a tap that never ends would be read for nobody.
final class StoreWatch {
  private let folder: String
  private let identity: FileIdentity?
  private var lookedAt: Int64

  init(of session: WorkspaceSession) {
    folder = session.store.folder
    identity = FileIdentity(folder)
    lookedAt = BootClock.now()
  }

  func look() throws(SyncError) {
    let now = BootClock.now()
    guard now - lookedAt >= 1000 else { return }
    lookedAt = now
    if FileIdentity(folder) != identity { throw .store(.missing(path: folder)) }
  }
}

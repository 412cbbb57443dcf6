import Glibc
import HotglueCore
import HotglueFiles

/// The search for the nearest `.hotglue/context.json`, in this folder or above.
///
/// Whoever may write a folder can put a context there, and the commands of its jobs with it. So the search
/// ends at a folder that other users may write: its own context is the last that may count, and in one
/// that all may write, as /tmp, only this user's own. What lies further up counts if it was trusted.
struct ContextDiscovery {
  private let loader: ContextLoader
  private let user: UInt32
  private let trust: ContextTrust
  private var reach = Reach.everything
  /// The nearest context that did not count, for who may have put it there.
  private(set) var passedOver: String?

  init(_ loader: ContextLoader) {
    self.loader = loader
    user = loader.environment.user.id
    trust = ContextTrust(loader.environment)
  }

  /// What still counts as the search goes up.
  private enum Reach: Equatable {
    case everything
    /// Folders were passed that this group may write: what it shares, with this user in it.
    case shared(group: UInt32)
    case trusted
  }

  mutating func nearest() throws -> ContextFinding? {
    guard let start = try loader.environment.currentDirectory ?? loader.nearestNamedDirectory()
    else { return nil }
    let here = loader.environment.currentDirectory
    var folder = start
    while true {
      let path = Path.joined(folder, ".hotglue/context.json")
      let shown = here.map { Path.shown(path, from: $0) } ?? path
      let facts = FileFacts(leadingTo: folder)
      if counts(Path.folder(of: path), in: facts) {
        let found = try loader.finding(.discovered, path, shown: shown)
        if found.content != .missing { return found }
        try loader.refuseDanglingLink(Path.folder(of: path), shown: Path.folder(of: shown))
        try loader.refuseDanglingLink(path, shown: shown)
      } else if let found = trustedFinding(path, shown: shown) {
        return found
      }
      if folder == "/" { return nil }
      if let facts { narrow(facts) }
      folder = Path.folder(of: folder)
    }
  }

  /// Whether a `.hotglue` counts as it is found; `facts` are those of the folder that it lies in.
  private func counts(_ hotglue: String, in facts: FileFacts?) -> Bool {
    if reach == .everything, facts?.isOpenToAll != true { return true }
    if reach == .trusted { return false }
    // Of none that is there, nothing need be said.
    guard let own = try? FileFacts(of: hotglue) else { return false }
    switch reach {
    case .everything: return own.owner == user || own.owner == 0
    case .shared(let group): return own.isOpenToGroup && own.group == group
    case .trusted: return false
    }
  }

  private mutating func trustedFinding(_ path: String, shown: String) -> ContextFinding? {
    guard access(path, F_OK) == 0 else { return nil }
    if let found = try? loader.finding(.discovered, path, shown: shown),
      case .bytes(let bytes) = found.content, let file = try? ContextFile(parsing: bytes),
      trust.trusts(file, at: found.realPath)
    {
      return found
    }
    passedOver = passedOver ?? shown
    return nil
  }

  /// Whether its group may write it; or a member of the group has made it below such a folder, whose group
  /// it has.
  private func isSharedByGroup(_ facts: FileFacts) -> Bool {
    if facts.isOpenToGroup { return SystemAccounts.hasOthers(inGroup: facts.group) }
    return facts.mode & 0o2000 != 0 && facts.owner != user && facts.owner != 0
  }

  private mutating func narrow(_ facts: FileFacts) {
    if reach == .trusted { return }
    if facts.isOpenToAll {
      reach = .trusted
    } else if isSharedByGroup(facts) {
      let isNext = reach == .everything || reach == .shared(group: facts.group)
      reach =
        isNext && user != 0 && SystemAccounts.isMember(of: facts.group)
        ? .shared(group: facts.group) : .trusted
    } else if facts.owner != user, facts.owner != 0 {
      reach = .trusted
    }
  }
}

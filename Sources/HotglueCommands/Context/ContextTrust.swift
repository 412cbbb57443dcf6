import HotglueCore
import HotglueFiles

/// Whether a context and its store may be used by this user.
///
/// What the user owns may be, and what root owns. What another user owns counts if the user has named it
/// (--context, --store, $HOTGLUE_CONTEXT), has trusted it, or is a member of the group that shares it.
/// root is in every group that it likes, so membership says nothing of it. Ownership, group and
/// membership are asked of the system, never of what is judged.
struct ContextTrust {
  private let environment: CommandEnvironment

  init(_ environment: CommandEnvironment) { self.environment = environment }

  func confirm(_ context: ResolvedContext) throws {
    guard let source = context.source else { return }
    let origin = context.origins.contextFile
    let isNamed = origin == .flag || origin == .environment
    let store = Path.joined(Path.folder(of: source.realPath), source.file.store)
    try confirm(
      source.file, at: source.realPath, store: store, isNamed: isNamed,
      usesStore: context.origins.store != .flag)
  }

  /// `usesStore`: the context's own store, and not one that a flag names.
  func confirm(
    _ file: ContextFile, at realPath: String, store: String, isNamed: Bool, usesStore: Bool = true
  ) throws {
    let parts = parts(of: realPath, store: store)
    let storeFacts = FileFacts(leadingTo: store)
    let group = sharingGroup(of: storeFacts, parts)
    for (path, facts) in parts where facts.isOpenToGroup && facts.group != group {
      throw FileTrust.refusal(of: facts, path: path, user: environment.user.id)
    }
    if isNamed { return }
    var theirs = parts.filter { isOfAnother($0.facts) }
    if usesStore, let storeFacts, isOfAnother(storeFacts) { theirs.append((store, storeFacts)) }
    guard let first = theirs.first else { return }
    if environment.user.id != 0, let group, SystemAccounts.isMember(of: group),
      theirs.allSatisfy({ $0.facts.isOpenToGroup && $0.facts.group == group })
    {
      return
    }
    if trusts(file, at: realPath) { return }
    throw CommandError.notPermitted(
      first.path, "belongs to another user, \(SystemAccounts.user(first.facts.owner))",
      remedy: "if you trust that user: hotglue context trust \(Shell.quoted(realPath)); "
        + "else make a context of your own with 'hotglue init'")
  }

  /// Whether the user has trusted the store of a context: that file, and no other in its place.
  func trusts(_ file: ContextFile, at realPath: String) -> Bool {
    let store = Path.joined(Path.folder(of: realPath), file.store)
    guard let list = try? TrustList(environment), !list.entries.isEmpty,
      let real = try? ContextLoader(environment).realPath(store),
      let fingerprint = try? FileFingerprint(of: real)
    else { return false }
    return list.contains(storeID: file.storeID, fingerprint)
  }

  private func isOfAnother(_ facts: FileFacts) -> Bool {
    facts.owner != environment.user.id && facts.owner != 0
  }

  /// The context file and its folder; of a job that a stream has in hand it is the stream's file.
  private func parts(
    of realPath: String, store: String
  ) -> [(path: String, facts: FileFacts)] {
    var paths = [realPath]
    if let place = AttemptPlace(contextPath: realPath) { paths.append(place.streamContextPath) }
    let folder = Path.folder(of: realPath)
    if Path.name(of: folder) == ".hotglue" || folder == Path.folder(of: store) {
      paths.append(folder)
    }
    // Gone since it was read: replaced by nobody, so there is nothing to refuse.
    return paths.compactMap { path in FileFacts(leadingTo: path).map { (path, $0) } }
  }

  /// The group of the store's file; of a store that is gone, that of the folder where it was.
  private func sharingGroup(
    of store: FileFacts?, _ parts: [(path: String, facts: FileFacts)]
  ) -> UInt32? {
    if let store { return store.mode & 0o060 == 0o060 ? store.group : nil }
    guard let folder = parts.last?.facts, folder.isDirectory, folder.mode & 0o2020 == 0o2020 else {
      return nil
    }
    return folder.group
  }
}

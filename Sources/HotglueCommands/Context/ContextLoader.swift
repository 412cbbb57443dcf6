import Glibc
import HotglueCore
import HotglueFiles
import HotglueProcess

/// Finds and reads the one context file that counts, and refuses one that others may write.
struct ContextLoader {
  let environment: CommandEnvironment

  init(_ environment: CommandEnvironment) { self.environment = environment }

  func resolve(_ options: GlobalOptions) throws -> ResolvedContext {
    try resolve(QuickGlobals(options))
  }

  func resolve(_ flags: QuickGlobals) throws -> ResolvedContext {
    let request = ContextRequest(
      workspace: flags.workspace, contextFlag: flags.context,
      contextVariable: try environment.variable("HOTGLUE_CONTEXT"),
      store: try flags.store.map { try absolute($0) }, expected: flags.expect)
    let (findings, passedOver) = try findings(for: request)
    let context: ResolvedContext
    do throws(ContextError) {
      context = try ContextResolution.resolve(request, findings: findings)
    } catch {
      if error == .nothingFound, let passedOver { throw ContextError.passedOver(path: passedOver) }
      guard case .unusableFile = error, let found = findings.last,
        let link = link(found.shownPath, to: found.realPath)
      else { throw error }
      throw CommandError(from: error).following(link)
    }
    try ContextTrust(environment).confirm(context)
    return context
  }

  /// The files that count, in their order, up to the first that is there; and one that would have
  /// counted, but for who may have put it there.
  private func findings(
    for request: ContextRequest
  ) throws -> (found: [ContextFinding], passedOver: String?) {
    if request.needsNoFile { return ([], nil) }
    if let (path, origin) = request.namedFile {
      guard !path.isEmpty else { return ([], nil) }
      return ([try finding(origin, absolute(path), shown: path)], nil)
    }
    var discovery = ContextDiscovery(self)
    if let found = try discovery.nearest() { return ([found], nil) }
    guard let path = try userPath() else { return ([], discovery.passedOver) }
    return ([try finding(.user, path, shown: path)], discovery.passedOver)
  }

  /// Where `init --user` puts the context: `nil` without a home folder.
  func userPath() throws(CommandError) -> String? {
    if let base = try environment.variable("XDG_CONFIG_HOME"), base.hasPrefix("/") {
      return Path.joined(base, "hotglue/context.json")
    }
    guard let home = try environment.variable("HOME"), home.hasPrefix("/") else { return nil }
    return Path.joined(home, ".config/hotglue/context.json")
  }

  func absolute(_ path: String) throws -> String {
    if path.hasPrefix("/") { return path }
    if environment.currentDirectoryBytes != nil { return path }
    guard let folder = environment.currentDirectory else {
      throw SystemError("use the current directory for", path, code: ENOENT)
    }
    return Path.joined(folder, path)
  }

  /// The directory above the current one, and nearest to it, whose path is UTF-8. A context below it
  /// is nearer than any above, and cannot be used: it is refused, not passed over.
  func nearestNamedDirectory() throws -> String? {
    guard var bytes = environment.currentDirectoryBytes else { return nil }
    while let slash = bytes.lastIndex(of: UInt8(ascii: "/")) {
      let file = (bytes + Array("/.hotglue/context.json".utf8)).map { CChar(bitPattern: $0) } + [0]
      var status = stat()
      if lstat(file, &status) == 0 {
        throw CommandError.notUTF8(
          "the path of the nearest context",
          hint: "rename its directory, or name another context with --context FILE")
      }
      bytes.removeSubrange(slash...)
      let path = bytes.isEmpty ? "/" : String(validating: bytes, as: UTF8.self)
      if let path { return path }
    }
    return nil
  }

  /// A `.hotglue` or a context file that is a link to nothing was meant to be a context: to pass it over
  /// would act in another one, further up.
  func refuseDanglingLink(_ path: String, shown: String) throws {
    guard isLink(path), access(path, F_OK) != 0, errno == ENOENT else { return }
    let target = ContextLink.target(of: path) ?? "nothing"
    throw CommandError(
      "context_missing", .badContext, "'\(shown)' is a link to '\(target)', which does not exist",
      hint: "create what it leads to, or remove the link: rm \(Shell.quoted(shown))",
      facts: [JSON.Member("path", .string(path)), JSON.Member("target", .string(target))])
  }

  private func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The link that led to a context file; `nil` where the file stands at its own path.
  func link(_ shown: String, to realPath: String) -> ContextLink? {
    guard let path = try? absolute(shown) else { return nil }
    let folder = Path.folder(of: path)
    guard isLink(path) || Path.name(of: folder) == ".hotglue" && isLink(folder) else { return nil }
    return ContextLink(shownPath: shown, target: realPath)
  }

  /// A link says which context counts, so it must be made by somebody who may say that.
  private func checkLinks(_ path: String, shown: String) throws {
    var links = [(path, shown)]
    let folder = Path.folder(of: path)
    if Path.name(of: folder) == ".hotglue" { links.append((folder, Path.folder(of: shown))) }
    for (link, shown) in links {
      var status = stat()
      guard lstat(link, &status) == 0, status.st_mode & S_IFMT == S_IFLNK,
        status.st_uid != environment.user.id, status.st_uid != 0
      else { continue }
      throw CommandError.notPermitted(
        shown, "is a link that another user made",
        remedy: "make a context of your own with 'hotglue init', or remove the link")
    }
  }

  func finding(
    _ origin: ContextOrigin, _ path: String, shown: String
  ) throws -> ContextFinding {
    let file = try read(path, shown: shown, ofAnyOwner: true) ?? contextInStream(path)
    return ContextFinding(
      origin: origin, shownPath: shown, realPath: file?.realPath ?? path,
      content: file.map { .bytes($0.bytes) } ?? .missing)
  }

  /// The context of a job that a stream has in hand is no file: its name says which job, its slot
  /// whether that is in hand, and the stream's own context the rest. `nil` when it is not, or no more.
  private func contextInStream(_ path: String) throws -> (realPath: String, bytes: [UInt8])? {
    guard let place = AttemptPlace(contextPath: path),
      let stream = try read(
        place.streamContextPath, shown: place.streamContextPath, ofAnyOwner: true),
      try Slot.holds(
        job: place.pin.job, fence: place.pin.fence, storeFolder: place.folder, slot: place.slot)
    else { return nil }
    var file: ContextFile
    do {
      file = try ContextFile(parsing: stream.bytes)
    } catch {
      throw ContextError.unusableFile(path: place.streamContextPath, error)
    }
    guard case .stream? = file.tenant else { return nil }
    file.contextID = "job-\(place.pin.job)-\(place.pin.fence)"
    file.pinned = place.pin
    file.tenant = nil
    let folder = Path.folder(of: stream.realPath)
    return (Path.joined(folder, Path.name(of: path)), Array(file.text.utf8))
  }

  /// The file's bytes; `nil` when there is none.
  ///
  /// Owner and mode are those of the open file, so that it cannot be exchanged in between. Of a file
  /// that is too large one byte more than is allowed is read. Whose file counts is decided by how it was
  /// found, which `ContextTrust` knows.
  func read(
    _ path: String, shown: String, ofAnyOwner: Bool = false
  ) throws -> (realPath: String, bytes: [UInt8])? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT, ENOTDIR: return nil
      case EACCES:
        // A folder above that may not be entered hides nothing of ours; a `.hotglue` may.
        guard access(Path.folder(of: path), F_OK) == 0 else { return nil }
        throw CommandError.notPermitted(
          shown, "may not be read by this user",
          remedy: "make a context of your own with 'hotglue init'")
      default: throw SystemError("open", shown)
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError("look at", shown) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CommandError(
        "bad_context_file", .badContext, "context file '\(shown)' is not a regular file",
        hint: CommandError.makeContext, facts: [JSON.Member("path", .string(shown))])
    }
    let real = try realPath(path)
    try checkLinks(path, shown: shown)
    try check(status, shown, ofAnyOwner)
    try checkFolder(of: real, named: path, ofAnyOwner)
    return (real, try bytes(of: descriptor, shown))
  }

  private func bytes(of descriptor: Int32, _ shown: String) throws -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while all.count <= ContextFile.largestSize {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("read", shown) }
      if count == 0 { break }
      all.append(contentsOf: chunk[..<count])
    }
    return all
  }

  func realPath(_ path: String) throws -> String {
    guard let resolved = realpath(path, nil) else { throw SystemError("resolve", path) }
    defer { free(resolved) }
    guard let text = String(validatingCString: resolved) else {
      throw CommandError.notUTF8(
        "the real path of '\(path)'", hint: "rename its directory, or name another context")
    }
    return text
  }

  private func check(_ status: stat, _ path: String, _ ofAnyOwner: Bool) throws {
    if case .refused(let reason, let remedy) = FileTrust.of(
      status, path: path, user: ofAnyOwner ? status.st_uid : environment.user.id)
    {
      throw CommandError.notPermitted(path, reason, remedy: remedy)
    }
  }

  /// A `.hotglue` folder, with symbolic links resolved, is held to the same rule as the file in it.
  private func checkFolder(
    of realPath: String, named path: String, _ ofAnyOwner: Bool
  ) throws {
    let folder = Path.folder(of: realPath)
    guard [folder, Path.folder(of: path)].contains(where: { Path.name(of: $0) == ".hotglue" })
    else { return }
    var status = stat()
    guard stat(folder, &status) == 0 else { throw SystemError("look at", folder) }
    try check(status, folder, ofAnyOwner)
  }

  /// A folder that was there before a context is made in it: nobody else may own or write it, except
  /// the group that is to share the context.
  func checkFolder(path: String, sharedBy group: UInt32?) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SystemError("look at", path) }
    try check(status, path, false)
    if case .ifSharedBy(let found) = FileTrust.of(status, path: path, user: environment.user.id),
      found != group
    {
      throw FileTrust.refusal(
        of: FileFacts(status), path: path, user: environment.user.id)
    }
  }
}

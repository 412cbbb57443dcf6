import Glibc
import HotglueCore
import HotglueFiles
import HotglueStore

/// Makes a folder with a store and a context file. Two at once: one makes it, the other finds it
/// whole. Cut short, it is finished by the next.
struct ContextMaker {
  let environment: CommandEnvironment
  let group: String?
  /// To be created and selected.
  let workspace: WorkspaceID?

  struct Made {
    var realPath: String
    var file: ContextFile
    var isNew: Bool
    var group: String?
  }

  func make(at path: String) throws -> Made {
    let gid = try group.map { try Groups.id(of: $0) }
    let folder = Path.folder(of: path)
    let wasThere = FileFacts(leadingTo: folder) != nil
    try makeFolder(folder, gid)
    do {
      if FileFacts(leadingTo: path) == nil { try judge(folder, gid) }
    } catch {
      if !wasThere { rmdir(folder) }
      throw error
    }
    let mode: mode_t = gid == nil ? 0o600 : 0o660
    guard let lock = try ContextLock(beside: path, mode: mode, wait: true) else {
      throw CommandError("busy", .tryLater, "another process is making '\(path)'")
    }
    defer { _ = lock }
    let loader = ContextLoader(environment)
    if let found = try loader.read(path, shown: path) {
      return try existing(found, shown: path, loader)
    }
    try loader.checkFolder(path: folder, sharedBy: gid)
    let storePath = Path.joined(folder, "store.db")
    let store = try makeStore(storePath)
    let info = try store.info()
    // One that was left without a context is what it was made as.
    if let group, info.group != group { throw notShared(shown: storePath, group) }
    let file = ContextFile(
      contextID: environment.newID(), store: "store.db", storeID: info.storeID,
      workspace: workspace, generation: workspace == nil ? 0 : 1)
    // Before the file: cut short in between, the next one finishes it and leaves a row of its own.
    let actor = Actor(
      user: environment.user.name(), command: Initialize.record.name,
      workspaceOrigin: workspace == nil ? "none" : "argument", terminal: environment.terminalName())
    try store.log(actor, in: nil, subjects: ["store"], at: environment.now())
    if let workspace { try store.makeWorkspace(workspace, by: actor, at: environment.now()) }
    try IgnoreFile(folder: folder, mode: mode).make()
    try ContextWriter(realPath: path, mode: mode).replace(with: file)
    try ContextWriter.syncFolder(Path.folder(of: folder))
    return Made(realPath: path, file: file, isNew: true, group: info.group)
  }

  /// No store is made where others could replace it: no command would use it.
  private func judge(_ folder: String, _ gid: UInt32?) throws {
    let real = try ContextLoader(environment).realPath(folder)
    let circle = AccessCircle(user: environment.user.id, owner: environment.user.id, group: gid)
    let refusal = try SystemError.of { () throws(FileError) in
      try circle.refusal(ofPathTo: real)
    }
    guard let refusal else { return }
    throw CommandError.notPermitted(
      refusal.path, "cannot hold a store: \(refusal.reason)",
      remedy: refusal.remedy.map { Hint($0) }
        ?? "make the context elsewhere, or 'hotglue init --user'")
  }

  /// What is there is looked at as any command would: a broken one is an error, not 'there already'.
  private func existing(
    _ found: (realPath: String, bytes: [UInt8]), shown: String, _ loader: ContextLoader
  ) throws -> Made {
    let file: ContextFile
    do {
      file = try ContextFile(parsing: found.bytes)
    } catch {
      throw ContextError.unusableFile(path: shown, error)
    }
    let path = Path.joined(Path.folder(of: found.realPath), file.store)
    let info: StoreInfo
    do {
      info = try environment.stores.open(path, file.storeID).info()
    } catch {
      guard error == .missing(path: path) else { throw error }
      throw CommandError(
        "store_missing", .storeUnusable,
        "context '\(shown)' is there, but its store '\(path)' is gone",
        hint: "bring it back with 'hotglue store restore BACKUP', "
          + "or move the context away to begin anew",
        facts: [JSON.Member("path", .string(path))])
    }
    try ContextTrust(environment).confirm(
      file, at: found.realPath, store: path, isNamed: false)
    if let group, group != info.group { throw notShared(shown: shown, group) }
    if let workspace, let selected = file.workspace, selected != workspace {
      throw CommandError(
        "already_exists", .cannotCreate,
        "context '\(shown)' is there already, in workspace '\(selected)'",
        hint: "hotglue workspace create \(workspace); hotglue workspace switch \(workspace)",
        facts: [
          JSON.Member("path", .string(found.realPath)),
          JSON.Member("workspace", .string(selected.text)),
        ])
    }
    return Made(realPath: found.realPath, file: file, isNew: false, group: info.group)
  }

  private func notShared(shown: String, _ group: String) -> CommandError {
    CommandError(
      "already_exists", .cannotCreate,
      "'\(shown)' is there already and its store is not shared with group '\(group)'",
      hint:
        "back it up, move it away, 'hotglue init --group \(group)', then 'hotglue store restore'")
  }

  /// A store without a context is what an `init` leaves that was cut short in between.
  private func makeStore(_ path: String) throws -> any Store {
    do {
      return try environment.stores.create(path, group, environment.now())
    } catch StoreError.alreadyExists {
      return try environment.stores.open(path, nil)
    }
  }

  /// The folder and those above it that are missing. A mode is set whatever the umask.
  func makeFolder(_ folder: String, _ gid: UInt32?) throws {
    var status = stat()
    if stat(folder, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw SystemError("create", folder, code: ENOTDIR)
      }
      if let gid { try finishSharing(folder, gid) }
      return
    }
    let parent = Path.folder(of: folder)
    if parent != folder, stat(parent, &status) != 0 { try makeFolder(parent, nil) }
    // Another one may be faster; the lock inside decides who makes the rest.
    guard
      try SystemError.of({ () throws(FileError) in
        try SharedFile.createDirectory(folder, isShared: false, isOwn: true)
      }), let gid
    else { return }
    do {
      try share(folder, gid)
    } catch {
      rmdir(folder)
      throw error
    }
  }

  /// A folder that was there, perhaps since one who made it was cut short: it is shared like a new one
  /// as long as it is this user's own and has neither a context nor a private store. A link is not
  /// followed.
  private func finishSharing(_ folder: String, _ gid: UInt32) throws {
    var status = stat()
    guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      status.st_uid == environment.user.id,
      status.st_gid != gid || status.st_mode & 0o7777 != 0o2770
    else { return }
    var inside = stat()
    guard lstat(Path.joined(folder, "context.json"), &inside) != 0, errno == ENOENT else { return }
    if lstat(Path.joined(folder, "store.db"), &inside) == 0 {
      guard inside.st_gid == gid, inside.st_mode & 0o060 == 0o060 else { return }
    } else if errno != ENOENT {
      return
    }
    try share(folder, gid)
  }

  private func share(_ folder: String, _ gid: UInt32) throws {
    do throws(FileError) {
      try SharedFile.setAccess(ofDirectory: folder, isShared: true, group: gid)
    } catch {
      guard error.code == EPERM, let group else { throw SystemError(error) }
      let error = SystemError(error)
      throw CommandError(
        "cannot_create", .cannotCreate,
        "cannot share '\(folder)' with group '\(group)': \(error.reason)",
        hint: "only a member of the group can; see which groups are yours with 'id -Gn'",
        facts: [JSON.Member("path", .string(folder))])
    }
  }
}

extension WorkspaceStore {
  /// The workspace is there afterwards: one that an earlier `init` was cut short after is taken.
  func makeWorkspace(_ id: WorkspaceID, by actor: Actor, at now: Timestamp) throws(StoreError) {
    do throws(StoreError) {
      _ = try createWorkspace(id, name: id.text, by: actor, at: now)
    } catch .workspaceExists {
      guard try workspace(id).state == .active else { throw .archivedWorkspace(id) }
    }
  }
}

extension CommandError {
  /// What should be made cannot be.
  init(creating path: String, _ error: SystemError) {
    self.init(
      "cannot_create", .cannotCreate, "cannot create '\(path)': \(error.reason)",
      facts: [JSON.Member("path", .string(path))])
  }
}

/// Groups of the system, read from its file: a fully static program cannot ask the name service.
enum Groups {
  static func id(of name: String) throws -> UInt32 {
    guard let file = fopen("/etc/group", "re") else { throw SystemError("open", "/etc/group") }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var size = 0
    defer { free(line) }
    while getline(&line, &size, file) > 0, let line {
      let fields = String(cString: line).split(separator: ":", omittingEmptySubsequences: false)
      if fields.count >= 3, fields[0] == name, let id = UInt32(fields[2]) { return id }
    }
    if let id = UInt32(name) { return id }
    throw CommandError(
      "unknown_group", .notFound, "no group '\(name)' on this system",
      hint: "see /etc/group, or make it with 'groupadd \(name)'")
  }
}

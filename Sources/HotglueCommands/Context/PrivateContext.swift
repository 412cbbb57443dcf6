import Glibc
import HotglueCore
import HotglueProcess

/// A context file of one shell or one external command: `STORE.d/contexts/NAME/context.json`, which
/// nobody else may read, and which goes when they end.
///
/// Its folder is locked, and the child inherits the lock. So after a `kill -9` of hotglue the file
/// stays for as long as the shell lives, and is then swept by whoever makes the next one, or by
/// `store prune`.
struct PrivateContext: ~Copyable {
  /// The file's real path.
  let path: String
  /// Holds the lock, and is handed on to the child.
  let descriptor: Int32
  private let folder: String

  private init(folder: String, descriptor: Int32) {
    self.folder = folder
    self.descriptor = descriptor
    path = folder + "/context.json"
  }

  /// Makes the file beside the real path of the store that it names.
  static func make(
    _ file: ContextFile, in environment: CommandEnvironment
  ) throws -> PrivateContext {
    let store = try ContextLoader(environment).realPath(file.store)
    let all = folder(of: store)
    sweep(store: store, user: environment.user.id)
    var file = file
    file.store = store
    do {
      let (folder, descriptor) = try makeFolder(in: all)
      // From here on an error removes what was made.
      let context = PrivateContext(folder: folder, descriptor: descriptor)
      try ContextWriter(realPath: context.path, mode: 0o600).make(file)
      return context
    } catch let error as SystemError {
      // What this user may not do in the store is told as such, whichever command it is.
      if error.code == EACCES { throw error }
      throw CommandError(creating: all, error)
    }
  }

  deinit {
    Self.remove(folder)
    close(descriptor)
  }

  private static func folder(of store: String) -> String { store + ".d/contexts" }

  /// A fresh folder, locked. Between its making and its lock a sweep may take it for a leftover: then
  /// another one is made.
  private static func makeFolder(in all: String) throws -> (path: String, descriptor: Int32) {
    while true {
      let digits = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let path = "\(all)/\(getpid())-\(digits)"
      guard mkdir(path, 0o700) == 0 else {
        if errno == EEXIST { continue }
        throw SystemError("create", path)
      }
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      guard descriptor >= 0 else {
        if errno == ENOENT { continue }
        throw SystemError("open", path)
      }
      var status = stat()
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, stat(path, &status) == 0 {
        // Whatever the umask, and without the group that a shared folder hands down.
        if fchmod(descriptor, 0o700) == 0 { return (path, descriptor) }
      } else if errno == EWOULDBLOCK || errno == ENOENT || errno == EINTR {
        close(descriptor)
        continue
      }
      let error = SystemError("lock", path)
      close(descriptor)
      rmdir(path)
      throw error
    }
  }

  /// Removes what a killed hotglue left, once nobody holds its lock. What is another user's stays, and
  /// so does what cannot be removed: it is tried again next time.
  static func sweep(store: String, user: UInt32) {
    let all = folder(of: store)
    for name in names(in: all) where !name.hasPrefix(".") {
      let path = "\(all)/\(name)"
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_uid == user,
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
      else { continue }
      remove(path)
    }
  }

  /// How many shells live with a context of their own in this workspace, as far as this user may
  /// look, and besides the one whose context is `own`.
  static func shells(
    in workspace: WorkspaceID, below storeFolder: String, besides own: String,
    for loader: ContextLoader
  ) -> Int {
    let all = storeFolder + "/contexts"
    var count = 0
    for name in names(in: all) where !name.hasPrefix(".") {
      let path = "\(all)/\(name)"
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      // A lock that can be had is that of a shell that has ended.
      if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { continue }
      let contextPath = path + "/context.json"
      if contextPath == own { continue }
      guard let found = try? loader.read(contextPath, shown: contextPath),
        let file = try? ContextFile(parsing: found.bytes), case .shell? = file.tenant
      else { continue }
      if file.workspace == workspace { count += 1 }
    }
    return count
  }

  private static func remove(_ folder: String) {
    for suffix in ["", ".lock", ".new"] { unlink("\(folder)/context.json\(suffix)") }
    rmdir(folder)
  }
}

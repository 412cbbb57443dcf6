import Glibc
import HotglueCore
import HotglueFiles
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
  /// The lock of its folder, which is handed on to the child.
  private let lock: LockFile
  var descriptor: Int32 { lock.descriptor }

  private init(_ lock: LockFile) {
    self.lock = lock
    path = lock.path + "/context.json"
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
      // From here on an error removes what was made.
      let context = PrivateContext(try makeFolder(in: all))
      try ContextWriter(realPath: context.path, mode: 0o600).make(file)
      return context
    } catch let error as SystemError {
      // What this user may not do in the store is told as such, whichever command it is.
      if error.code == EACCES { throw error }
      throw CommandError(creating: all, error)
    }
  }

  deinit { Self.remove(lock.path) }

  private static func folder(of store: String) -> String { store + ".d/contexts" }

  /// A fresh folder, locked. Between its making and its lock a sweep may take it for a leftover: then
  /// another one is made.
  private static func makeFolder(in all: String) throws(SystemError) -> LockFile {
    while true {
      let digits = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let path = "\(all)/\(getpid())-\(digits)"
      guard mkdir(path, 0o700) == 0 else {
        if errno == EEXIST { continue }
        throw SystemError("create", path)
      }
      do throws(FileError) {
        let lock = try LockFile(existing: path)
        guard try lock.tryLock(), lock.isAtItsPath else { continue }
        // Whatever the umask, and without the group that a shared folder hands down.
        if fchmod(lock.descriptor, 0o700) == 0 { return lock }
        throw FileError("lock", path)
      } catch {
        if error.code == ENOENT { continue }
        rmdir(path)
        throw SystemError(error)
      }
    }
  }

  /// Removes what a killed hotglue left, once nobody holds its lock. What is another user's stays, and
  /// so does what cannot be removed: it is tried again next time.
  static func sweep(store: String, user: UInt32) {
    let all = folder(of: store)
    for name in names(in: all) where !name.hasPrefix(".") {
      let path = "\(all)/\(name)"
      guard let facts = try? FileFacts(of: path), facts.isDirectory, facts.owner == user,
        let lock = try? LockFile(existing: path), (try? lock.tryLock()) == true
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
      // A lock that can be had is that of a shell that has ended.
      guard LockFile.state(of: path) == .held else { continue }
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

import Glibc
import HotglueStore

/// Where a store's files are: the database at its real path, and the folder beside it.
struct StorePaths: Equatable {
  /// The database, symbolic links resolved.
  let database: String
  /// `STORE.d`: gate, locks, slots, workers, logs and contexts.
  var folder: String { database + ".d" }
  var log: String { database + "-wal" }
  var sharedMemory: String { database + "-shm" }
  /// What a database without a log has beside it while it is written, and a store never.
  var journal: String { database + "-journal" }
  /// The files of the write lock.
  var gates: [String] { ["\(folder)/gate.a", "\(folder)/gate.b"] }
  /// The folder that holds the database.
  var parent: String { Self.parent(of: database) }

  static let subfolders = ["slots", "workers", "logs", "contexts"]

  init(resolved path: String) { database = path }

  /// The paths of a store that exists; `missing` otherwise.
  init(existing path: String) throws(StoreError) {
    guard let resolved = Self.realPath(path) else { throw StoreError(errno: errno, path: path) }
    database = resolved
  }

  /// The paths of a store to be made: its folder exists, the file itself may not.
  init(new path: String) throws(StoreError) {
    if let resolved = Self.realPath(path) {
      database = resolved
      return
    }
    guard errno == ENOENT else { throw StoreError(errno: errno, path: path) }
    guard let folder = Self.realPath(Self.parent(of: path)) else {
      throw StoreError(errno: errno, path: Self.parent(of: path))
    }
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    guard !name.isEmpty, name != ".", name != ".." else {
      throw StoreError.inputOutput(path: path, detail: "not a file name")
    }
    database = folder == "/" ? "/" + name : folder + "/" + name
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    // A path that was repaired would name another file.
    guard let text = String(validatingCString: resolved) else {
      errno = EILSEQ
      return nil
    }
    return text
  }
}

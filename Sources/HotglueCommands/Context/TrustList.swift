import Glibc
import HotglueCore
import HotglueFiles
import HotglueProcess

/// The stores of other users that this user has trusted, and copies: a file of the user's own
/// configuration, beside the user's own context.
struct TrustList {
  struct Entry: Hashable {
    var path: String
    var storeID: String
    var fingerprint: FileFingerprint
  }

  /// `nil` without a home directory.
  let path: String?
  private(set) var entries: [Entry] = []

  private static let largestSize = 1 << 20

  init(_ environment: CommandEnvironment) throws {
    path = try ContextLoader(environment).userPath().map {
      Path.joined(Path.folder(of: $0), "trusted.json")
    }
    if let path { entries = try Self.entries(of: path, user: environment.user.id) }
  }

  func contains(storeID: String, _ fingerprint: FileFingerprint) -> Bool {
    entries.contains { $0.storeID == storeID && $0.fingerprint == fingerprint }
  }

  /// Adds a store, in place of what was trusted at its path.
  static func add(_ entry: Entry, in environment: CommandEnvironment) throws {
    guard let path = try TrustList(environment).path else {
      throw CommandError.noHome(
        in: environment, hint: "set HOME to an absolute path, then try again")
    }
    try ContextMaker(environment: environment, group: nil, workspace: nil).makeFolder(
      Path.folder(of: path), nil)
    guard let lock = try ContextLock(beside: path, mode: 0o600, wait: true) else { return }
    defer { _ = lock }
    // Read under the lock: another command may have added one.
    var entries = try TrustList(environment).entries.filter { $0.path != entry.path }
    entries.append(entry)
    try SystemError.of { () throws(FileError) in
      try AtomicFile(path, isShared: false).replace(by: Array(text(of: entries).utf8))
    }
  }

  private static func text(of entries: [Entry]) -> String {
    let stores = entries.map { entry in
      JSON.object([
        JSON.Member("path", .string(entry.path)), JSON.Member("store_id", .string(entry.storeID)),
        JSON.Member("inode", .string(String(entry.fingerprint.inode))),
        JSON.Member("birth", .string(String(entry.fingerprint.birth))),
      ])
    }
    return JSON.object([JSON.Member("version", .integer(1)), JSON.Member("stores", .array(stores))])
      .prettyText + "\n"
  }

  /// None where there is no file. One that others may write is refused: it says whose commands run here.
  private static func entries(of path: String, user: UInt32) throws -> [Entry] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR || errno == EACCES { return [] }
      throw SystemError("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError("look at", path) }
    let facts = FileFacts(status)
    guard facts.kind == .file, facts.owner == user || facts.owner == 0, facts.mode & 0o022 == 0
    else {
      throw CommandError.notPermitted(
        path, "may be written by other users", remedy: "chmod go-w \(Shell.quoted(path))")
    }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < largestSize {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    guard let json = try? JSON.parse(bytes), let stores = json["stores"]?.arrayValue else {
      throw CommandError(
        "bad_trust_file", .badContext, "'\(path)' cannot be read: it is not as hotglue writes it",
        hint: "mv \(Shell.quoted(path)) \(Shell.quoted(path + ".away"))",
        facts: [JSON.Member("path", .string(path))])
    }
    return stores.compactMap { store in
      guard let path = store["path"]?.stringValue, let id = store["store_id"]?.stringValue,
        let inode = store["inode"]?.stringValue.flatMap({ UInt64($0) }),
        let birth = store["birth"]?.stringValue.flatMap({ Int64($0) })
      else { return nil }
      return Entry(
        path: path, storeID: id, fingerprint: FileFingerprint(inode: inode, birth: birth))
    }
  }
}

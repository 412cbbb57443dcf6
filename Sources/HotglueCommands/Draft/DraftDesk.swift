import Glibc
import HotglueCore
import HotglueFiles
import HotglueProcess
import HotglueStore

/// Where drafts lie while they are open in an editor: `STORE.d/drafts/ID.toml`, each with a lock.
///
/// What an editor saves there is durable as files are; the store has it when the editor has ended.
/// When hotglue is killed meanwhile, the next command on drafts takes up what lies there.
struct DraftDesk {
  let folder: String
  private let isShared: Bool

  init(_ store: any Store) {
    folder = store.folder + "/drafts"
    isShared = store.group != nil
  }

  func path(of id: DraftID) -> String { "\(folder)/\(id).toml" }
  private func lockPath(of id: DraftID) -> String { "\(folder)/\(id).lock" }

  /// The drafts that lie here, or whose locks were left behind.
  func drafts() throws(SystemError) -> [DraftID] {
    let names: [String]
    do throws(FileError) {
      names = try SharedFile.names(in: folder)
    } catch {
      if error.code == ENOENT { return [] }
      throw SystemError(error)
    }
    var drafts: Set<DraftID> = []
    for name in names {
      guard name.hasSuffix(".toml") || name.hasSuffix(".lock"), let id = DraftID(name.dropLast(5)),
        id > 0
      else { continue }
      drafts.insert(id)
    }
    return drafts.sorted()
  }

  /// The lock of a draft's text, held until this process and the editor that inherited it have gone:
  /// also when hotglue was killed and the person types on. `nil` while another one has it. An editor
  /// that closes descriptors it does not know gives its share up.
  func lock(_ id: DraftID) throws(SystemError) -> LockFile? {
    try SystemError.of { () throws(FileError) in
      try LockFile.acquire(lockPath(of: id), isShared: isShared)
    }
  }

  /// The same, with a moment's patience for a command that only looks.
  func take(_ id: DraftID) throws(SystemError) -> LockFile? {
    try makeFolder()
    let deadline = BootClock.now() + Self.patienceMs
    while true {
      if let lock = try lock(id) { return lock }
      if BootClock.now() >= deadline { return nil }
      usleep(10_000)
    }
  }

  private static let patienceMs: Int64 = 300

  /// Whether somebody types in the draft, or has typed there what the store has not got yet.
  func isAtWork(_ id: DraftID) -> Bool { isOpenInEditor(id) || isLying(id) }

  /// Whether a text lies here that was not taken up, or something that is not known to be none.
  func isLying(_ id: DraftID) -> Bool {
    var status = stat()
    guard lstat(path(of: id), &status) == 0 else { return false }
    return status.st_mode & S_IFMT != S_IFREG || status.st_size > 0
  }

  /// Not when the lock is missing or free; one that cannot be asked may be held.
  func isOpenInEditor(_ id: DraftID) -> Bool {
    switch LockFile.state(of: lockPath(of: id)) {
    case .free, .missing: false
    case .held, .unknown: true
    }
  }

  /// Puts a text here, whole and durable: a crash leaves all of it or none.
  func put(_ text: [UInt8], _ id: DraftID) throws(SystemError) {
    let file = AtomicFile(path(of: id), isShared: isShared)
    try SystemError.of { () throws(FileError) in try file.replace(by: text) }
  }

  /// What lies here, up to one byte more than a draft may have; `nil` when there is nothing.
  func text(of id: DraftID) throws(SystemError) -> [UInt8]? {
    let path = path(of: id)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw SystemError("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError("look at", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SystemError("read", path, code: EINVAL)
    }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= Draft.longest {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("read", path) }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return bytes
  }

  /// Takes the text away: the store has it.
  func clear(_ id: DraftID) throws(SystemError) {
    let path = path(of: id)
    guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("remove", path) }
    // Of a text that was never put in its place.
    let temporary = path + ".new"
    guard unlink(temporary) == 0 || errno == ENOENT else { throw SystemError("remove", temporary) }
  }

  private func makeFolder() throws(SystemError) {
    try SystemError.of { () throws(FileError) in
      try SharedFile.createDirectory(folder, isShared: isShared)
    }
  }
}

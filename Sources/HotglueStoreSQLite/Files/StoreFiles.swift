import Glibc
import HotglueStore

/// Files and folders of a store with the modes they need whatever the umask is, made durably.
struct StoreFiles {
  /// The group that shares the store; `nil` for a private one.
  let group: UInt32?

  var fileMode: mode_t { group == nil ? 0o600 : 0o660 }
  var folderMode: mode_t { group == nil ? 0o700 : 0o2770 }

  /// Makes the folder `STORE.d` with all it holds; what is there already stays.
  func makeFolder(_ paths: StorePaths) throws(StoreError) {
    try makeFolder(paths.folder)
    for name in StorePaths.subfolders { try makeFolder(paths.folder + "/" + name) }
    try makeFile(paths.folder + "/gate.a")
    try makeFile(paths.folder + "/gate.b")
    try Self.sync(folder: paths.folder)
    try Self.sync(folder: paths.parent)
  }

  private func makeFolder(_ path: String) throws(StoreError) {
    if mkdir(path, 0o700) == 0 {
      try setOwnership(of: path, mode: folderMode)
      return
    }
    guard errno == EEXIST else { throw StoreError(errno: errno, path: path) }
    let facts = try StoreTrust.facts(of: path)
    guard facts.isFolder else { throw StoreError.alreadyExists(path: path) }
    if facts.owner != geteuid() || facts.mode & 0o002 != 0
      || (group == nil && facts.mode & 0o020 != 0)
    {
      if let refusal = StoreTrust.refusal(of: path, facts, sharedBy: nil) { throw refusal }
    }
    try setOwnership(of: path, mode: folderMode)
  }

  /// Makes an empty file unless it is there.
  private func makeFile(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if descriptor < 0, errno == EEXIST { return }
    guard descriptor >= 0 else { throw StoreError(errno: errno, path: path) }
    close(descriptor)
    try setOwnership(of: path, mode: fileMode)
  }

  /// Makes an empty file that must not exist yet.
  func makeNewFile(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw StoreError(errno: errno, path: path) }
    close(descriptor)
    try setOwnership(of: path, mode: fileMode)
  }

  func setOwnership(of path: String, mode: mode_t) throws(StoreError) {
    if let group, chown(path, uid_t.max, group) != 0 { throw StoreError(errno: errno, path: path) }
    guard chmod(path, mode) == 0 else { throw StoreError(errno: errno, path: path) }
  }

  /// Syncs a folder, so that the names in it survive a power cut.
  static func sync(folder path: String) throws(StoreError) {
    try sync(path, flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  }

  /// Syncs a file. Never the database while SQLite has it open: closing this descriptor would drop
  /// SQLite's locks.
  static func sync(closedFile path: String) throws(StoreError) {
    try sync(path, flags: O_RDONLY | O_CLOEXEC)
  }

  private static func sync(_ path: String, flags: Int32) throws(StoreError) {
    let descriptor = open(path, flags)
    guard descriptor >= 0 else { throw StoreError(errno: errno, path: path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw StoreError(errno: errno, path: path) }
  }
}

/// Random bytes of the kernel, as lower-case hexadecimal digits.
enum RandomText {
  static func hexadecimal(bytes count: Int) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var generator = SystemRandomNumberGenerator()
    var text: [UInt8] = []
    for _ in 0..<count {
      let byte = UInt8.random(in: .min ... .max, using: &generator)
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// A random UUID (version 4, RFC 9562).
  static func uuid() -> String {
    var digits = Array(hexadecimal(bytes: 16).utf8)
    digits[12] = UInt8(ascii: "4")
    digits[16] = Array("89ab".utf8)[Int(digits[16]) & 3]
    var text: [UInt8] = []
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append(UInt8(ascii: "-")) }
      text.append(digit)
    }
    return String(decoding: text, as: UTF8.self)
  }
}

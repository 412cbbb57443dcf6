import Glibc
import HotglueFiles
import HotglueStore

/// Files and folders of a store with the modes they need whatever the umask is, made durably.
struct StoreFiles {
  /// The group that shares the store; `nil` for a private one.
  let group: UInt32?

  private var isShared: Bool { group != nil }

  /// Makes the folder `STORE.d` with all it holds; what is there already stays.
  func makeFolder(_ paths: StorePaths) throws(StoreError) {
    try makeFolder(paths.folder)
    for name in StorePaths.subfolders { try makeFolder(paths.folder + "/" + name) }
    for path in paths.gates { close(try Self.open(path, isShared: isShared)) }
    try Self.sync(folder: paths.folder)
    try Self.sync(folder: paths.parent)
  }

  /// Makes `STORE.d` alone, private, unless it is there: a place where nobody else may write.
  static func makePlace(for paths: StorePaths) throws(StoreError) {
    do throws(FileError) {
      if try SharedFile.createDirectory(paths.folder, isShared: false) { return }
    } catch {
      throw StoreError(error)
    }
    let facts = try StoreTrust.facts(of: paths.folder)
    guard facts.isDirectory else { throw StoreError.alreadyExists(path: paths.folder) }
    if let refusal = StoreTrust.circle(of: facts).refusal(of: paths.folder, facts) {
      throw StoreError(refusal)
    }
  }

  private func makeFolder(_ path: String) throws(StoreError) {
    do throws(FileError) {
      if try SharedFile.createDirectory(path, isShared: isShared) {
        if isShared {
          try SharedFile.setAccess(ofDirectory: path, isShared: true, group: group)
        }
        return
      }
    } catch {
      throw StoreError(error)
    }
    let facts = try StoreTrust.facts(of: path)
    guard facts.isDirectory else { throw StoreError.alreadyExists(path: path) }
    let isGood =
      facts.mode == SharedFile.directoryMode(isShared: isShared)
      && (group == nil || facts.group == group)
    if isGood, group != nil || facts.owner == geteuid() { return }
    if facts.owner != geteuid() || facts.mode & 0o002 != 0
      || (group == nil && facts.mode & 0o020 != 0)
    {
      let circle = AccessCircle(user: geteuid(), owner: geteuid(), group: nil)
      if let refusal = circle.refusal(of: path, facts) { throw StoreError(refusal) }
    }
    do throws(FileError) {
      try SharedFile.setAccess(ofDirectory: path, isShared: isShared, group: group)
    } catch {
      throw StoreError(error)
    }
  }

  /// Makes an empty file that must not exist yet. In a folder that has another group, as a restored
  /// store's may, it is given to the store's.
  func makeNewFile(_ path: String) throws(StoreError) {
    let descriptor: Int32
    do throws(FileError) {
      descriptor = try SharedFile.create(path, isShared: false)
    } catch {
      throw StoreError(error)
    }
    defer { close(descriptor) }
    try share(descriptor, path)
  }

  /// Gives a file that is open the mode and the group of the store.
  func share(_ descriptor: Int32, _ path: String) throws(StoreError) {
    if let group, fchown(descriptor, uid_t.max, group) != 0 {
      throw StoreError(errno: errno, path: path)
    }
    guard fchmod(descriptor, SharedFile.mode(isShared: isShared)) == 0 else {
      throw StoreError(errno: errno, path: path)
    }
  }

  /// Opens a file of `STORE.d` for reading and writing, and makes it if it is missing.
  static func open(_ path: String, isShared: Bool) throws(StoreError) -> Int32 {
    do throws(FileError) {
      return try SharedFile.open(path, isShared: isShared)
    } catch {
      throw StoreError(error)
    }
  }

  /// Syncs a folder, so that the names in it survive a power cut.
  static func sync(folder path: String) throws(StoreError) {
    try sync(path, flags: O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
  }

  /// Syncs a file. Never the database while SQLite has it open: closing this descriptor would drop
  /// SQLite's locks.
  static func sync(closedFile path: String) throws(StoreError) {
    try sync(path, flags: O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
  }

  private static func sync(_ path: String, flags: Int32) throws(StoreError) {
    let descriptor = Glibc.open(path, flags)
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

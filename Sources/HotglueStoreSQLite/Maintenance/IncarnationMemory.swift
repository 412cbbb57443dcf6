import Glibc
import HotglueFiles
import HotglueStore

/// The highest incarnation that the store at this place ever had, kept in `STORE.d`, which outlives a
/// lost database.
///
/// It is written before a restore takes effect: a restore that is killed after that costs a number. A
/// file that is missing or unreadable remembers nothing, and the restore then chooses a number at
/// random, far from any other.
struct IncarnationMemory {
  private let folder: String
  private let path: String
  private let files: StoreFiles

  init(_ paths: StorePaths, storeID: String, files: StoreFiles) {
    folder = paths.folder
    path = "\(paths.folder)/incarnation-\(storeID)"
    self.files = files
  }

  var highest: Int64? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0, bytes[count - 1] == UInt8(ascii: "\n") else { return nil }
    return Int64(String(decoding: bytes.prefix(count - 1), as: UTF8.self))
  }

  func remember(_ number: Int64) throws(StoreError) {
    if let highest, highest >= number { return }
    let file = AtomicFile(
      path, isShared: files.group != nil,
      temporary: "\(folder)/incarnation-\(RandomText.hexadecimal(bytes: 8)).new",
      group: files.group)
    do throws(FileError) {
      try file.replace(by: Array("\(number)\n".utf8))
    } catch {
      throw StoreError(error)
    }
  }
}

import Glibc
import HotglueCore
import HotglueFiles

/// Replaces a context file as a whole: whoever reads it, also after a power cut, sees the old one or
/// the new one. Called under the file's lock only.
struct ContextWriter {
  let realPath: String
  let mode: mode_t

  /// `written` is called between the durable temporary file and the rename.
  func replace(with file: ContextFile, written: () throws -> Void = {}) throws {
    let place = AtomicFile(realPath, isShared: isShared)
    try SystemError.of { () throws(FileError) in try place.prepare(Array(file.text.utf8)) }
    try written()
    try SystemError.of(place.publish)
  }

  /// Writes a file that must not exist yet, and that means nothing after a reboot: without a sync.
  func make(_ file: ContextFile) throws {
    try SystemError.of { () throws(FileError) in
      let descriptor = try SharedFile.create(realPath, isShared: isShared)
      defer { close(descriptor) }
      try SharedFile.write(Array(file.text.utf8), to: descriptor, realPath)
    }
  }

  private var isShared: Bool { mode & 0o060 != 0 }

  /// The mode of the file that is there, kept by its successor: private, or shared with a group.
  static func mode(of realPath: String) throws -> mode_t {
    var status = stat()
    guard stat(realPath, &status) == 0 else { throw SystemError("look at", realPath) }
    return status.st_mode & 0o660
  }

  /// Makes the names in a folder durable.
  static func syncFolder(_ path: String) throws {
    try SystemError.of { () throws(FileError) in try SharedFile.sync(directory: path) }
  }
}

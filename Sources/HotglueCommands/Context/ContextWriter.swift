import Glibc
import HotglueCore

/// Replaces a context file as a whole: whoever reads it, also after a power cut, sees the old one or
/// the new one. Called under the file's lock only.
struct ContextWriter {
  let realPath: String
  let mode: mode_t

  /// `written` is called between the durable temporary file and the rename.
  func replace(with file: ContextFile, written: () throws -> Void = {}) throws {
    let temporary = realPath + ".new"
    // Left behind by a crash; under the lock it belongs to nobody.
    guard unlink(temporary) == 0 || errno == ENOENT else {
      throw SystemError("remove", temporary)
    }
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw SystemError("create", temporary) }
    do {
      defer { close(descriptor) }
      guard fchmod(descriptor, mode) == 0 else { throw SystemError("set the mode of", temporary) }
      try write(Array(file.text.utf8), to: descriptor, temporary)
      guard fsync(descriptor) == 0 else { throw SystemError("sync", temporary) }
    }
    try written()
    guard rename(temporary, realPath) == 0 else { throw SystemError("replace", realPath) }
    try Self.syncFolder(Path.folder(of: realPath))
  }

  /// Writes a file that must not exist yet, and that means nothing after a reboot: without a sync.
  func make(_ file: ContextFile) throws {
    let descriptor = open(realPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw SystemError("create", realPath) }
    defer { close(descriptor) }
    guard fchmod(descriptor, mode) == 0 else { throw SystemError("set the mode of", realPath) }
    try write(Array(file.text.utf8), to: descriptor, realPath)
  }

  /// The mode of the file that is there, kept by its successor: private, or shared with a group.
  static func mode(of realPath: String) throws -> mode_t {
    var status = stat()
    guard stat(realPath, &status) == 0 else { throw SystemError("look at", realPath) }
    return status.st_mode & 0o660
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError("write", path) }
      rest = rest.dropFirst(count)
    }
  }

  /// Makes the names in a folder durable.
  static func syncFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SystemError("sync", path) }
  }
}

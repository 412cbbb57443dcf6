import Glibc

/// Bytes that wait to be written on, in a file without a name: it is gone with the process.
public final class SpoolFile {
  private let descriptor: Int32
  private let folder: String

  public init(in folder: String) throws(ProcessError) {
    self.folder = folder
    var template = Array("\(folder)/spool-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw .system(call: "mkstemp", path: folder, errno: errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(template)
  }

  deinit { close(descriptor) }

  public func append(_ bytes: [UInt8]) throws(ProcessError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system(call: "write", path: folder, errno: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Gives all that was appended, in order.
  public func read(_ give: ([UInt8]) -> Void) throws(ProcessError) {
    var offset: off_t = 0
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = pread(descriptor, &block, block.count, offset)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(call: "read", path: folder, errno: errno) }
      if count == 0 { return }
      give(Array(block.prefix(count)))
      offset += off_t(count)
    }
  }
}

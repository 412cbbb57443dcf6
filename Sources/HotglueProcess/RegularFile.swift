import Glibc

/// A file whose name came from outside. Opening a pipe could wait forever, and opening a device could
/// have an effect, so only regular files are opened.
public enum RegularFile {
  public struct Refusal: Error, Equatable, Sendable {
    public let reason: String
  }

  /// A descriptor for reading, closed when a program is executed.
  public static func open(_ path: String) throws(Refusal) -> Int32 {
    // With O_NONBLOCK the open of a pipe without a writer returns at once; it is refused below.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw Refusal(reason: String(cString: strerror(errno))) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      Glibc.close(descriptor)
      throw Refusal(reason: "it is not a regular file")
    }
    return descriptor
  }

  public static func close(_ descriptor: Int32) { Glibc.close(descriptor) }
}

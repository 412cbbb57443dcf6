import Glibc

/// A folder of one test's own, removed with all it holds when the value goes.
public final class TemporaryFolder: Sendable {
  public let path: String

  public struct Failure: Error {
    public let code: Int32
  }

  public init(_ name: String = "hotglue-test") throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/\(name)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(code: errno) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  public func file(_ name: String) -> String { path + "/" + name }

  deinit { Self.remove(path) }

  /// Removes a file or folder; symbolic links are removed, not followed.
  private static func remove(_ path: String) {
    if let folder = opendir(path), !isLink(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { remove(path + "/" + name) }
      }
      closedir(folder)
      rmdir(path)
    } else {
      unlink(path)
    }
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }
}

import Glibc

extension SharedFile {
  /// The names in a directory, without those of the directory itself. A link is not followed, since what
  /// is found is often removed.
  public static func names(
    in path: String, followsLink: Bool = false
  ) throws(FileError) -> [String] {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followsLink ? 0 : O_NOFOLLOW)
    let descriptor = Glibc.open(path, flags)
    guard descriptor >= 0 else { throw FileError("open", path) }
    guard let entries = fdopendir(descriptor) else {
      let code = errno
      close(descriptor)
      throw FileError("open", path, code: code)
    }
    defer { closedir(entries) }
    var names: [String] = []
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}

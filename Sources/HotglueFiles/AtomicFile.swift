import Glibc

/// A file that is replaced as a whole: a reader, also after a power cut, sees the old one or the new one.
public struct AtomicFile {
  public var path: String
  /// A name in the same directory that no other process uses at this time.
  public var temporary: String
  public var isShared: Bool
  /// The group that the file gets, where its directory may have another.
  public var group: UInt32?

  public init(
    _ path: String, isShared: Bool, temporary: String? = nil, group: UInt32? = nil
  ) {
    self.path = path
    self.temporary = temporary ?? path + ".new"
    self.isShared = isShared
    self.group = group
  }

  public func replace(by bytes: [UInt8]) throws(FileError) {
    try prepare(bytes)
    try publish()
  }

  /// The first half: the new file, whole and durable under its temporary name.
  public func prepare(_ bytes: [UInt8]) throws(FileError) {
    // Left behind by a crash.
    guard unlink(temporary) == 0 || errno == ENOENT else { throw FileError("remove", temporary) }
    let descriptor = try SharedFile.create(temporary, isShared: isShared)
    defer { close(descriptor) }
    do throws(FileError) {
      if let group, fchown(descriptor, uid_t.max, group) != 0 {
        throw FileError("share", temporary)
      }
      try SharedFile.write(bytes, to: descriptor, temporary)
      guard fsync(descriptor) == 0 else { throw FileError("sync", temporary) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// The second half: its name, durably.
  public func publish() throws(FileError) {
    guard rename(temporary, path) == 0 else { throw FileError("replace", path) }
    try SharedFile.sync(directoryOf: path)
  }
}

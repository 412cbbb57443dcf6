import CSQLite

/// The kind of file system a path is on, by the magic number of `statfs(2)`.
struct FileSystemKind: Equatable {
  let magic: UInt32

  /// The name, when the kind has no reliable locks or shared memory between processes: network and
  /// user-space file systems.
  var unsupportedName: String? {
    switch magic {
    case 0x6969: "NFS"
    case 0x517B, 0xFF53_4D42, 0xFE53_4D42: "SMB"
    case 0x0102_1997: "9p"
    case 0x6573_5546: "FUSE"
    case 0x5346_414F: "AFS"
    case 0x00C3_6400: "Ceph"
    case 0x7375_7245: "Coda"
    case 0x564C: "NCP"
    default: nil
    }
  }

  /// The kind that `path` is on; `nil` when it cannot be told.
  static func of(_ path: String) -> FileSystemKind? {
    let magic = csqlite_file_system_magic(path)
    return magic < 0 ? nil : FileSystemKind(magic: UInt32(truncatingIfNeeded: magic))
  }
}

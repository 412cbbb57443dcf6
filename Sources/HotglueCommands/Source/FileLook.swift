import Glibc

/// What is asked of a file before it is given to another program.
enum FileLook {
  static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
}

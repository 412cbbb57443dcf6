import Glibc
import HotglueCore
import HotglueFiles

/// The `.gitignore` of a context's directory, which ignores all that is in it: commands and payloads do
/// not belong into a repository, and a store that `git stash` takes away would be gone under its workers.
/// The directory in the home directory has one too: many users keep their configuration in a repository.
struct IgnoreFile {
  let folder: String
  let mode: mode_t

  /// One that is there already stays as its user wrote it. It gets its name when it is whole.
  func make() throws {
    let path = Path.joined(folder, ".gitignore")
    var status = stat()
    guard lstat(path, &status) != 0 else { return }
    try SystemError.of { () throws(FileError) in
      try AtomicFile(path, isShared: mode & 0o060 != 0).replace(by: Array("*\n".utf8))
    }
  }
}

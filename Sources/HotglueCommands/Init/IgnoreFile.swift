import Glibc
import HotglueCore

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
    let draft = path + ".new"
    guard unlink(draft) == 0 || errno == ENOENT else { throw SystemError("remove", draft) }
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw SystemError("create", draft) }
    do {
      defer { close(descriptor) }
      guard fchmod(descriptor, mode) == 0 else { throw SystemError("set the mode of", draft) }
      guard write(descriptor, "*\n", 2) == 2 else { throw SystemError("write", draft) }
      guard fsync(descriptor) == 0 else { throw SystemError("sync", draft) }
    }
    guard rename(draft, path) == 0 else { throw SystemError("create", path) }
  }
}

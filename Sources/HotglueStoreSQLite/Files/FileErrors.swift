import Glibc
import HotglueStore

extension StoreError {
  /// What a failed system call on `path` means for a store.
  init(errno code: Int32, path: String) {
    switch code {
    case ENOENT: self = .missing(path: path)
    case EEXIST: self = .alreadyExists(path: path)
    case ENOSPC, EDQUOT, EFBIG: self = .diskFull(path: path)
    case EROFS: self = .readOnly(path: path)
    case EACCES, EPERM:
      self = .notPermitted(path: path, reason: String(cString: strerror(code)), remedy: nil)
    case EILSEQ: self = .pathNotUTF8(path: path)
    default: self = .inputOutput(path: path, detail: String(cString: strerror(code)))
    }
  }
}

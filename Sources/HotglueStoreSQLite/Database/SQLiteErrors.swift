import CSQLite
import HotglueCore
import HotglueStore

extension StoreError {
  /// What an extended result code of SQLite means for a store.
  init(code: Int32, message: String, path: String) {
    switch code & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED:
      self = .busy(
        holder: nil, waited: Span(milliseconds: Int64(Connection.busyMilliseconds)))
    case SQLITE_READONLY: self = .readOnly(path: path)
    case SQLITE_FULL: self = .diskFull(path: path)
    case SQLITE_NOMEM: self = .outOfMemory(path: path)
    case SQLITE_NOTADB: self = .notAStore(path: path)
    case SQLITE_CORRUPT: self = .corrupt(path: path, detail: message)
    case SQLITE_IOERR:
      // What a full disk or a file-size limit does to the log's shared memory.
      self =
        code == ioErrorSharedMemorySize
        ? .diskFull(path: path) : .inputOutput(path: path, detail: message)
    case SQLITE_CANTOPEN: self = .inputOutput(path: path, detail: message)
    case SQLITE_PERM, SQLITE_AUTH:
      self = .notPermitted(path: path, reason: message, remedy: nil)
    default: self = .unexpected(message)
    }
  }
}

/// `SQLITE_IOERR_SHMSIZE`, a macro that Swift does not import.
private let ioErrorSharedMemorySize: Int32 = 10 | (19 << 8)

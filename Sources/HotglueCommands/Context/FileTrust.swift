import Glibc
import HotglueCore
import HotglueFiles

/// Whether a file or folder may be believed: what it says makes a worker run commands, so nobody
/// else may be able to write it.
enum FileTrust: Equatable {
  case trusted
  /// Fine only where the store is shared by exactly this group.
  case ifSharedBy(group: UInt32)
  case refused(reason: String, remedy: Hint)

  /// Judges a file by its owner and mode.
  static func of(_ status: stat, path: String, user: UInt32) -> FileTrust {
    let mode = status.st_mode & 0o7777
    if mode & 0o002 != 0 {
      return .refused(
        reason: "may be written by every user", remedy: "chmod go-w \(Shell.quoted(path))")
    }
    if mode & 0o020 != 0 { return .ifSharedBy(group: status.st_gid) }
    if status.st_uid == user || status.st_uid == 0 { return .trusted }
    return .refused(reason: "belongs to another user", remedy: remedy(forOwner: user, path))
  }

  private static func remedy(forOwner user: UInt32, _ path: String) -> Hint {
    "make a context of your own with 'hotglue init', or as an administrator: "
      + "chown \(user) \(Shell.quoted(path))"
  }

  /// Why a file that is fine in a shared store only is refused in another one.
  static func refusal(of facts: FileFacts, path: String, user: UInt32) -> CommandError {
    let isMine = facts.owner == user || facts.owner == 0
    return CommandError.notPermitted(
      path, isMine ? "may be written by its group" : "belongs to another user",
      remedy: isMine ? "chmod go-w \(Shell.quoted(path))" : remedy(forOwner: user, path))
  }
}

extension CommandError {
  static func notPermitted(_ path: String, _ reason: String, remedy: Hint) -> CommandError {
    CommandError(
      "not_permitted", .notPermitted, "'\(path)' \(reason)", hint: remedy,
      facts: [JSON.Member("path", .string(path))])
  }
}

import Glibc
import HotglueStore

/// Whether a store's files are what a store needs: a store holds commands that a worker will run, so
/// nobody else may write to it.
enum StoreTrust {
  /// What `stat` says about the owner and mode of one file or folder.
  struct Facts: Equatable {
    var owner: UInt32
    var group: UInt32
    var mode: UInt32
    var isFolder: Bool
  }

  static func facts(of path: String) throws(StoreError) -> Facts {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw StoreError(errno: errno, path: path) }
    return Facts(
      owner: status.st_uid, group: status.st_gid, mode: status.st_mode & 0o7777,
      isFolder: status.st_mode & S_IFMT == S_IFDIR)
  }

  /// A private store: mine, and writable by nobody else.
  static func isPrivate(_ facts: Facts) -> Bool {
    facts.owner == geteuid() && facts.mode & 0o022 == 0
  }

  /// Why `path` cannot be trusted as part of a private store (`sharedBy` is `nil`) or of a store that
  /// a group shares; `nil` when it can.
  static func refusal(of path: String, _ facts: Facts, sharedBy group: UInt32?) -> StoreError? {
    if let group {
      if facts.mode & 0o002 != 0 {
        return .notPermitted(
          path: path, reason: "others may write to it", remedy: "chmod o-w '\(path)'")
      }
      if facts.group != group {
        return .notPermitted(
          path: path, reason: "it does not belong to the group that shares the store",
          remedy: "chgrp \(group) '\(path)'")
      }
      return nil
    }
    if facts.owner != geteuid() {
      return .notPermitted(
        path: path, reason: "it belongs to user \(UserNames.user(facts.owner))", remedy: nil)
    }
    if facts.mode & 0o022 != 0 {
      return .notPermitted(
        path: path, reason: "group or others may write to it", remedy: "chmod go-w '\(path)'")
    }
    return nil
  }

  /// Before the store is opened: only one that a group shares may be readable and writable by a group,
  /// and whether it is one stands in the store itself. `parent` is the folder it lies in.
  static func refusal(of path: String, _ facts: Facts, in parent: Facts) -> StoreError? {
    guard facts.mode & 0o060 != 0o060, let refusal = refusal(of: path, facts, sharedBy: nil) else {
      return nil
    }
    // That of a shared store looks like this, and its file has lost what the group needs.
    guard parent.mode & 0o2060 == 0o2060, parent.group == facts.group else { return refusal }
    return .notPermitted(
      path: path, reason: "the group that shares it may not read and write it",
      remedy: "chmod g+rw '\(path)'")
  }

  /// Which file of a store that SQLite cannot open this user may not read and write; `nil` when it is
  /// none of them. SQLite tells it like any other file that cannot be opened.
  static func denial(of paths: StorePaths) -> StoreError? {
    for path in [paths.database, paths.log, paths.sharedMemory]
    where access(path, R_OK | W_OK) != 0 && errno == EACCES {
      let reason = String(cString: strerror(EACCES))
      var status = stat()
      let isMine = lstat(path, &status) == 0 && status.st_uid == geteuid()
      return .notPermitted(
        path: path, reason: reason, remedy: isMine ? "chmod u+rw '\(path)'" : nil)
    }
    return nil
  }
}

/// Names of users and groups from the system's files; a fully static program cannot ask the name
/// service.
enum UserNames {
  static func user(_ id: UInt32) -> String {
    name(of: id, in: "/etc/passwd") ?? String(id)
  }

  /// The number of a group, given by name or number.
  static func group(_ name: String) -> UInt32? {
    if let number = UInt32(name) { return number }
    return entries(of: "/etc/group").first { $0.name == name }?.id
  }

  private static func name(of id: UInt32, in path: String) -> String? {
    entries(of: path).first { $0.id == id }?.name
  }

  private static func entries(of path: String) -> [(name: String, id: UInt32)] {
    (SmallFile.text(path, limit: 16 << 20) ?? "").split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 3, let id = UInt32(fields[2]) else { return nil }
      return (String(fields[0]), id)
    }
  }
}

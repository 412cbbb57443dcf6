import CSQLite
import Glibc
import HotglueFiles
import HotglueStore

/// Whether a store's files are what a store needs, judged before SQLite opens one of them: a store holds
/// commands that a worker will run, so no other user may write to it.
///
/// The owner and the mode of a file are asked of the file system alone. A store says of itself which group
/// shares it; that is compared when it is open, and never decides who may write.
struct StoreTrust {
  let file: FileFacts
  private let paths: StorePaths
  private let circle: AccessCircle

  /// Judges the database, the files beside it that SQLite would open, `STORE.d` and the directories that
  /// lead to them.
  init(judging paths: StorePaths) throws(StoreError) {
    self.paths = paths
    file = try Self.facts(of: paths.database)
    guard file.kind == .file else { throw StoreError.notAStore(path: paths.database) }
    let parent = try Self.facts(of: paths.parent)
    circle = Self.circle(of: file)
    // A file that all may write was not made for a group, unless its directory was.
    let isForGroup = parent.mode & 0o2020 == 0o2020 && parent.group == file.group
    let judge =
      file.isOpenToAll && !isForGroup
      ? AccessCircle(user: circle.user, owner: circle.owner, group: nil) : circle
    if let refusal = judge.refusal(of: paths.database, file) {
      let closed =
        circle.group == nil ? Self.closedToItsGroup(paths.database, file, in: parent) : nil
      throw closed ?? StoreError(refusal)
    }
    try judgeFilesBeside()
    try judgeFolder()
    if let refusal = try Self.refusal(of: circle, ofPathTo: paths.database) { throw refusal }
  }

  /// Who may write the store, as its file says. root may use what it has been told to use, whoever owns
  /// it; any other user can open the private file of nobody else.
  static func circle(of file: FileFacts) -> AccessCircle {
    let user = geteuid()
    let isShared = file.mode & 0o060 == 0o060
    return AccessCircle(
      user: user, owner: user == 0 || isShared ? file.owner : user,
      group: isShared ? file.group : nil)
  }

  /// Lets SQLite open the files that were found good, and none of another user.
  func admit() {
    csqlite_admit(circle.owner, circle.group ?? UInt32.max)
  }

  /// What the store says of its group must be what its file shows.
  func confirm(_ meta: StoreMeta) throws(StoreError) {
    let told = AccessCircle(user: circle.user, owner: circle.owner, group: meta.groupID)
    guard let refusal = told.refusal(of: paths.database, file) else { return }
    throw StoreError(refusal)
  }

  /// Refuses a log or shared memory of another user, and any journal.
  private func judgeFilesBeside() throws(StoreError) {
    for path in [paths.log, paths.sharedMemory] {
      guard let facts = try Self.factsIfThere(of: path) else { continue }
      guard facts.kind == .file else {
        throw StoreError.notPermitted(path: path, reason: "it is no regular file", remedy: nil)
      }
      if let refusal = circle.refusal(of: path, facts) { throw StoreError(refusal) }
    }
    if try Self.factsIfThere(of: paths.journal) != nil { throw Self.journalRefusal(paths) }
  }

  /// A store has a log, and never a journal.
  static func journalRefusal(_ paths: StorePaths) -> StoreError {
    let away = StoreError.quoted(paths.journal + ".away")
    return .notPermitted(
      path: paths.journal, reason: "it is no part of a store, and SQLite would play it back",
      remedy: "mv \(StoreError.quoted(paths.journal)) \(away)")
  }

  /// `STORE.d`, if it is there.
  private func judgeFolder() throws(StoreError) {
    guard let facts = try Self.factsIfThere(of: paths.folder) else { return }
    guard facts.isDirectory else {
      throw StoreError.inputOutput(path: paths.folder, detail: "it is not a folder")
    }
    if let refusal = circle.refusal(of: paths.folder, facts) { throw StoreError(refusal) }
  }

  /// Why a store cannot be made in the directory of `path`; `group` is to share it.
  static func judge(directoryOf path: String, group: UInt32?) throws(StoreError) {
    let user = geteuid()
    let circle = AccessCircle(user: user, owner: user, group: group)
    if let refusal = try refusal(of: circle, ofPathTo: path) { throw refusal }
  }

  /// The group that shares the directory of a store that is gone.
  static func group(sharing paths: StorePaths) throws(StoreError) -> UInt32? {
    let parent = try facts(of: paths.parent)
    return parent.mode & 0o2020 == 0o2020 ? parent.group : nil
  }

  private static func refusal(
    of circle: AccessCircle, ofPathTo path: String
  ) throws(StoreError) -> StoreError? {
    do throws(FileError) {
      return try circle.refusal(ofPathTo: path).map { StoreError($0) }
    } catch {
      throw StoreError(error)
    }
  }

  static func facts(of path: String) throws(StoreError) -> FileFacts {
    do throws(FileError) { return try FileFacts(of: path) } catch { throw StoreError(error) }
  }

  static func factsIfThere(of path: String) throws(StoreError) -> FileFacts? {
    do throws(FileError) { return try FileFacts(of: path) } catch {
      if error.code == ENOENT { return nil }
      throw StoreError(error)
    }
  }

  /// A store that a group shares lies in a directory with the group's mode; when the file has lost what
  /// the group needs, that is said.
  static func closedToItsGroup(
    _ path: String, _ facts: FileFacts, in parent: FileFacts
  ) -> StoreError? {
    guard parent.mode & 0o2060 == 0o2060, parent.group == facts.group else { return nil }
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

extension StoreError {
  init(_ refusal: AccessCircle.Refusal) {
    self = .notPermitted(path: refusal.path, reason: refusal.reason, remedy: refusal.remedy)
  }

  init(_ error: FileError) { self.init(errno: error.code, path: error.path) }

  static func quoted(_ path: String) -> String {
    "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
      + "'"
  }
}

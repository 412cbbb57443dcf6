import CSQLite
import Glibc
import HotglueFiles
public import HotglueStore

extension SQLiteStore {
  /// Looks at the store at `path` as it is: everything that `open` would refuse is collected, and what
  /// can be read is opened for reading only. Neither the gate nor a write lock is taken, no schema is
  /// changed and no file made, but for the shared memory that SQLite itself needs to read a log.
  public static func examine(at path: String) -> StoreExamination {
    let paths: StorePaths
    do throws(StoreError) {
      paths = try StorePaths(existing: path)
    } catch {
      return StoreExamination(path: path, problems: [error])
    }
    var found = StoreExamination(path: paths.database)
    do throws(StoreError) {
      if let kind = FileSystemKind.of(paths.database)?.unsupportedName {
        found.problems.append(.unsupportedFileSystem(path: paths.database, kind: kind))
      }
      let file = try StoreTrust.facts(of: paths.database)
      guard file.kind == .file else { throw .notAStore(path: paths.database) }
      // What others have put beside it is not opened.
      found.problems += try distrust(paths, file)
      if try isOfOthers(paths, file) { return found }
      // Every write takes the gate first.
      let written = [paths.database, paths.folder] + paths.gates
      if let path = written.first(where: { access($0, W_OK) != 0 && errno != ENOENT }) {
        found.problems.append(.readOnly(path: path))
      }
      // A mode that commands refuse keeps nobody from looking.
      csqlite_admit(file.owner, file.group)
      let connection = try Connection(path: paths.database, access: .readOnly)
      try requireSchema(of: connection)
      let meta = try StoreMeta(of: connection)
      let problems = try distrust(of: meta, paths, file)
      found.problems += problems.filter { !found.problems.contains($0) }
      found.store = SQLiteStore(paths: paths, connection: connection, meta: meta)
    } catch {
      found.problems.append(error)
    }
    return found
  }

  /// Whether SQLite would read what another user, or another program, has put beside the store.
  private static func isOfOthers(
    _ paths: StorePaths, _ file: FileFacts
  ) throws(StoreError) -> Bool {
    if try StoreTrust.factsIfThere(of: paths.journal) != nil { return true }
    let circle = StoreTrust.circle(of: file)
    for path in [paths.log, paths.sharedMemory] {
      guard let facts = try StoreTrust.factsIfThere(of: path) else { continue }
      let owners = [circle.user, circle.owner, 0]
      if facts.kind != .file || circle.group == nil && !owners.contains(facts.owner) { return true }
    }
    return false
  }

  /// Every file of the store that others own or may write, and every directory in which they may replace
  /// it.
  private static func distrust(
    _ paths: StorePaths, _ file: FileFacts
  ) throws(StoreError) -> [StoreError] {
    let circle = StoreTrust.circle(of: file)
    var names = [paths.database, paths.folder, paths.log, paths.sharedMemory]
    names += StorePaths.subfolders.map { "\(paths.folder)/\($0)" }
    names += paths.gates + ["\(paths.folder)/effects"]
    var found: [StoreError] = []
    for name in names {
      // A file that is made when it is needed.
      guard let facts = try StoreTrust.factsIfThere(of: name) else { continue }
      if let refusal = circle.refusal(of: name, facts) { found.append(StoreError(refusal)) }
    }
    if try StoreTrust.factsIfThere(of: paths.journal) != nil {
      found.append(StoreTrust.journalRefusal(paths))
    }
    do throws(FileError) {
      if let refusal = try circle.refusal(ofPathTo: paths.database) {
        found.append(StoreError(refusal))
      }
    } catch {
      throw StoreError(error)
    }
    return found
  }

  /// What the store says of its group and of its file, and what these are.
  private static func distrust(
    of meta: StoreMeta, _ paths: StorePaths, _ file: FileFacts
  ) throws(StoreError) -> [StoreError] {
    var found: [StoreError] = []
    let told = AccessCircle(
      user: geteuid(), owner: StoreTrust.circle(of: file).owner, group: meta.groupID)
    if let refusal = told.refusal(of: paths.database, file) { found.append(StoreError(refusal)) }
    if try meta.fingerprint != fingerprint(of: paths.database) {
      found.append(.copied(path: paths.database))
    }
    return found
  }
}

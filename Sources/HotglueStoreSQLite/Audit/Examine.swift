import CSQLite
import Glibc
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
      guard try !StoreTrust.facts(of: paths.database).isFolder else {
        throw .notAStore(path: paths.database)
      }
      // Every write takes the gate first.
      let gates = ["a", "b"].map { "\(paths.folder)/gate.\($0)" }
      let written = [paths.database, paths.folder] + gates
      if let path = written.first(where: { access($0, W_OK) != 0 && errno != ENOENT }) {
        found.problems.append(.readOnly(path: path))
      }
      let connection = try Connection(path: paths.database, access: .readOnly)
      try requireSchema(of: connection)
      let meta = try StoreMeta(of: connection)
      found.problems += try distrust(paths, meta)
      found.store = SQLiteStore(paths: paths, connection: connection, meta: meta)
    } catch {
      found.problems.append(error)
    }
    return found
  }

  /// Every file of the store that others own or may write.
  private static func distrust(
    _ paths: StorePaths, _ meta: StoreMeta
  ) throws(StoreError) -> [StoreError] {
    var names = [paths.database, paths.folder, paths.log, paths.sharedMemory]
    names += StorePaths.subfolders.map { "\(paths.folder)/\($0)" }
    names += ["gate.a", "gate.b", "effects"].map { "\(paths.folder)/\($0)" }
    var found: [StoreError] = []
    for name in names {
      let facts: StoreTrust.Facts
      do throws(StoreError) {
        facts = try StoreTrust.facts(of: name)
      } catch {
        // A file that is made when it is needed.
        if case .missing = error { continue }
        throw error
      }
      if let refusal = StoreTrust.refusal(of: name, facts, sharedBy: meta.groupID) {
        found.append(refusal)
      }
    }
    return found
  }
}

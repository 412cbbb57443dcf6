import CSQLite
import Glibc
import HotglueCore
public import HotglueStore

extension SQLiteStore: MaintenanceStore {
  public func info() throws(StoreError) -> StoreInfo {
    try read { () throws(StoreError) in
      let meta = try StoreMeta(of: connection)
      let version = Int(try connection.first(OpenSQL.userVersion, [], { $0.integer(0) }) ?? 0)
      let all = try workspaces()
      var counts: [JobState: Int] = [:]
      for workspace in all {
        counts.merge(try jobsByState(in: workspace.id), uniquingKeysWith: +)
      }
      return StoreInfo(
        path: path, folder: folder, storeID: meta.storeID, incarnation: meta.incarnation,
        schemaVersion: version, group: meta.group, sizeBytes: Self.length(of: paths.database),
        logBytes: Self.length(of: paths.log), createdAt: meta.createdAt,
        sqliteVersion: String(cString: sqlite3_libversion()),
        gateProtects: SQLiteVersion.hasResetDefect(sqlite3_libversion_number()),
        jobsByState: counts, workspaces: all.count)
    }
  }

  private static func length(of path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }
}

/// What is known of SQLite's own versions.
enum SQLiteVersion {
  /// Whether this version can lose commits when a checkpoint meets a writer that restarts the log:
  /// 3.7.0 to 3.51.2, but for the branches that were mended (3.50.7 and 3.44.6).
  static func hasResetDefect(_ number: Int32) -> Bool {
    switch number {
    case 3_044_006..<3_045_000, 3_050_007..<3_051_000: false
    default: (3_007_000...3_051_002).contains(number)
    }
  }
}

import HotglueStore

/// One step from a schema to the next. Released steps never change; new ones are appended to `all`.
struct Migration {
  /// The schema version (`user_version`) that the step leads to.
  let version: Int
  let script: String

  static let all: [Migration] = [
    .initial, .types, .effects, .queueLimits, .effectsOfJobs, .members, .drafts, .syncs, .begun,
    .boundaries, .targets,
  ]

  /// The schema this program writes.
  static var current: Int { all.count }

  /// Brings the schema up to date. Runs inside the caller's transaction, under the gate: a crash
  /// leaves the earlier schema whole.
  static func run(on connection: Connection, from version: Int) throws(StoreError) {
    for step in all where step.version > version {
      try connection.execute(step.script)
      try connection.execute("PRAGMA user_version = \(step.version)")
    }
  }
}

/// `HtGl`: how `file` and other programs tell a hotglue store from other SQLite files.
let storeApplicationID: Int64 = 0x4874_476C

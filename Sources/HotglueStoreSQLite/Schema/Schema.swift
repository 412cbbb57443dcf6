import HotglueStore

/// The tables of a store, one text for each family.
///
/// There is one schema. Once CHANGELOG.md has a dated heading its schema is released and never changes
/// again; the next one then comes with a step that leads to it, inside a transaction, and with a test
/// that opens a store of the released one.
enum Schema {
  /// The schema that this program writes and reads (`user_version`).
  static let version = 1

  /// Creates all tables in an empty database, inside the caller's transaction.
  static func create(on connection: Connection) throws(StoreError) {
    for script in [workspaces, automations, jobs, effects, syncs] { try connection.execute(script) }
    try connection.execute("PRAGMA user_version = \(version)")
  }
}

/// `HtGl`: how `file` and other programs tell a hotglue store from other SQLite files.
let storeApplicationID: Int64 = 0x4874_476C

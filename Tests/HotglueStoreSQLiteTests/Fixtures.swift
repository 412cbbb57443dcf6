import HotglueCore
import HotglueStore
import HotglueStoreSQLite
import StoreConformance
import TestSupport

/// A store in a folder of its own, and what the conformance rules need of it.
struct SQLiteFixture {
  let folder: TemporaryFolder
  let path: String
  let store: SQLiteStore

  static let start = Timestamp(milliseconds: 1_770_000_000_000)

  init() throws {
    folder = try TemporaryFolder("hotglue-store")
    path = folder.file("store.db")
    store = try SQLiteStore.create(at: path, now: Self.start)
  }

  func conformance() throws -> StoreFixture {
    let path = path
    return try StoreFixture(store: store, openAgain: { try SQLiteStore.open(at: path) })
  }
}

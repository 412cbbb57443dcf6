import Foundation
import Testing

@testable import HotglueStoreSQLite

extension World {
  /// Puts a store in the place of the world's as the first released program would have left it, with
  /// the workspace `main` and a job; returns the job's ID.
  func becomeSchema1() throws -> String {
    let data = try Data(contentsOf: folder.appendingPathComponent(".hotglue/context.json"))
    let context = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let id = try #require(context?["store_id"] as? String)
    let path = folder.path + "/" + Self.database
    for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    try StoreFiles(group: nil).makeNewFile(path)
    let old = try Connection(path: path)
    try old.execute(
      """
      PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
      PRAGMA application_id = \(storeApplicationID); BEGIN;
      \(Migration.initial.script)
      PRAGMA user_version = 1;
      INSERT INTO store_meta VALUES ('store_id', '\(id)'), ('incarnation', '1'), ('created_at', '1');
      INSERT INTO workspace (id, name, created_at) VALUES ('main', 'Main', 1);
      INSERT INTO job (workspace, type, queue, rank, state, run_at, created_at, created_by, command,
        directory) VALUES ('main', 'exec', 'default', 0, 'pending', 1, 1, 'alice',
        '["sh","-c","echo x >>runs"]', '\(folder.path)');
      COMMIT;
      """)
    return "1"
  }
}

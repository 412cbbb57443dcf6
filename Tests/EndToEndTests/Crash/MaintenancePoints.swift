import Foundation
import Testing

extension World {
  /// Three jobs that ended, with logs, and one that waits.
  fileprivate func filled() throws {
    for _ in 1...3 { try enqueue("echo said") }
    try succeed(["job", "work", "-w", "main", "--drain"])
    // A restore would doubt a job that is not safe to run twice.
    try enqueue("echo x >>runs", ["--delay", "1h", "--replay", "safe"])
  }

  fileprivate func logs() throws -> Int {
    try FileManager.default.subpathsOfDirectory(atPath: storeFolder + "/logs")
      .count { $0.hasSuffix(".log") }
  }

  fileprivate func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.path + "/" + name)
  }

  /// Killed while it prunes: a job is gone with all its rows or not at all; the next prune does the rest.
  fileprivate func expectPruned(at point: Injection, jobs: Set<Int>, logs left: Int) throws {
    try filled()
    let prune = ["store", "prune", "--older-than", "1ms", "--yes"]
    try killed(prune, at: point)
    #expect(jobs.contains(try self.jobs().count))
    let seen = try diagnosis()
    #expect(seen.findings == [])
    #expect(try logs() == left)
    #expect(seen.notes.contains("log_left") == (try self.jobs().count == 1))
    try succeed(prune)
    #expect(try self.jobs().count == 1)
    #expect(try logs() == 0)
    #expect(try diagnosis().notes == [])
  }

  /// Killed while it backs up: the store is untouched, and a backup is whole or not there.
  fileprivate func expectBackedUp(at point: Injection, isThere: Bool) throws {
    try filled()
    try killed(["store", "backup", "kept.db"], at: point)
    #expect(exists("kept.db") == isThere)
    #expect(try findings() == [])
    if !isThere { try succeed(["store", "backup", "kept.db"]) }
    try succeed(["store", "restore", "kept.db", "--yes"])
    #expect(try stateCounts() == ["succeeded": 3, "pending": 1])
    #expect(try findings() == [])
  }

  /// Killed while it restores: the store is the one before or the one after, whole; and again it is done.
  fileprivate func expectRestored(at point: Injection, isDone: Bool? = nil) throws {
    try filled()
    try succeed(["store", "backup", "kept.db"])
    let later = try enqueue("true")
    try killed(["store", "restore", "kept.db", "--yes"], at: point)
    let count = try jobs().count
    #expect(isDone.map { count == ($0 ? 4 : 5) } ?? [4, 5].contains(count))
    #expect(try findings() == [])
    #expect(try diagnosis().notes.contains("draft_left"), "the copy is named")
    try succeed(["store", "restore", "kept.db", "--yes"])
    #expect(try !diagnosis().notes.contains("draft_left"), "the next restore removes it")
    #expect(try stateCounts() == ["succeeded": 3, "pending": 1])
    let next = try #require(Int(try enqueue("true")))
    #expect(next > (Int(later) ?? 0), "no ID is given twice")
    #expect(try findings() == [])
  }
}

extension CrashPoint {
  static let maintenance = [
    CrashPoint("prune-writing") { world in
      try world.expectPruned(at: .logWrite(1), jobs: [4], logs: 3)
    },
    CrashPoint("prune-before-sync") { world in
      try world.expectPruned(at: .logSync(1), jobs: [1, 4], logs: 3)
    },
    CrashPoint("prune-before-logs") { world in
      try world.expectPruned(at: Injection(call: "unlink", number: 3), jobs: [1], logs: 2)
    },
    CrashPoint("backup-writing") { world in
      try world.expectBackedUp(at: Injection(call: "pwrite64", number: 20), isThere: false)
    },
    CrashPoint("backup-before-name") { world in
      try world.expectBackedUp(at: Injection(call: "link", number: 1), isThere: false)
    },
    CrashPoint("backup-named") { world in
      // The file is durable and has its name; the folder that names it is not synced yet.
      try world.expectBackedUp(at: Injection(call: "fsync", number: 2), isThere: true)
    },
    CrashPoint("restore-preparing") { world in
      // The copy is half written in a file of its own; nothing of the store is touched yet.
      try world.expectRestored(at: Injection(call: "pwrite64", number: 40), isDone: false)
    },
    CrashPoint("restore-writing") { world in
      try world.expectRestored(at: .logWrite(6), isDone: false)
    },
    CrashPoint("restore-before-sync") { world in
      try world.expectRestored(at: .logSync(1))
    },
    CrashPoint("restore-checkpoint") { world in
      try world.expectRestored(
        at: Injection(call: "pwrite64", number: 3, path: World.database), isDone: true)
    },
    CrashPoint("restore-new-before-name") { world in
      try world.filled()
      try world.succeed(["store", "backup", "kept.db"])
      for name in [".hotglue/store.db", ".hotglue/store.db-wal", ".hotglue/store.db-shm"] {
        try FileManager.default.removeItem(atPath: world.folder.path + "/" + name)
      }
      try FileManager.default.removeItem(atPath: world.storeFolder)
      #expect(try world.findings() == ["store_missing"])
      let restore = ["store", "restore", "kept.db", "--yes"]
      try world.killed(restore, at: Injection(call: "link", number: 1))
      #expect(try world.findings() == ["store_missing"])
      try world.succeed(restore)
      #expect(try world.stateCounts() == ["succeeded": 3, "pending": 1])
      #expect(try world.findings() == [])
    },
  ]
}

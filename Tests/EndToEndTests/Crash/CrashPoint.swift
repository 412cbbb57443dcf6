import Testing

/// A row of the table in hotglue-crash(7): a step at which a process dies, and what is true then.
/// `RepositoryTests` compares the names with the page.
struct CrashPoint: Sendable, CustomTestStringConvertible {
  let name: String
  /// Brings a process to the point, kills it there, and goes on.
  let check: @Sendable (World) throws -> Void

  init(_ name: String, _ check: @escaping @Sendable (World) throws -> Void) {
    self.name = name
    self.check = check
  }

  var testDescription: String { name }
}

/// What is true wherever a process dies: each row kills at its point, goes on with the next command
/// or worker, and lets the doctor check every invariant.
@Suite(.serialized)
struct CrashMatrixTests {
  @Test("killed while a job is stored", arguments: CrashPoint.enqueue)
  func enqueue(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while the log goes into the store", arguments: CrashPoint.checkpoint)
  func checkpoint(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed between a claim and the handler's start", arguments: CrashPoint.claim)
  func claim(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while an attempt runs", arguments: CrashPoint.running)
  func running(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed between a handler's end and its record", arguments: CrashPoint.ending)
  func ending(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while an attempt changes hands", arguments: CrashPoint.takeover)
  func takeover(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while a context is made or switched", arguments: CrashPoint.context)
  func context(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while the store is looked after", arguments: CrashPoint.maintenance)
  func maintenance(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while a handler is fed many jobs", arguments: CrashPoint.streams)
  func streams(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while drafts are kept, moved and submitted", arguments: CrashPoint.drafts)
  func drafts(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while types are set from a file", arguments: CrashPoint.types)
  func types(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while a source is synced", arguments: CrashPoint.syncs)
  func syncs(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while occurrences are decided", arguments: CrashPoint.ticks)
  func ticks(_ point: CrashPoint) throws { try point.check(World()) }

  @Test("killed while an effect is carried out", arguments: CrashPoint.effects)
  func effects(_ point: CrashPoint) throws { try point.check(World()) }
}

import Foundation
import Testing

/// The machine is another one than the attempt began on: another boot, a copy, an earlier state,
/// another container, another time.
@Suite(.serialized)
struct MachineTests {
  @Test("what was recorded under another boot is dead at once, and is unknown")
  func anotherBoot() throws {
    let world = try World()
    let (id, worker, supervisor) = try world.waitingAttempt()
    // A power cut: everything is gone at once, and nothing said how it ended.
    World.end(worker)
    kill(supervisor, SIGKILL)
    try world.eventually("the supervisor is dead") { !World.isAlive(supervisor) }
    try Data("11111111-2222-3333-4444-555555555555\n".utf8)
      .write(to: world.folder.appendingPathComponent("boot"))
    let later = { (words: String) in
      try world.command(
        World.unshare,
        World.asRoot + [
          "--mount", "/bin/sh", "-ec",
          "mount --bind boot /proc/sys/kernel/random/boot_id; exec hotglue \(words)",
        ])
    }
    let seen = try later("doctor -q")
    #expect(seen.status == 1 && seen.output == "attempt_dead\n", "\(seen)")
    let reclaimed = try later("job reclaim -w main")
    #expect(reclaimed.status == 0, "\(reclaimed)")
    try world.expectUncertain(id)
    #expect(world.lineCount("ends") == 0)
    #expect(try later("doctor -q").status == 0)
  }

  @Test("that a handler was not started is not believed after another boot: it is unknown")
  func neverStartedUnderAnotherBoot() throws {
    let world = try World()
    let id = try world.enqueue("echo x >>runs")
    try world.killed(["job", "work", "-w", "main", "--once"], at: .committed(2))
    try Data("11111111-2222-3333-4444-555555555555\n".utf8)
      .write(to: world.folder.appendingPathComponent("boot"))
    let later = try world.command(
      World.unshare,
      World.asRoot + [
        "--mount", "/bin/sh", "-ec",
        "mount --bind boot /proc/sys/kernel/random/boot_id; exec hotglue job reclaim -w main",
      ])
    #expect(later.status == 0, "\(later)")
    try world.expectUncertain(id)
    #expect(world.lineCount("runs") == 0)
  }

  @Test("the reclaim of a copied store does not touch the processes of the original")
  func copiedStore() throws {
    let world = try World()
    let (id, worker, supervisor) = try world.waitingAttempt(["--stop", "KILL"])
    // The original's worker dies, so that the copy finds an attempt that nobody minds.
    World.end(worker)
    try FileManager.default.createDirectory(
      atPath: world.folder.path + "/copy", withIntermediateDirectories: true)
    _ = try world.command("/bin/cp", ["-a", ".hotglue", "copy/.hotglue"])
    _ = try world.command("/bin/cp", ["-a", "copy", "other"])
    for place in ["copy", "other"] { try world.succeed(["context", "trust", place]) }
    // A worker of a copy and a person's cancel there do no more than a reclaim.
    let other = ["--context", "other/.hotglue/context.json"]
    #expect(try world.run(other + ["job", "cancel", id, "-w", "main"]).status == 81)
    try world.succeed(other + ["job", "work", "-w", "main", "--drain"])
    #expect(
      try world.succeed(other + ["job", "list", "-w", "main", "--state", "uncertain", "-q"]) == id)
    let context = "copy/.hotglue/context.json"
    #expect(try world.run(["--context", context, "doctor", "-q"]).output == "store_copied\n")
    let reclaimed = try world.run(["--context", context, "job", "reclaim", "-w", "main", "--stop"])
    #expect(reclaimed.status == 0 && reclaimed.output.contains("uncertain"), "\(reclaimed)")
    #expect(try world.run(["--context", context, "doctor", "-q"]).status == 0)
    #expect(World.isAlive(supervisor), "the original's supervisor lives")
    #expect(try world.state(id) == "running")
    try world.letGo()
    try world.eventually("the original records its end") { try world.state(id) == "succeeded" }
    try world.goOn()
    try world.expectRunOnce(id)
  }

  @Test("after a restore fences and IDs are others, a job keeps its key, and what ran is unknown")
  func restoredBackup() throws {
    let world = try World()
    let (id, worker, _) = try world.waitingAttempt()
    let seen = try world.enqueue(
      "echo $HOTGLUE_KEY $HOTGLUE_FENCE >>keys", ["--replay", "safe"])
    try world.succeed(["store", "backup", "kept.db"])
    // What runs is known to this store alone, and it runs until it is let go.
    let early = try world.run(["store", "restore", "kept.db", "--yes"])
    #expect(early.status == 81, "\(early.errorOutput)")
    #expect(early.errorOutput.contains("an attempt of job \(id) has not ended"))
    #expect(try world.state(id) == "running")
    try world.letGo()
    try world.eventually("both end") {
      try world.state(seen) == "succeeded" && world.state(id) == "succeeded"
    }
    World.end(worker, SIGTERM)
    try world.succeed(["store", "restore", "kept.db", "--yes"])
    #expect(try world.state(id) == "uncertain")
    #expect(try world.state(seen) == "pending")
    #expect(try world.diagnosis().findings == [])
    try world.goOn()
    let keys = world.read("keys").split(separator: "\n").map { $0.split(separator: " ") }
    try #require(keys.count == 2)
    #expect(keys[0][0] == keys[1][0], "the other side can know the repetition")
    let fences = keys.compactMap { Int($0[1]) }
    #expect(fences[1] > fences[0] + 100_000, "fences jump ahead: \(fences)")
    let next = try #require(Int(try world.enqueue("true")))
    #expect(next > 1_000_000)
    try world.goOn()
  }

  @Test(
    "an attempt in another PID namespace is not given up while it lives, and what cannot be seen of it is told"
  )
  func twoNamespaces() throws {
    let world = try World()
    let id = try world.enqueue("echo x >>runs; while [ ! -e go ]; do sleep 0.02; done")
    let safe = try world.enqueue(
      "echo x >>safe; while [ ! -e go ]; do sleep 0.02; done",
      ["--replay", "safe", "--backoff", "fixed:10ms"])
    // A container with an init of its own, which outlives the worker.
    let container = try world.start(
      World.unshare,
      World.asRoot + [
        "--pid", "--fork", "--mount-proc", "--kill-child", "/bin/sh", "-c",
        "hotglue job work -w main --concurrency 2 & wait; exec sleep 300",
      ], input: nil, output: nil, errors: nil, extra: [:])
    try world.eventually("the handlers start") {
      world.lineCount("runs") == 1 && world.lineCount("safe") == 1
    }
    var seen = try world.diagnosis()
    #expect(seen.findings == [])
    #expect(seen.notes.contains("worker_elsewhere"))
    let workers = World.children(ofStore: world.folder.path, kind: "hotglue")
    try #require(workers.count == 1)
    kill(workers[0], SIGKILL)
    try world.eventually("the worker is gone") {
      try world.diagnosis().notes.contains("attempt_elsewhere")
    }
    seen = try world.diagnosis()
    #expect(seen.findings == [])
    try world.succeed(["job", "reclaim", "-w", "main"])
    #expect(try world.stateCounts() == ["running": 2])
    // The container ends, and with it all that is in it.
    let supervisors = World.children(ofStore: world.folder.path, kind: "hotglue-super")
    World.end(container)
    try world.eventually("nothing of it lives") {
      try world.findings() == ["attempt_dead", "attempt_dead"]
        && !supervisors.contains { World.isAlive($0) }
    }
    try world.letGo()
    try world.goOn()
    try world.expectUncertain(id)
    // What of it could not be seen may live: only what is safe to run twice is run again.
    #expect(try world.outcomes(safe) == ["unknown", "succeeded"])
    #expect(world.lineCount("safe") == 2)
    let attempts = try world.job(id)["attempts"] as? [[String: Any]]
    let warnings = attempts?.first?["warnings"] as? [String] ?? []
    #expect(warnings.contains { $0.contains("another PID namespace") }, "\(warnings)")
  }

  @Test(
    "the wall clock jumps by a day: leases, time-outs and attempts do not", arguments: [1, -1])
  func clockJumps(_ days: Int) throws {
    let world = try World()
    let clock = try FakeClock(world)
    let id = try clock.run(
      [
        "job", "enqueue", "-w", "main", "--lease", "15s", "--timeout", "1h", "--", "sh", "-c",
        "echo x >>runs; while [ ! -e go ]; do sleep 0.02; done; echo x >>ends",
      ]
    ).trimmingCharacters(in: .newlines)
    let worker = try clock.start(["job", "work", "-w", "main"])
    try world.eventually("the handler starts") { world.lineCount("runs") == 1 }
    let lease = try world.job(id)["lease_expires_at"] as? String
    try clock.set(days * FakeClock.day)
    // Another worker that sees the new time would take what it holds for over.
    let second = try clock.start(["job", "work", "-w", "main"])
    try clock.run(["job", "enqueue", "-w", "main", "--", "sh", "-c", "echo x >>marker"])
    try world.eventually("the second works") { world.lineCount("marker") == 1 }
    try world.eventually("the first renews its lease") {
      try world.job(id)["lease_expires_at"] as? String != lease
    }
    #expect(try world.isMinded(id, by: worker))
    #expect(try clock.findings() == [])
    #expect(try clock.notes().contains("clock_behind") == (days < 0))
    try world.letGo()
    try world.eventually("the job ends") { try world.state(id) == "succeeded" }
    for process in [worker, second] { World.end(process, SIGTERM) }
    try world.expectRunOnce(id)
    let history = try world.job(id)["history"] as? [[String: Any]] ?? []
    #expect(history.compactMap { $0["event"] as? String } == ["enqueue", "claim", "succeeded"])
    #expect(try clock.findings() == [])
    #expect(try world.findings() == [])
  }

  @Test("a job from before the clock was set back waits for its time, and the doctor says so")
  func clockSetBack() throws {
    let world = try World()
    let clock = try FakeClock(world)
    let id = try world.enqueue("echo x >>runs")
    try clock.set(-FakeClock.day)
    try clock.run(["job", "work", "-w", "main", "--drain"])
    #expect(try world.state(id) == "pending")
    #expect(try clock.notes().contains("clock_behind"))
    try world.goOn()
    try world.expectRunOnce(id)
  }

  @Test("without /proc no command does anything, and what runs is left alone")
  func noProc() throws {
    let world = try World()
    let (waiting, worker, supervisor) = try world.waitingAttempt(runs: 1)
    World.end(worker)
    for words in [
      "--version", "job enqueue -w main -- true", "job reclaim -w main --stop",
      "job work -w main --drain",
    ] {
      let result = try world.command(
        World.unshare,
        World.asRoot + [
          "--mount", "/bin/sh", "-ec", "mount -t tmpfs none /proc; exec hotglue \(words)",
        ])
      #expect(result.status != 0 && result.output.isEmpty, "\(words): \(result)")
    }
    #expect(World.isAlive(supervisor))
    #expect(try world.stateCounts() == ["running": 1])
    #expect(try world.state(waiting) == "running")
    try world.letGo()
    try world.goOn()
  }

  @Test("another program that has the store open for writing is named")
  func otherProgram() throws {
    let world = try World()
    let other = try world.start(
      "/usr/bin/sqlite3",
      [
        World.database, "BEGIN IMMEDIATE",
        ".shell touch open; while [ ! -e go ]; do sleep 0.02; done",
      ], input: nil, output: nil, errors: nil, extra: [:])
    try world.eventually("it has the store open") {
      FileManager.default.fileExists(atPath: world.folder.path + "/open")
    }
    let answer = try world.run(["doctor", "--json"])
    #expect(answer.status == 1)
    #expect(
      answer.output.contains("\"message\":\"sqlite3 (\(other.processIdentifier)) has the store"))
    try world.letGo()
    other.waitUntilExit()
    #expect(try world.findings() == [])
  }
}

extension World {
  fileprivate static let unshare = "/usr/bin/unshare"
  /// Who is not root needs a user namespace of their own to make the others.
  fileprivate static var asRoot: [String] {
    geteuid() == 0 ? [] : ["--user", "--map-root-user"]
  }
}

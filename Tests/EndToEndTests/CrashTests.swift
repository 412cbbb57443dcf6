import Foundation
import Testing

/// What is true after `kill -9`, shown with real processes.
@Suite(.serialized)
struct CrashTests {
  @Test("300 jobs run exactly once each while their worker is killed every second")
  func workerIsKilledEverySecond() throws {
    let world = try World()
    // Each handler leaves one line when it starts and one when it ends: O_APPEND, so whole.
    let ids = try world.enqueueLines(
      (1...300).map { number in
        let pause = Double(50 + number * 37 % 450) / 1000
        return
          "{\"command\":[\"sh\",\"-c\",\"echo \(number) >>started; sleep \(pause); echo out-\(number); echo \(number) >>ended\"]}"
      })
    #expect(ids.count == 300)
    let end = Date().addingTimeInterval(300)
    var kills = 0
    while Date() < end {
      let errors = world.folder.appendingPathComponent("errors-\(kills)")
      let worker = try world.start(
        ["job", "work", "-w", "main", "--concurrency", "4", "--drain"], errors: errors)
      let killAt = Date().addingTimeInterval(1)
      while worker.isRunning, Date() < killAt { usleep(10_000) }
      let said = world.read(errors.lastPathComponent)
      try #require(said.isEmpty, "worker \(kills): \(said)")
      if !worker.isRunning {
        #expect(worker.terminationStatus == 0)
        break
      }
      kill(worker.processIdentifier, SIGKILL)
      worker.waitUntilExit()
      kills += 1
    }
    #expect(kills >= 5)
    #expect(try world.stateCounts() == ["succeeded": 300])
    for name in ["started", "ended"] {
      let seen = world.read(name).split(separator: "\n").compactMap { Int($0) }.sorted()
      #expect(seen == Array(1...300), "each handler \(name) exactly once")
    }
    for (index, id) in ids.enumerated() {
      let job = try world.job(id)
      #expect(job["losses"] as? Int == 0)
      // A worker that dies between a claim and its order leaves an attempt that never started.
      let outcomes = (job["attempts"] as? [[String: Any]] ?? []).map { $0["outcome"] as? String }
      #expect(outcomes.filter { $0 != "never_started" } == ["succeeded"])
      if index % 30 == 0 {
        #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "out-\(index + 1)")
      }
    }
    try world.checkStore()
  }

  @Test(
    "with supervisors and handlers killed as well, safe jobs succeed, unsafe ones stay uncertain, none runs twice at once"
  )
  func everythingIsKilled() throws {
    let world = try World()
    // The handler holds a lock of its own: a second one alive at the same time says so.
    func line(_ number: Int, _ replay: String) -> String {
      let script =
        "exec 9>lock-\(number); flock -n 9 || echo \(number) >>twice; sleep 0.3; echo \(number) >>done-\(replay)"
      return
        "{\"command\":[\"bash\",\"-c\",\"\(script)\"],\"replay\":\"\(replay)\",\"max_losses\":100,\"backoff\":\"fixed:100ms\"}"
    }
    let ids = try world.enqueueLines((1...40).map { line($0, $0 % 2 == 0 ? "safe" : "unsafe") })
    var seed: UInt64 = 7
    func random(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let end = Date().addingTimeInterval(12)
    var worker = try world.start(["job", "work", "-w", "main", "--concurrency", "4"])
    let own = world.folder.path
    while Date() < end {
      usleep(UInt32(100_000 + random(200_000)))
      switch random(4) {
      case 0:
        kill(worker.processIdentifier, SIGKILL)
        worker.waitUntilExit()
        worker = try world.start(["job", "work", "-w", "main", "--concurrency", "4"])
      case 1:
        for pid in World.children(ofStore: own, kind: "hotglue-super").prefix(1) {
          kill(pid, SIGKILL)
        }
      default:
        for pid in World.handlers(in: own).prefix(1) { kill(pid, SIGKILL) }
      }
    }
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
    try world.eventually("every job has ended", within: 90) {
      _ = try world.run(["job", "work", "-w", "main", "--concurrency", "4", "--drain"])
      let counts = try world.stateCounts()
      return counts["pending"] == nil && counts["running"] == nil
    }
    #expect(world.read("twice").isEmpty, "two attempts of a job were alive at once")
    for (index, id) in ids.enumerated() {
      let state = try world.state(id)
      if index % 2 == 1 {
        #expect(state == "succeeded", "safe job \(id) is \(state)")
      } else {
        #expect(["succeeded", "uncertain"].contains(state), "unsafe job \(id) is \(state)")
      }
    }
    let uncertain = try world.jobs().filter { $0["state"] as? String == "uncertain" }
    #expect(!uncertain.isEmpty, "some unsafe attempt was killed")
    _ = try world.run(["job", "work", "-w", "main", "--drain"])
    _ = try world.run(["job", "reclaim", "-w", "main"])
    for job in uncertain {
      #expect(try world.state("\(job["id"] ?? 0)") == "uncertain", "uncertain stays uncertain")
    }
    try world.checkStore()
  }

  @Test(
    "a worker stopped past its lease loses its attempt to another, and woken again changes nothing")
  func frozenWorker() throws {
    let world = try World()
    let id = try world.enqueue(
      "echo x >>starts; while [ ! -e go ]; do sleep 0.02; done; echo done", ["--lease", "5s"])
    let heard = try NoticeListener(name: "@hotglue-\(UUID().uuidString)")
    let first = try world.start(
      ["job", "work", "-w", "main"], extra: ["NOTIFY_SOCKET": heard.name])
    try world.eventually("the handler starts") { world.lineCount("starts") == 1 }
    try world.eventually("the first minds it") { heard.count("STATUS=1 running, 0 ended") >= 1 }
    let idle = heard.count("STATUS=0 running, 0 ended")
    try world.freezeOutsideTheGate(first.processIdentifier)
    let second = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the second worker adopts") { try world.isMinded(id, by: second) }
    kill(first.processIdentifier, SIGCONT)
    try world.eventually("the first finds out") {
      heard.count("STATUS=0 running, 0 ended") > idle
    }
    #expect(try world.isMinded(id, by: second))
    try world.letGo()
    try world.eventually("the job ends") { try world.state(id) == "succeeded" }
    for worker in [first, second] {
      kill(worker.processIdentifier, SIGTERM)
      worker.waitUntilExit()
    }
    let job = try world.job(id)
    #expect(world.lineCount("starts") == 1)
    #expect(job["losses"] as? Int == 0)
    #expect((job["attempts"] as? [Any])?.count == 1)
    let events = (job["history"] as? [[String: Any]] ?? []).compactMap { $0["event"] as? String }
    #expect(events == ["enqueue", "claim", "adopt", "succeeded"])
    try world.checkStore()
  }

  @Test(
    "an attempt that is stopped as a whole is killed after its lease and one more, and is unknown")
  func frozenAttempt() throws {
    let world = try World()
    let id = try world.enqueue("echo x >>starts; sleep 600; echo y >>ends", ["--lease", "1s"])
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the handler starts") { world.lineCount("starts") == 1 }
    let own = world.folder.path
    let supervisors = World.children(ofStore: own, kind: "hotglue-super")
    let handlers = World.handlers(in: own)
    #expect(!supervisors.isEmpty && !handlers.isEmpty)
    try world.freezeOutsideTheGate(worker.processIdentifier)
    for pid in supervisors + handlers { try world.freeze(pid) }
    let second = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the job is uncertain") { try world.state(id) == "uncertain" }
    for pid in handlers { #expect(!World.isAlive(pid), "the frozen handler is gone") }
    kill(worker.processIdentifier, SIGCONT)
    usleep(500_000)
    #expect(try world.state(id) == "uncertain")
    for process in [worker, second] {
      kill(process.processIdentifier, SIGTERM)
      process.waitUntilExit()
    }
    #expect(try world.job(id)["losses"] as? Int == 1)
    #expect(world.lineCount("starts") == 1)
    #expect(world.lineCount("ends") == 0)
    try world.checkStore()
  }

  @Test("an attempt without a worker finishes under its supervisor and is recorded")
  func recordedWithoutWorker() throws {
    let world = try World()
    let id = try world.enqueue(
      "echo started; echo x >>runs; while [ ! -e go ]; do sleep 0.02; done; echo ended; exit 75")
    let worker = try world.start(["job", "work", "-w", "main"])
    // 'running' is the claim, which comes before anybody else knows of the attempt.
    try world.eventually("its handler runs") { world.lineCount("runs") == 1 }
    World.end(worker)
    try world.letGo()
    try world.eventually("its supervisor records it") { try world.state(id) == "failed" }
    #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "started\nended")
    #expect(try world.job(id)["exit_status"] as? Int == 75)
  }
}

extension World {
  private static func status(_ pid: Int32, _ key: String) -> String? {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
      .map { $0.dropFirst(key.count + 1).trimmingCharacters(in: .whitespaces) }
  }

  /// Whether the process still runs; one that has ended and was not reaped does not.
  static func isAlive(_ pid: Int32) -> Bool {
    guard let state = status(pid, "State") else { return false }
    return !state.hasPrefix("Z") && !state.hasPrefix("X")
  }

  /// Whether it is stopped by a signal.
  static func isStopped(_ pid: Int32) -> Bool { status(pid, "State")?.hasPrefix("T") ?? false }

  private static var pids: [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
  }

  /// Supervisors (or nurseries) whose environment or folder belongs to this world.
  static func children(ofStore folder: String, kind: String) -> [Int32] {
    pids.filter { pid in
      guard status(pid, "Name") == kind else { return false }
      let home = (try? String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)) ?? ""
      return home.contains("HOME=\(folder)")
    }
  }

  /// Main processes of attempts: those that carry a mark and whose parent is a supervisor.
  static func handlers(in folder: String) -> [Int32] {
    pids.filter { pid in
      guard let parent = status(pid, "PPid").flatMap({ Int32($0) }),
        status(parent, "Name") == "hotglue-super"
      else { return false }
      let variables = (try? String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)) ?? ""
      return variables.contains("HOME=\(folder)") && variables.contains("HOTGLUE_MARK=")
    }
  }
}

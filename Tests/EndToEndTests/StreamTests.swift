import Foundation
import Testing

/// Stream handlers, through the built program and with real deaths.
@Suite(.serialized)
struct StreamTests {
  /// A handler that writes a line when it takes a job and one before it answers; the payload says
  /// what else it does.
  private static let handler = """
    #!/usr/bin/env python3
    import json, os, signal, sys, time
    report = int(os.environ["HOTGLUE_REPORT_FD"])
    def note(file, text):
        with open(file, "a") as out: out.write(str(text) + "\\n")
    def say(**line): os.write(report, json.dumps(line).encode() + b"\\n")
    note("handlers", os.getpid())
    for line in sys.stdin:
        job = json.loads(line)
        me, want = {"job": job["job"], "fence": job["fence"]}, job["payload"] or {}
        note("taken", job["job"])
        print("job", job["job"], "attempt", job["attempt"], flush=True)
        if want.get("sleep"): time.sleep(want["sleep"])
        if want.get("progress"): say(type="progress", current=1, total=2, **me)
        while want.get("until") and not os.path.exists(want["until"]): time.sleep(0.01)
        if want.get("exit") is not None: sys.exit(want["exit"])
        if want.get("kill"): os.kill(os.getpid(), signal.SIGKILL)
        if want.get("foreign"): say(type="result", outcome="failed", job=1, fence=99)
        if want.get("megabytes"):
            os.write(report, b"rubbish\\n")
            for _ in range(want["megabytes"] * 16): os.write(report, b"x" * 65536)
            os.write(report, b"\\n")
        if want.get("shell"):
            os.environ["HOTGLUE_CONTEXT"] = job["context"]
            os.system(want["shell"])
            continue
        if want.get("says"):
            os.write(report, (want["says"] % (job["job"], job["fence"])).encode() + b"\\n")
            continue
        note("answered", job["job"])
        say(type="result", outcome=want.get("outcome", "succeeded"), value=want.get("n"), **me)
        if want.get("again"): os.write(report, (want["again"] % (job["job"], job["fence"])).encode() + b"\\n")
    note("ended", os.getpid())
    """

  private func world(_ flags: [String] = ["--replay", "safe"]) throws -> World {
    let world = try World()
    let file = world.folder.appendingPathComponent("handler")
    try Data(Self.handler.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    try world.succeed(
      ["type", "set", "work", "--persistent", "--backoff", "fixed:100ms", "--jitter", "none"]
        + flags
        + ["--", "./handler"])
    return world
  }

  private func enqueue(_ world: World, _ payloads: [String]) throws -> [String] {
    try world.enqueueLines(payloads.map { "{\"type\":\"work\",\"payload\":\($0)}" })
  }

  private func drain(_ world: World) throws {
    try world.succeed(["job", "work", "-w", "main", "--drain"])
  }

  private func attempts(_ job: [String: Any]) -> [[String: Any]] {
    job["attempts"] as? [[String: Any]] ?? []
  }

  private func outcomes(_ job: [String: Any]) -> [String] {
    attempts(job).compactMap { $0["outcome"] as? String }
  }

  private func warnings(_ job: [String: Any]) -> String {
    attempts(job).flatMap { $0["warnings"] as? [String] ?? [] }.joined(separator: "; ")
  }

  private func numbers(_ world: World, _ file: String) -> [String] {
    world.read(file).split(separator: "\n").map(String.init)
  }

  @Test("the manual's stream handler doubles numbers, and says what is wrong with a payload")
  func manual() throws {
    let world = try World()
    try ManualExamples(page: "hotglue-handlers.7").write("double", in: world)
    try world.succeed([
      "type", "set", "double", "--persistent", "--replay", "safe", "--", "./double",
    ])
    let ids = try world.enqueueLines(
      (1...200).map { "{\"type\":\"double\",\"payload\":{\"n\":\($0)}}" }
        + ["{\"type\":\"double\",\"payload\":[]}"])
    try drain(world)
    let jobs = try world.jobs()
    let results = jobs.compactMap { $0["result"] as? Int }.sorted()
    #expect(results == (1...200).map { $0 * 2 })
    let bad = try world.job(ids[200])
    #expect(bad["state"] as? String == "failed")
    #expect((bad["error"] as? [String: Any])?["code"] as? String == "bad_payload")
  }

  @Test("why a persistent handler could not be executed is in the error of each of its jobs")
  func notExecutable() throws {
    let world = try World()
    try Data("#!/nonexistent/sh\n".utf8).write(to: world.folder.appendingPathComponent("handler"))
    chmod(world.folder.path + "/handler", 0o755)
    try world.succeed(["type", "set", "never", "--persistent", "--", "./handler"])
    let ids = try (1...3).map { _ in try world.succeed(["job", "enqueue", "never"]) }
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    for id in ids {
      #expect(
        try world.succeed(["job", "show", id]).contains(
          "the command cannot be executed: its interpreter '/nonexistent/sh': no such file"))
    }
  }

  @Test("many jobs have one handler, which ends with its worker; each has its own log")
  func oneHandler() throws {
    let world = try world()
    let ids = try enqueue(world, (1...100).map { "{\"n\":\($0)}" })
    try drain(world)
    #expect(world.lineCount("handlers") == 1)
    #expect(numbers(world, "taken") == ids, "each once, in the order of their IDs")
    #expect(try world.succeed(["job", "logs", ids[41]]) == "job \(ids[41]) attempt 1")
    try world.eventually("the handler reads to its end") { world.lineCount("ended") == 1 }
    let slots = world.storeFolder + "/slots"
    try world.eventually("nothing of the stream is left") {
      try FileManager.default.contentsOfDirectory(atPath: slots).isEmpty
    }
    try world.checkStore()
  }

  @Test(
    "no job is lost or answered twice while worker and handler are killed, and only what was in hand is unknown"
  )
  func killed() throws {
    let world = try world(["--replay", "safe", "--max-losses", "1000"])
    let ids = try enqueue(world, (1...300).map { "{\"n\":\($0),\"sleep\":0.02}" })
    var seed: UInt64 = 11
    func random(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    var kills = (workers: 0, handlers: 0)
    let start = Date()
    // What a supervisor recorded may be in its back-off when the next drain ends.
    while try world.stateCounts() != ["succeeded": 300] {
      try #require(Date() < start + 240, "\(kills)")
      let worker = try world.start(
        ["job", "work", "-w", "main", "--concurrency", "2", "--drain"])
      // A machine that takes its time for the start of a handler comes to an end as well.
      if Date() > start + 45 {
        worker.waitUntilExit()
        continue
      }
      let killAt = Date().addingTimeInterval(0.4 + Double(random(800)) / 1000)
      while worker.isRunning, Date() < killAt {
        usleep(250_000)
        for pid in World.handlers(in: world.folder.path).prefix(1) {
          kill(pid, SIGKILL)
          kills.handlers += 1
        }
      }
      // A drain gives up (75) on handlers that die before they have taken a job.
      if !worker.isRunning { continue }
      kill(worker.processIdentifier, SIGKILL)
      worker.waitUntilExit()
      kills.workers += 1
    }
    #expect(kills.workers >= 2 && kills.handlers >= 5, "\(kills)")
    #expect(try world.stateCounts() == ["succeeded": 300])
    var unknown = 0
    for id in ids {
      let outcomes = outcomes(try world.job(id))
      #expect(outcomes.last == "succeeded" && outcomes.filter { $0 == "succeeded" }.count == 1)
      unknown += outcomes.count { $0 == "unknown" }
      #expect(Set(outcomes).isSubset(of: ["succeeded", "unknown", "never_started"]))
    }
    #expect(unknown <= kills.handlers, "a killed handler makes one job unknown at the most")
    // What was answered was recorded: taken again is only what was unknown.
    let taken = Dictionary(grouping: numbers(world, "taken")) { $0 }.mapValues(\.count)
    #expect(taken.values.reduce(0, +) <= 300 + unknown)
    try world.checkStore()
  }

  @Test(
    "a supervisor's death makes one job unknown; what waits runs again, what was answered does not")
  func supervisorKilled() throws {
    let world = try world(["--replay", "unsafe"])
    let ids = try enqueue(
      world, (1...20).map { "{\"n\":\($0)}" } + ["{\"until\":\"go\"}", "{}", "{}"])
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the slow one is taken") { numbers(world, "taken").contains(ids[20]) }
    for pid in World.children(ofStore: world.folder.path, kind: "hotglue-super")
    where
      !World.handlers(in: world.folder.path).isEmpty
    {
      kill(pid, SIGKILL)
    }
    try world.eventually("all have ended") {
      let counts = try world.stateCounts()
      return counts == ["succeeded": 22, "uncertain": 1]
    }
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
    #expect(try world.state(ids[20]) == "uncertain")
    #expect(numbers(world, "taken").count == 23, "nothing ran twice")
    #expect(try world.succeed(["job", "logs", ids[20]]) == "job \(ids[20]) attempt 1")
    try world.checkStore()
  }

  @Test(
    "without a worker the job in hand is finished and recorded, and what waited is pending again")
  func workerGone() throws {
    let world = try world()
    let ids = try enqueue(
      world, (1...8).map { "{\"n\":\($0)}" } + ["{\"until\":\"go\"}", "{}", "{}", "{}"])
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the slow one is taken") { numbers(world, "taken").contains(ids[8]) }
    kill(worker.processIdentifier, SIGKILL)
    worker.waitUntilExit()
    try world.eventually("what waited is given back") {
      try world.stateCounts() == ["succeeded": 8, "running": 1, "pending": 3]
    }
    try Data().write(to: world.folder.appendingPathComponent("go"))
    try world.eventually("the one in hand is recorded") {
      try world.stateCounts() == ["succeeded": 9, "pending": 3]
    }
    #expect(outcomes(try world.job(ids[8])) == ["succeeded"])
    try drain(world)
    #expect(try world.stateCounts() == ["succeeded": 12])
    #expect(try world.job(ids[11])["losses"] as? Int == 0)
  }

  @Test("a new worker takes over the job in hand, and its progress, of one that was killed")
  func adopted() throws {
    let world = try world()
    let ids = try enqueue(world, ["{}", "{\"progress\":true,\"until\":\"go\"}", "{}"])
    let first = try world.start(["job", "work", "-w", "main"])
    try world.eventually("it is taken") { numbers(world, "taken").contains(ids[1]) }
    kill(first.processIdentifier, SIGKILL)
    first.waitUntilExit()
    let second = try world.start(["job", "work", "-w", "main", "--drain"])
    try world.eventually("the next worker has it") {
      let job = try world.job(ids[1])
      return (job["worker"] as? String ?? "").hasSuffix(":\(second.processIdentifier)")
        && job["progress"] is [String: Any]
    }
    try Data().write(to: world.folder.appendingPathComponent("go"))
    second.waitUntilExit()
    #expect(second.terminationStatus == 0)
    #expect(try world.stateCounts() == ["succeeded": 3])
    #expect(outcomes(try world.job(ids[1])) == ["succeeded"])
    #expect(numbers(world, "taken").sorted() == ids.sorted())
  }

  @Test("wrong answers, much rubbish and odd ends are told apart, and change no other job")
  func badAnswers() throws {
    let world = try world(["--replay", "unsafe", "--max-attempts", "2"])
    let ids = try enqueue(
      world,
      [
        "{\"foreign\":true}", "{\"megabytes\":100}", "{\"exit\":0}", "{\"exit\":75}",
        "{\"exit\":65}",
        "{\"kill\":true}", "{\"outcome\":\"retry\"}", "{\"outcome\":\"failed\"}",
        "{\"shell\":\"hotglue job progress 3 4; hotglue job report succeeded --value 5\"}", "null",
        #"{"says":"{\"type\":\"result\",\"job\":%s,\"fence\":%s,\"outcome\":\"faild\"}"}"#,
        #"{"says":"{\"type\":\"result\",\"job\":%s,\"fence\":%s,\"outcome\":\"failed\",\"value\":NaN}"}"#,
        #"{"says":"{\"type\":\"r\\u0065sult\",\"job\":%s,\"fence\":%s,\"outcome\":\"failed\",\"error\":\"x\"}"}"#,
      ])
    try drain(world)
    let jobs = try ids.map { try world.job($0) }
    #expect(
      jobs.map { $0["state"] as? String } == [
        "succeeded", "succeeded", "uncertain", "uncertain", "uncertain", "uncertain", "failed",
        "failed", "succeeded", "succeeded", "uncertain", "uncertain", "failed",
      ])
    #expect(warnings(jobs[0]).contains("not about the job in hand"))
    #expect(
      warnings(jobs[1]).hasPrefix(
        "2 lines were ignored, the first because it was not understood: 'rubbish'"))
    // How the process exits is not about the job.
    for job in jobs[2...4] {
      #expect((job["error"] as? [String: Any])?["code"] as? String == "no_answer")
    }
    #expect(jobs[4]["exit_status"] as? Int == 65)
    #expect(jobs[8]["result"] as? Int == 5)
    #expect((jobs[8]["progress"] as? [String: Any])?["current"] as? Int == 3)
    for job in jobs[10...11] {
      #expect((job["error"] as? [String: Any])?["code"] as? String == "unclear_result")
    }
    #expect(warnings(jobs[12]).contains("no object with a code and a message"))
    try world.checkStore()
  }

  @Test("a second answer is ignored, and the next job of the handler shows it as a warning")
  func secondAnswer() throws {
    let world = try world()
    let again = #"{"type":"result","job":%s,"fence":%s,"outcome":"failed","value":"again"}"#
    let payload = try JSONSerialization.data(withJSONObject: ["again": again])
    let ids = try enqueue(world, [String(decoding: payload, as: UTF8.self), "{}"])
    try drain(world)
    let jobs = try ids.map { try world.job($0) }
    for job in jobs {
      #expect(job["state"] as? String == "succeeded" && attempts(job).count == 1)
      #expect((job["late_reports"] as? [Any])?.isEmpty == true)
    }
    // It came with the first answer, or after the next job was given.
    let warning = warnings(jobs[0]) + warnings(jobs[1])
    #expect(warning.hasPrefix("1 line was ignored because"), "\(warning)")
    #expect(warning.contains(#"{"type":"result","job":\#(ids[0]),"#), "\(warning)")
    try world.checkStore()
  }

  @Test("a report about a job whose line the handler has not read is refused")
  func unreadJob() throws {
    let world = try World()
    // It reads byte by byte, so that the second line is certainly unread while it reports.
    let file = world.folder.appendingPathComponent("handler")
    try Data(
      """
      #!/usr/bin/env python3
      import json, os, subprocess
      report = int(os.environ["HOTGLUE_REPORT_FD"])
      def take():
          line = b""
          while not line.endswith(b"\\n"):
              byte = os.read(0, 1)
              if not byte: raise SystemExit(0)
              line += byte
          job = json.loads(line)
          answer = {"type": "result", "outcome": "succeeded", "job": job["job"], "fence": job["fence"]}
          os.write(report, json.dumps(answer).encode() + b"\\n")
      take()
      while not os.path.exists("go"):
          status = subprocess.call(["hotglue", "job", "report", "failed"])
          with open("statuses", "a") as out: out.write(str(status) + "\\n")
      while True: take()
      """.utf8
    ).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    try world.succeed([
      "type", "set", "work", "--persistent", "--replay", "safe", "--", "./handler",
    ])
    let ids = try enqueue(world, ["1", "2"])
    let worker = try world.start(["job", "work", "-w", "main", "--drain"])
    defer { if worker.isRunning { worker.terminate() } }
    try world.eventually("the second is in hand") { try world.state(ids[1]) == "running" }
    let before = world.lineCount("statuses")
    try world.eventually("it was reported on") { world.lineCount("statuses") > before + 3 }
    #expect(try world.state(ids[1]) == "running")
    _ = FileManager.default.createFile(
      atPath: world.folder.appendingPathComponent("go").path, contents: nil)
    try world.eventually("the end") { !worker.isRunning }
    #expect(!numbers(world, "statuses").contains("0"), "\(world.read("statuses"))")
    for id in ids { #expect(try world.state(id) == "succeeded") }
  }

  @Test("a cancel of a waiting job stops nothing; one of the job in hand stops the handler")
  func cancels() throws {
    let world = try world()
    let ids = try enqueue(
      world, (1...8).map { "{\"n\":\($0)}" } + ["{\"until\":\"first\"}", "{}", "{\"until\":\"x\"}"])
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the slow one is taken") { numbers(world, "taken").contains(ids[8]) }
    try world.succeed(["job", "cancel", ids[9], "-w", "main", "--wait"])
    #expect(try world.state(ids[9]) == "cancelled")
    try Data().write(to: world.folder.appendingPathComponent("first"))
    try world.eventually("the next slow one is taken") { numbers(world, "taken").contains(ids[10]) }
    #expect(world.lineCount("handlers") == 1)
    #expect(try world.state(ids[8]) == "succeeded")
    try world.succeed(["job", "cancel", ids[10], "-w", "main", "--wait"])
    #expect(try world.state(ids[10]) == "cancelled")
    let last = try enqueue(world, ["{}"])
    try world.eventually("another handler takes the next") {
      try world.state(last[0]) == "succeeded"
    }
    #expect(world.lineCount("handlers") == 2)
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
  }

  @Test("a time-out of the job in hand, also of a frozen handler, costs no other job anything")
  func timeouts() throws {
    let world = try world(["--replay", "unsafe", "--stop", "TERM,200ms,KILL"])
    let ids = try world.enqueueLines(
      ["{}", "{\"until\":\"never\"},\"timeout\":\"5s\"", "{}"].map {
        "{\"type\":\"work\",\"payload\":\($0)}"
      })
    let worker = try world.start(["job", "work", "-w", "main", "--drain"])
    try world.eventually("it is taken") { numbers(world, "taken").contains(ids[1]) }
    // The one that took it: should its time be over by now, another has the next job in hand.
    kill(try #require(numbers(world, "handlers").first.flatMap { Int32($0) }), SIGSTOP)
    worker.waitUntilExit()
    #expect(world.lineCount("handlers") == 2)
    #expect(try ids.map { try world.state($0) } == ["succeeded", "uncertain", "succeeded"])
    #expect((try world.job(ids[1])["error"] as? [String: Any])?["code"] as? String == "timeout")
    #expect(outcomes(try world.job(ids[2])).filter { $0 != "never_started" } == ["succeeded"])
  }

  @Test(
    "a handler that takes nothing is tried a few times, its worker says so, and nothing is spent")
  func takesNothing() throws {
    let world = try World()
    try world.succeed(
      ["type", "set", "work", "--persistent", "--", "sh", "-c", "echo x >>starts; exit 0"])
    let id = try world.succeed(["job", "enqueue", "work", "-w", "main"])
    let result = try world.run(["job", "work", "-w", "main", "--drain"])
    #expect(result.status == 75)
    #expect(result.errorOutput.contains("ended with status 0 without taking a job"))
    #expect(world.lineCount("starts") == 3)
    let job = try world.job(id)
    #expect(job["state"] as? String == "pending")
    #expect(
      job["attempt"] as? Int == 0 && job["failures"] as? Int == 0 && job["losses"] as? Int == 0)
    // So is one with another status: a handler that fails at its start makes no job uncertain.
    try world.succeed(["type", "set", "work", "--", "sh", "-c", "exit 3"])
    // A job that never started has a back-off of its own.
    var broken = try world.run(["job", "work", "-w", "main", "--drain"])
    try world.eventually("it is due again, and its worker gives up") {
      if broken.status == 0 { broken = try world.run(["job", "work", "-w", "main", "--drain"]) }
      return broken.status == 75
    }
    #expect(broken.errorOutput.contains("ended with status 3 without taking a job"))
    #expect(try world.state(id) == "pending")
  }

  @Test(
    "a new revision is run by a new handler, and a job with variables of its own by one of its own")
  func revisions() throws {
    let world = try world()
    let worker = try world.start(["job", "work", "-w", "main", "--concurrency", "2"])
    let first = try enqueue(world, ["{}"])
    try world.eventually("it is done") { try world.state(first[0]) == "succeeded" }
    try world.succeed(["type", "set", "work", "--timeout", "20s"])
    let second = try enqueue(world, ["{}"])
    try world.eventually("it is done") { try world.state(second[0]) == "succeeded" }
    try world.eventually("the older handler ends") { world.lineCount("ended") == 1 }
    let own = try world.succeed(
      [
        "job", "enqueue", "work", "-w", "main", "--env", "COLOUR=red", "--payload",
        #"{"shell":"hotglue job report succeeded --value \"\\\"$COLOUR\\\"\""}"#,
      ])
    try world.eventually("it is done") { try world.state(own) == "succeeded" }
    #expect(try world.job(own)["result"] as? String == "red")
    #expect(world.lineCount("handlers") == 3)
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
    try world.eventually("all handlers end") { world.lineCount("ended") == 3 }
  }

  @Test("--once gives one job to a handler, and then the end of its input")
  func once() throws {
    let world = try world()
    let ids = try enqueue(world, ["{}", "{}", "{}"])
    try world.succeed(["job", "work", "-w", "main", "--once"])
    #expect(try world.stateCounts() == ["succeeded": 1, "pending": 2])
    #expect(numbers(world, "taken") == [ids[0]])
    try world.eventually("it ends") { world.lineCount("ended") == 1 }
  }
}

import Foundation
import Testing

/// Whose word a stream handler's children speak: never that of a job they were not started for.
@Suite(.serialized)
struct StreamContextTests {
  /// Each payload says what is run for its job: `shell` before the answer, `behind` beside it for as
  /// long as it likes, and whether and how the handler answers itself.
  private static let handler = """
    #!/usr/bin/env python3
    import json, os, subprocess, sys, time
    report = int(os.environ["HOTGLUE_REPORT_FD"])
    for line in sys.stdin:
        job = json.loads(line)
        want = (job["payload"] or {}).get("attempts", [{}])
        want = want[min(job["attempt"], len(want)) - 1]
        env = dict(os.environ, OWN=os.environ["HOTGLUE_CONTEXT"], HOTGLUE_CONTEXT=job["context"],
                   HOTGLUE_JOB=str(job["job"]), HOTGLUE_FENCE=str(job["fence"]))
        with open("taken", "a") as out: out.write("%s %s\\n" % (job["job"], job["context"]))
        if "behind" in want: subprocess.Popen(want["behind"], shell=True, env=env)
        if "shell" in want: subprocess.run(want["shell"], shell=True, env=env)
        while "until" in want and not os.path.exists(want["until"]): time.sleep(0.01)
        if want.get("silent"): continue
        answer = {"type": "result", "job": job["job"], "fence": job["fence"],
                  "outcome": want.get("outcome", "succeeded")}
        os.write(report, json.dumps(answer).encode() + b"\\n")
    """

  /// What a late child tries, with the status of each.
  private static let deeds = """
    hotglue job report failed --code late; echo report $? >>deeds
    hotglue job progress 9; echo progress $? >>deeds
    hotglue effect run k -- sh -c 'echo ran >>ran'; echo run $? >>deeds
    hotglue effect begin k; echo begin $? >>deeds
    hotglue job enqueue -- true; echo enqueue $? >>deeds
    """
  private static let refusals = [
    "report 81", "progress 81", "run 81", "begin 81", "enqueue 81",
  ]

  private func world() throws -> World {
    let world = try World()
    try write(Self.handler, to: "handler", in: world)
    try world.succeed(
      [
        "type", "set", "work", "--persistent", "--replay", "safe", "--backoff", "fixed:50ms",
        "--jitter", "none", "--", "./handler",
      ])
    return world
  }

  private func write(_ text: String, to name: String, in world: World) throws {
    let file = world.folder.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
  }

  private func touch(_ name: String, in world: World) throws {
    try Data().write(to: world.folder.appendingPathComponent(name))
  }

  /// Jobs by what is done in each of their attempts.
  private func enqueue(_ world: World, _ jobs: [[[String: Any]]]) throws -> [String] {
    try world.enqueueLines(
      jobs.map { attempts in
        let line: [String: Any] = ["type": "work", "payload": ["attempts": attempts]]
        return String(decoding: try JSONSerialization.data(withJSONObject: line), as: UTF8.self)
      })
  }

  private func lines(_ world: World, _ name: String) -> [String] {
    world.read(name).split(separator: "\n").map(String.init)
  }

  private func taken(_ world: World) -> [String] {
    lines(world, "taken").map { String($0.prefix { $0 != " " }) }
  }

  private func lateReports(_ job: [String: Any]) -> Int {
    (job["late_reports"] as? [Any])?.count ?? -1
  }

  private func warnings(_ job: [String: Any]) -> [String] {
    (job["attempts"] as? [[String: Any]])?.flatMap { $0["warnings"] as? [String] ?? [] } ?? []
  }

  private func stop(_ worker: Process) {
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
  }

  @Test("a second report about a job is late, and does not answer the next one")
  func twoReports() throws {
    let world = try world()
    let report =
      "hotglue job report succeeded --value 1; hotglue job report failed; echo $? >>second"
    let ids = try enqueue(world, [[["shell": report, "silent": true]], [[:]], [[:]]])
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(world.read("second") == "81\n")
    let first = try world.job(ids[0])
    #expect(first["state"] as? String == "succeeded" && first["result"] as? Int == 1)
    #expect(lateReports(first) == 1)
    for id in ids.dropFirst() {
      let job = try world.job(id)
      #expect(job["state"] as? String == "succeeded" && job["attempt"] as? Int == 1)
      #expect(warnings(job).isEmpty && lateReports(job) == 0)
    }
    try world.checkStore()
  }

  @Test("a child of a job that was answered is told so (81), whatever the handler has in hand")
  func behind() throws {
    let world = try world()
    let child = "until [ -e go ]; do sleep 0.02; done\n" + Self.deeds
    let ids = try enqueue(world, [[["behind": child]], [["until": "done"]]])
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the second is in hand") { taken(world).contains(ids[1]) }
    try touch("go", in: world)
    try world.eventually("the child has tried all") { world.lineCount("deeds") == 5 }
    #expect(lines(world, "deeds") == Self.refusals)
    #expect(try world.state(ids[1]) == "running")
    try touch("done", in: world)
    try world.eventually("the second is done") { try world.state(ids[1]) == "succeeded" }
    stop(worker)
    let jobs = try ids.map { try world.job($0) }
    #expect(jobs.map { $0["state"] as? String } == ["succeeded", "succeeded"])
    #expect(jobs.map(lateReports) == [2, 0])
    #expect(jobs.allSatisfy { ($0["effects"] as? [Any])?.isEmpty == true })
    #expect(jobs[1]["progress"] is NSNull)
    #expect(world.read("ran") == "")
    try world.checkStore()
  }

  @Test("nor does it speak for a later attempt of its own job under the same handler")
  func laterAttempt() throws {
    let world = try world()
    let child = "until [ -e go ]; do sleep 0.02; done\n" + Self.deeds
    let ids = try enqueue(world, [[["behind": child, "outcome": "retry"], ["until": "done"]]])
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the second attempt is in hand") { taken(world).count == 2 }
    try touch("go", in: world)
    try world.eventually("the child has tried all") { world.lineCount("deeds") == 5 }
    #expect(lines(world, "deeds") == Self.refusals)
    try touch("done", in: world)
    try world.eventually("it is done") { try world.state(ids[0]) == "succeeded" }
    stop(worker)
    #expect(lateReports(try world.job(ids[0])) == 2)
    #expect(world.read("ran") == "")
  }

  @Test("inside its job a child reports progress and carries out effects, which are that job's")
  func ownJob() throws {
    let world = try world()
    let script = """
      hotglue job progress 1 2
      hotglue effect run k -- sh -c 'echo "$HOTGLUE_JOB" >>ran; echo done' || exit
      hotglue context prompt >>prompt
      """
    let ids = try enqueue(world, (1...20).map { _ in [["shell": script]] })
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.stateCounts() == ["succeeded": 20])
    #expect(lines(world, "ran").sorted() == ids.sorted())
    #expect(lines(world, "prompt") == ids.map { "main#\($0)" })
    for id in ids {
      let effects = try world.job(id)["effects"] as? [[String: Any]]
      #expect(effects?.count == 1 && effects?.first?["state"] as? String == "confirmed")
    }
    try world.checkStore()
  }

  @Test("the handler's own context names no job, and variables of another job are a contradiction")
  func contradictions() throws {
    let world = try world()
    let script = """
      exec 2>errors
      say() { "$@"; echo $? >>said; }
      HOTGLUE_JOB=99 say hotglue job report failed
      HOTGLUE_FENCE=99 say hotglue effect begin k
      HOTGLUE_JOB=99 say hotglue job list
      chmod g+w "$OWN"
      say hotglue job list
      chmod g-w "$OWN"
      export HOTGLUE_CONTEXT=$OWN
      say hotglue job report failed
      say hotglue job progress 1
      say hotglue effect run k --scope workspace -- true
      say hotglue effect begin k --scope workspace
      say hotglue workspace switch main
      say hotglue job enqueue -- true
      hotglue context show --json >own
      """
    let id = try enqueue(world, [[["shell": script]]])[0]
    try world.succeed(["job", "work", "-w", "main", "--max-jobs", "1"])
    #expect(lines(world, "said").map { Int($0) } == [81, 81, 81, 77, 80, 80, 80, 80, 80, 0])
    let errors = world.read("errors")
    #expect(errors.contains("the context is that of job \(id) (fence 1), but HOTGLUE_JOB is '99'"))
    #expect(errors.contains("HOTGLUE_FENCE is '99'"))
    // With both variables set the hint is the very context that is meant.
    #expect(errors.contains(".\(id)-1.json"))
    let own = try #require(
      try JSONSerialization.jsonObject(with: Data(world.read("own").utf8)) as? [String: Any])
    #expect(own["workspace"] as? String == "main" && own["pinned"] is NSNull)
    #expect(try world.state(id) == "succeeded")
    #expect(try world.succeed(["effect", "list", "-q", "-w", "main"]) == "")
  }

  @Test("after a kill -9 of supervisor or handler no earlier context means a later attempt")
  func killed() throws {
    for victim in ["hotglue-super", "handler"] {
      let world = try world()
      let ids = try enqueue(world, [[["until": "never"], ["until": "done"]]])
      let worker = try world.start(["job", "work", "-w", "main"])
      try world.eventually("it is in hand") { taken(world) == ids }
      let path = String(lines(world, "taken")[0].split(separator: " ")[1])
      let context = ["HOTGLUE_CONTEXT": path]
      #expect(try world.run(["job", "progress", "1"], extra: context).status == 0)
      let pids =
        victim == "handler"
        ? World.handlers(in: world.folder.path)
        : World.children(ofStore: world.folder.path, kind: victim)
      try #require(!pids.isEmpty)
      for pid in pids { kill(pid, SIGKILL) }
      try world.eventually("the next attempt is in hand") { taken(world).count == 2 }
      for deed in [
        ["job", "report", "failed"], ["job", "progress", "7"], ["effect", "begin", "k"],
        ["job", "list"],
      ] {
        #expect(try world.run(deed, extra: context).status == 81, "\(victim): \(deed)")
      }
      try touch("done", in: world)
      try world.eventually("it is done") { try world.state(ids[0]) == "succeeded" }
      stop(worker)
      let job = try world.job(ids[0])
      #expect(lateReports(job) == 2 && job["losses"] as? Int == 1)
      #expect((job["effects"] as? [Any])?.isEmpty == true)
      let slots = world.storeFolder + "/slots"
      try world.eventually("nothing of the streams is left") {
        try FileManager.default.contentsOfDirectory(atPath: slots).isEmpty
      }
      try world.checkStore()
    }
  }

  @Test("the manual's handler with effects charges each of its jobs once")
  func manual() throws {
    let world = try World()
    world.environment["PATH"] = world.folder.path + ":" + (world.environment["PATH"] ?? "")
    try ManualExamples(page: "hotglue-handlers.7").write("bill", in: world)
    try write(
      """
      #!/bin/sh
      echo "$1" >>charged
      [ ! -e broken ] || exit 9
      echo "receipt for $1"

      """, to: "charge-card", in: world)
    try world.succeed(["type", "set", "bill", "--persistent", "--", "./bill"])
    let ids = try world.enqueueLines((1...10).map { _ in #"{"type":"bill"}"# })
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.stateCounts() == ["succeeded": 10])
    #expect(Set(lines(world, "charged")).count == 10 && world.lineCount("charged") == 10)
    for id in ids {
      let job = try world.job(id)
      #expect((job["result"] as? String)?.hasPrefix("receipt for ") == true)
      #expect((job["progress"] as? [String: Any])?["message"] as? String == "charging")
    }
    try touch("broken", in: world)
    let doubtful = try world.enqueueLines([#"{"type":"bill"}"#])[0]
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.state(doubtful) == "uncertain")
    #expect(world.lineCount("charged") == 11)
  }
}

import Foundation
import Testing

private let drain = ["job", "work", "-w", "main", "--drain"]

extension World {
  /// A handler that notes each job that it takes, waits where the payload says so, writes a line to
  /// its log and answers.
  private static let handler = """
    import json, os, signal, sys, time
    report = int(os.environ["HOTGLUE_REPORT_FD"])
    for line in sys.stdin:
        job = json.loads(line)
        with open("taken", "a") as out: out.write(str(job["job"]) + "\\n")
        if job["payload"] == "die": os.kill(os.getpid(), signal.SIGKILL)
        while job["payload"] == "wait" and not os.path.exists("go"): time.sleep(0.02)
        print("said", job["job"], flush=True)
        answer = {"type": "result", "outcome": "succeeded"}
        answer.update(job=job["job"], fence=job["fence"])
        os.write(report, json.dumps(answer).encode() + b"\\n")
    """

  /// Jobs of a stream that are not safe to run twice, one for each payload.
  fileprivate func fed(_ payloads: [String]) throws -> [String] {
    try Data(Self.handler.utf8).write(to: folder.appendingPathComponent("handler.py"))
    try succeed([
      "type", "set", "work", "--persistent", "--replay", "unsafe", "--", "/usr/bin/python3", "-I",
      "-S",
      "handler.py",
    ])
    return try enqueueLines(payloads.map { "{\"type\":\"work\",\"payload\":\"\($0)\"}" })
  }

  /// A worker whose stream has answered one job and has the next one in hand, until `letGo`.
  fileprivate func waitingStream(
    _ payloads: [String] = ["plain", "wait"]
  ) throws -> (ids: [String], worker: Process, supervisor: Int32) {
    let ids = try fed(payloads)
    let worker = try start(["job", "work", "-w", "main"])
    try eventually("one is recorded and the next in hand") {
      try lineCount("taken") == 2 && state(ids[0]) == "succeeded"
    }
    let handler = try #require(World.handlers(in: folder.path).first)
    let supervisors = World.children(ofStore: folder.path, kind: "hotglue-super")
    return (ids, worker, try #require(supervisors.first { World.isParent($0, of: handler) }))
  }

  private static func isParent(_ parent: Int32, of child: Int32) -> Bool {
    let text = (try? String(contentsOfFile: "/proc/\(child)/status", encoding: .utf8)) ?? ""
    return text.contains("PPid:\t\(parent)\n")
  }

  /// No job was handed to a handler twice, and the next worker brings the rest to its end.
  fileprivate func expectStream(_ ids: [String], _ states: [String]) throws {
    try goOn()
    let found = try ids.map { try state($0) }
    let ends = try ids.map { try outcomes($0).filter { $0 != "never_started" } }
    #expect(found == states, "\(ends)")
    let taken = read("taken").split(separator: "\n").map(String.init)
    #expect(Set(taken).count == taken.count, "taken twice: \(taken)")
    for (index, id) in ids.enumerated() where found[index] == "succeeded" {
      #expect(taken.contains(id) && ends[index] == ["succeeded"])
      #expect(try succeed(["job", "logs", id, "-w", "main"]) == "said \(id)")
    }
  }
}

/// The supervisor is killed on the way from its stream's second job to the third, where there is one,
/// and the worker goes on. Counted is from when the second one may end.
private func expectBetween(_ world: World, at point: Injection, _ states: [String]) throws {
  let (ids, worker, supervisor) = try world.waitingStream(
    Array(["plain", "wait", "plain"].prefix(states.count)))
  try world.killed(supervisor, at: point) { try world.letGo() }
  try world.eventually("the worker goes on") { try world.stateCounts()["running"] == nil }
  World.end(worker, SIGTERM)
  try world.expectStream(ids, states)
}

/// The worker is killed; what was answered is recorded by the supervisor's recorder.
private func expectWorkerGone(_ world: World, at point: Injection) throws {
  let ids = try world.fed(["plain", "plain", "plain"])
  try world.killed(drain, at: point)
  try world.expectStream(ids, ["succeeded", "succeeded", "succeeded"])
}

private func expectRecordedLater(_ world: World, at point: Injection) throws {
  let (ids, worker, supervisor) = try world.waitingStream()
  World.end(worker)
  try world.killed(supervisor, at: point) { try world.letGo() }
  try world.expectStream(ids, ["succeeded", "succeeded"])
}

/// The second worker dies while it takes over what the stream has in hand.
private func expectAdopted(_ world: World, at point: Injection) throws {
  let (ids, first, _) = try world.waitingStream()
  World.end(first)
  try world.killed(drain, at: point)
  #expect(try world.state(ids[1]) == "running")
  let third = try world.start(drain)
  try world.eventually("the third worker adopts") { try world.isMinded(ids[1], by: third) }
  try world.letGo()
  third.waitUntilExit()
  try world.expectStream(ids, ["succeeded", "succeeded"])
}

extension CrashPoint {
  static let streams = [
    CrashPoint("stream-claimed") { world in try expectWorkerGone(world, at: .committed(2)) },
    CrashPoint("stream-line-writing") { world in
      // Of the supervisor: the third job's line.
      try expectBetween(
        world, at: Injection(call: "write", number: 1), ["succeeded", "succeeded", "uncertain"])
      #expect(world.lineCount("taken") == 2, "its line was not written")
    },
    CrashPoint("stream-in-hand") { world in
      let (ids, worker, supervisor) = try world.waitingStream()
      kill(supervisor, SIGKILL)
      try world.eventually("the worker finds out") { try world.state(ids[1]) == "uncertain" }
      World.end(worker, SIGTERM)
      try world.expectStream(ids, ["succeeded", "uncertain"])
    },
    CrashPoint("stream-handler-killed") { world in
      let ids = try world.fed(["plain", "die", "plain"])
      try world.expectStream(ids, ["succeeded", "uncertain", "succeeded"])
    },
    CrashPoint("stream-answer-taken") { world in
      // What it said is on its way to the job's own log; the answer is not in the ring.
      try expectBetween(
        world, at: Injection(call: "renameat", number: 1),
        ["succeeded", "uncertain", "succeeded"])
      let second = try #require(try world.jobs().first { $0["state"] as? String == "uncertain" })
      let id = "\(try #require(second["id"] as? Int))"
      #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "said \(id)")
    },
    CrashPoint("stream-answer-kept") { world in
      // No third one waits: when the second takes long, the word that it is given back would be first.
      try expectBetween(
        world, at: Injection(call: "sendto", number: 1), ["succeeded", "succeeded"])
    },
    CrashPoint("stream-record-before-sync") { world in
      try expectWorkerGone(world, at: .logSync(3))
    },
    CrashPoint("stream-record-committed") { world in
      try expectWorkerGone(world, at: .committed(3))
    },
    CrashPoint("stream-recorder-before-sync") { world in
      try expectRecordedLater(world, at: .logSync(1))
    },
    CrashPoint("stream-recorder-committed") { world in
      try expectRecordedLater(world, at: .committed(1))
    },
    CrashPoint("stream-slot-removed") { world in
      let ids = try world.fed(["plain", "plain"])
      try world.killed(drain, at: Injection(call: "unlinkat", number: 3))
      #expect(try world.findings() == [])
      try world.expectStream(ids, ["succeeded", "succeeded"])
      let slots = try FileManager.default.contentsOfDirectory(atPath: world.storeFolder + "/slots")
      #expect(slots == [], "the next worker removes what is left")
    },
    CrashPoint("stream-adopt-before-sync") { world in
      try expectAdopted(world, at: .logSync(2))
    },
    CrashPoint("stream-adopt-committed") { world in
      try expectAdopted(world, at: .committed(2))
    },
    CrashPoint("stream-adopt-before-told") { world in
      // Of the adopter: the question, then the adoption.
      try expectAdopted(world, at: Injection(call: "sendto", number: 2))
    },
  ]
}

import Foundation
import Testing

/// The attempt is found by the name of its source, which no other run of the tests has.
private let source = "s" + UUID().uuidString.prefix(8).lowercased()
private let sync = ["sync", "run", source]
private let delivery =
  sync + ["--replay", "safe", "--", "/usr/bin/python3", "-I", "-S", "target.py"]

extension World {
  /// Twenty records, with a bookmark after every ten. It begins where it is told, and goes on once
  /// `go` is there; the second stream has what was said before it staged, and not published.
  private static let tap = """
    import json, os, sys, time
    start = 0
    if "--state" in sys.argv:
        with open(sys.argv[sys.argv.index("--state") + 1]) as file:
            start = json.load(file)["bookmarks"]["a"]["id"]
    with open("starts", "a") as out: out.write(str(start) + "\\n")
    def say(**message): print(json.dumps(message), flush=True)
    def schema(stream):
        properties = {"id": {"type": "integer"}}
        say(type="SCHEMA", stream=stream, key_properties=["id"],
            schema={"type": "object", "properties": properties})
    schema("a")
    open("held", "w").close()
    while not os.path.exists("go"): time.sleep(0.02)
    for n in range(start + 1, 21):
        say(type="RECORD", stream="a", record={"id": n})
        if n == 5: schema("b")
        if n % 10 == 0: say(type="STATE", value={"bookmarks": {"a": {"id": n}}})
    """

  /// Keeps what it is sent, and confirms each bookmark.
  private static let target = """
    import json, sys
    with open("received", "a") as out:
        for line in sys.stdin:
            message = json.loads(line)
            if message["type"] == "RECORD": print(message["record"]["id"], file=out, flush=True)
            if message["type"] == "STATE": print(json.dumps(message["value"]), flush=True)
    """

  /// A source whose first sync is killed at the point, counted from when its tap goes on. Returns how
  /// many records are visible then.
  fileprivate func killedSync(at point: Injection) throws -> Int {
    try killAttempt(of: sync, at: point)
    return try records(source).split(separator: "\n").count
  }

  /// As `killedSync`, into a target. Returns how far that has confirmed; of bookmarks that it says at
  /// once the last one counts.
  fileprivate func killedDelivery(at point: Injection) throws -> Int {
    try Data(Self.target.utf8).write(to: folder.appendingPathComponent("target.py"))
    try killAttempt(of: delivery, at: point)
    return try confirmed()
  }

  fileprivate func confirmed() throws -> Int {
    let bookmark = try succeed(["sync", "state", source, "--target", "1"])
    return Int(bookmark.filter(\.isNumber)) ?? 0
  }

  private func killAttempt(of words: [String], at point: Injection) throws {
    for name in ["held", "go"] {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
    let command = try start(words)
    try eventually("the tap waits") { !read("starts").isEmpty && exists("held") }
    let attempt = try #require(World.processes(named: "__sync\u{0}\(source)").first)
    try killed(attempt, at: point) {
      // What is left is nobody's but its supervisor's.
      World.end(command)
      try letGo()
    }
    try eventually("its end is recorded") { try stateCounts()["running"] == nil }
    #expect(try findings() == [])
  }

  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  fileprivate func addSource() throws {
    try Data(Self.tap.utf8).write(to: folder.appendingPathComponent("tap.py"))
    try succeed(["source", "add", source, "--", "/usr/bin/python3", "-I", "-S", "tap.py"])
  }

  /// The next sync begins at the bookmark of what is visible, and ends with all records.
  fileprivate func expectResumed(_ visible: Int) throws {
    try succeed(sync)
    #expect(read("starts").split(separator: "\n").last.flatMap { Int($0) } == visible)
    let all = (1...20).map { "{\"id\":\($0)}" }
    #expect(try records(source).split(separator: "\n").map(String.init) == all)
    try goOn()
  }
}

private func expectDelivered(_ world: World, at point: Injection, confirmed: [Int]) throws {
  try world.addSource()
  let seen = try world.killedDelivery(at: point)
  #expect(confirmed.contains(seen), "\(seen) are confirmed")
  let before = world.lineCount("received")
  try world.succeed(delivery)
  // What was not confirmed is sent again, and nothing that was.
  let received = world.read("received").split(separator: "\n").compactMap { Int($0) }
  #expect(Array(received.dropFirst(before)) == Array(stride(from: seen + 1, through: 20, by: 1)))
  #expect(Set(received) == Set(1...20))
  #expect(try world.confirmed() == 20)
  try world.goOn()
}

private func expectSynced(_ world: World, at point: Injection, visible: [Int]) throws {
  try world.addSource()
  let seen = try world.killedSync(at: point)
  #expect(visible.contains(seen), "\(seen) records are visible")
  try world.expectResumed(seen)
}

extension CrashPoint {
  static let syncs = [
    CrashPoint("sync-staging") { world in
      try expectSynced(world, at: .logWrite(2), visible: [0])
    },
    CrashPoint("sync-staged") { world in
      try expectSynced(world, at: .committed(1), visible: [0])
    },
    CrashPoint("sync-publish-before-sync") { world in
      try expectSynced(world, at: .logSync(1), visible: [0, 10])
    },
    CrashPoint("sync-published") { world in
      try expectSynced(world, at: .committed(3), visible: [10])
    },
    CrashPoint("target-sent") { world in
      try expectDelivered(world, at: .logWrite(1), confirmed: [0])
    },
    CrashPoint("target-confirm-before-sync") { world in
      try expectDelivered(world, at: .logSync(1), confirmed: [0, 10, 20])
    },
    CrashPoint("target-confirmed") { world in
      try expectDelivered(world, at: .committed(1), confirmed: [10, 20])
    },
    CrashPoint("sync-sweeping") { world in
      try world.addSource()
      // What the first has staged is swept at the end of the second.
      #expect(try world.killedSync(at: .committed(1)) == 0)
      #expect(
        try world.killedSync(at: Injection(call: "flock", number: 11, path: World.gate)) == 20)
      try world.expectResumed(20)
    },
  ]
}

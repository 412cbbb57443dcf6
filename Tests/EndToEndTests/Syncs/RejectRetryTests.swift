import Foundation
import Testing

/// Records that a sync set aside are taken again, whatever is killed meanwhile.
@Suite(.serialized)
struct RejectRetryTests {
  /// A source that has set aside as many records, each a text where a number is expected.
  private func source(_ count: Int, in world: World) throws {
    try world.write(
      #"""
      import sys
      out = sys.stdout
      out.write('{"type":"SCHEMA","stream":"a","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"w":{"type":"integer"}}}}\n')
      for n in range(int(sys.argv[1])):
          out.write('{"type":"RECORD","stream":"a","record":{"id":%d,"w":"%d"}}\n' % (n, n))
      out.write('{"type":"STATE","value":{"n":1}}\n')
      """#, to: "bad.py")
    try world.succeed([
      "source", "add", "a", "--on-reject", String(count), "--", "python3", "-I", "-S",
      world.folder.path + "/bad.py", String(count),
    ])
    try world.succeed(["sync", "run", "a"])
    try world.succeed(["source", "edit", "a", "--validate", "off"])
  }

  private func rejected(_ world: World) throws -> Int {
    try world.run(["sync", "rejects", "a", "-q"]).lines.count
  }

  @Test("a retry is a sync job of its own, and takes every record once")
  func retry() throws {
    let world = try World()
    try source(1200, in: world)
    let text = try world.succeed(["sync", "rejects", "a", "--retry", "--json"])
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(report["state"] as? String == "succeeded")
    let stream = try #require((report["streams"] as? [[String: Any]])?.first)
    #expect(stream["received"] as? Int == 1200 && stream["added"] as? Int == 1200)
    #expect(try world.succeed(["record", "count", "a", "a"]) == "1200")
    #expect(try rejected(world) == 0)
    #expect(try world.succeed(["sync", "state", "a"]) == "{\"n\":1}")
    // Nothing is left: no job is made for it.
    try world.succeed(["sync", "rejects", "a", "--retry"])
    #expect(try world.jobs().count == 2)
    #expect(try world.runs("a").count == 2)
  }

  @Test("killed at any moment, a retry loses no record and takes none twice")
  func killed() throws {
    let world = try World()
    try source(20_000, in: world)
    var kills = 0
    while kills < 5, try rejected(world) > 0 {
      let before = try rejected(world)
      let command = try world.start(["sync", "rejects", "a", "--retry"])
      // Some pages were taken, and not yet all.
      while command.isRunning, try rejected(world) == before { usleep(1000) }
      for process in World.processes(named: "__sync\u{0}a") where kill(process, SIGKILL) == 0 {
        kills += 1
      }
      kill(command.processIdentifier, SIGKILL)
      command.waitUntilExit()
      let (left, taken) = (
        try rejected(world), try #require(Int(try world.succeed(["record", "count", "a", "a"])))
      )
      #expect(left + taken >= 20_000, "\(left) are set aside, then \(taken) are stored")
    }
    #expect(kills > 0)
    try world.succeed(["sync", "rejects", "a", "--retry"])
    #expect(try rejected(world) == 0)
    #expect(try world.succeed(["record", "count", "a", "a"]) == "20000")
    #expect(try world.run(["store", "check"]).status == 0)
    for run in try world.runs("a") {
      for stream in try #require(run["streams"] as? [[String: Any]]) {
        let counts = stream.compactMapValues { $0 as? Int }
        #expect(
          counts["received"]
            == ["added", "changed", "unchanged", "rejected"].reduce(0) { $0 + (counts[$1] ?? 0) })
      }
    }
  }

  @Test("a retry is refused while a sync of the source runs")
  func excluded() throws {
    let world = try World()
    try source(20, in: world)
    try world.write(
      #"""
      import os, time
      print('{"type":"SCHEMA","stream":"b","key_properties":[],"schema":{}}', flush=True)
      while not os.path.exists("go"): time.sleep(0.02)
      """#, to: "bad.py")
    let running = try world.start(["sync", "run", "a"])
    try world.eventually("the sync runs") {
      try world.standing("a")["state"] as? String == "running"
    }
    let refused = try world.run(["sync", "rejects", "a", "--retry"])
    #expect(refused.status == 81)
    #expect(refused.errorOutput.contains("already"), "\(refused.errorOutput)")
    #expect(try rejected(world) == 20)
    try world.write("", to: "go")
    running.waitUntilExit()
    #expect(running.terminationStatus == 0)
    try world.succeed(["sync", "rejects", "a", "--retry"])
    #expect(try world.succeed(["record", "count", "a", "a"]) == "20")
  }
}

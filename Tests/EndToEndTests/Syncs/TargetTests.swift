import Foundation
import Testing

extension World {
  fileprivate func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }
}

/// A sync into another program.
@Suite(.serialized)
struct TargetTests {
  /// A world with the counting tap as source 'counts', and the words of a target that collects.
  private func world(total: Int) throws -> (World, target: [String]) {
    let world = try World()
    let tap = try world.place("counting.py")
    let target = try world.place("collect.py")
    world.environment["TOTAL"] = String(total)
    try world.succeed(["source", "add", "counts", "--", "python3", "-I", "-S", tap])
    return (world, ["python3", "-I", "-S", target])
  }

  /// The numbers that arrived, in their order.
  private func arrived(_ world: World, _ file: String = "out") -> [Int] {
    world.read(file).split(separator: "\n").compactMap {
      $0.split(separator: "\"n\": ").last.flatMap { Int($0.dropLast()) }
    }
  }

  private func targets(_ world: World) throws -> [[String: Any]] {
    try #require(try world.standing("counts")["targets"] as? [[String: Any]])
  }

  @Test("each target has a bookmark of its own, which is what it said; the store's stays as it is")
  func bookmarks() throws {
    let (world, target) = try world(total: 500)
    try world.succeed(["sync", "run", "counts", "--"] + target + ["a"])
    #expect(arrived(world, "a") == Array(1...500))
    #expect(try targets(world).count == 1)
    #expect(try world.succeed(["sync", "state", "counts", "--target", "1"]) == #"{"n":500}"#)
    #expect(try world.run(["sync", "state", "counts"]).output == "")
    #expect(try world.records("counts") == "")
    // It goes on where this target is, and no other.
    world.environment["TOTAL"] = "600"
    try world.succeed(["sync", "run", "counts", "--"] + target + ["a"])
    #expect(arrived(world, "a") == Array(1...600))
    try world.succeed(["sync", "run", "counts", "--"] + target + ["b"])
    #expect(arrived(world, "b") == Array(1...600))
    try world.succeed(["sync", "run", "counts"])
    #expect(try world.counts("counts")["received"] == 600)
    let runs = try world.runs("counts")
    #expect(runs.map { $0["target"] as? Int } == [nil, 2, 1, 1])
    #expect(runs.last?["bookmark"] as? [String: Int] == ["n": 500])
    // A reset is of one place, and takes that place's runs alone.
    let second = try #require(runs[2]["run"] as? Int)
    let first = try #require(runs[3]["run"] as? Int)
    #expect(try world.run(["sync", "reset", "counts", "--to", "\(second)"]).status == 81)
    #expect(
      try world.run(["sync", "reset", "counts", "--to", "\(first)", "--target", "2"]).status == 81)
    #expect(
      try world.run(["sync", "reset", "counts", "--to", "start", "--target", "9"]).status == 66)
    try world.succeed(["sync", "reset", "counts", "--to", "\(first)", "--target", "1"])
    try world.succeed(["sync", "run", "counts", "--"] + target + ["a"])
    #expect(arrived(world, "a") == Array(1...600) + Array(501...600))
    #expect(try world.succeed(["sync", "state", "counts"]) == #"{"n":600}"#)
    try world.succeed(["sync", "run", "counts", "--full", "--"] + target + ["b"])
    #expect(arrived(world, "b") == Array(1...600) + Array(1...600))
    try world.checkStore()
  }

  @Test("a dry run counts from the target's bookmark and does not start it; a worker may sync too")
  func dryRunAndDetached() throws {
    let (world, target) = try world(total: 200)
    let command = ["--"] + target + ["out"]
    let dry = try world.run(["sync", "run", "counts", "--dry-run"] + command)
    #expect(dry.status == 0 && dry.output.contains("200 RECORD"), "\(dry.output)\(dry.errorOutput)")
    #expect(!world.exists("out"))
    let job = try world.succeed(["sync", "run", "counts", "--detach"] + command)
    #expect(try world.succeed(["sync", "run", "counts", "--detach"] + command) == job)
    // One into the store waits for its turn beside it.
    let other = try world.succeed(["sync", "run", "counts", "--detach"])
    #expect(other != job)
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.state(job) == "succeeded" && world.state(other) == "succeeded")
    #expect(arrived(world) == Array(1...200))
    let dryAgain = try world.run(["sync", "run", "counts", "--dry-run"] + command)
    #expect(dryAgain.output.contains("0 RECORD"))
  }

  @Test("flags that have no meaning are refused")
  func refusals() throws {
    let (world, target) = try world(total: 50)
    let command = ["--"] + target + ["out"]
    for flags in [["--on-reject", "5"], ["--replay", "sometimes"], ["--dry-run", "--detach"]] {
      #expect(try world.run(["sync", "run", "counts"] + flags + command).status == 64, "\(flags)")
    }
    #expect(try world.run(["sync", "run", "counts", "--replay", "safe"]).status == 64)
    #expect(try world.run(["sync", "run", "counts", "--grace", "5s"]).status == 64)
    let empty = try world.run(["sync", "run", "counts", "--"])
    #expect(empty.status == 64 && empty.errorOutput.contains("nothing stands behind '--'"))
    #expect(!world.exists("out"))
    #expect(try world.jobs().isEmpty)
  }

  private struct Failing: CustomTestStringConvertible {
    var name: String
    var target: String
    var state: String
    var code: String
    var words: String
    var flags: [String] = ["--replay", "safe"]
    var bookmark: String? = nil
    var testDescription: String { name }
  }

  private static let cases = [
    Failing(
      name: "not there", target: "", state: "failed", code: "target_not_found",
      words: "cannot be executed"),
    Failing(
      name: "a configuration that the target refuses",
      target: "cat >/dev/null; echo 'CRITICAL Config is missing' >&2; exit 1", state: "failed",
      code: "target_config", words: "Config is missing"),
    Failing(
      name: "a failure after everything was read",
      target: "cat >/dev/null; echo 'CRITICAL connection reset' >&2; exit 1", state: "pending",
      code: "target_failed", words: "the target ended with status 1: CRITICAL connection reset"),
    Failing(
      name: "a failure half-way, after a bookmark",
      target: #"head -n 60 >/dev/null; echo '{"n":50}'; exit 3"#, state: "pending",
      code: "target_failed", words: "status 3", bookmark: #"{"n":50}"#),
    Failing(
      name: "a crash", target: "head -n 60 >/dev/null; kill -9 $$", state: "pending",
      code: "target_crashed", words: "SIGKILL"),
    Failing(
      name: "an end with status 0 before everything was read",
      target: #"head -n 60 >/dev/null; echo '{"n":50}'"#, state: "failed",
      code: "target_ended_early", words: "before it had read everything",
      bookmark: #"{"n":50}"#),
    Failing(
      name: "an end with status 0 that leaves what fits into a pipe",
      target: "head -c 10 >/dev/null; sleep 2", state: "failed", code: "target_ended_early",
      words: "before it had read everything"),
    Failing(
      name: "one that never reads", target: "trap '' TERM; while :; do sleep 0.1; done",
      state: "pending", code: "target_hung", words: "neither read nor said anything for 6s",
      flags: ["--idle-timeout", "6s", "--replay", "safe"]),
    Failing(
      name: "one that may not be sent anything twice",
      target: "head -n 60 >/dev/null; exit 1", state: "uncertain", code: "target_failed",
      words: "sent records that it has not confirmed", flags: []),
  ]

  @Test(
    "a target that fails is told by its class, and nothing counts that it has not confirmed",
    arguments: cases)
  private func failures(_ failing: Failing) throws {
    let (world, _) = try world(total: 500)
    if !failing.target.isEmpty { try world.script(failing.target, as: "target") }
    let id = try world.succeed(
      ["sync", "run", "counts", "--detach"] + failing.flags + ["--", "./target"])
    try world.succeed(["job", "work", "-w", "main", "--once"])
    let job = try world.job(id)
    #expect(job["state"] as? String == failing.state)
    let run = try #require(try world.runs("counts").first)
    #expect(run["state"] as? String == "failed")
    let error = try #require(run["error"] as? [String: Any])
    #expect(error["code"] as? String == failing.code)
    let message = try #require(error["message"] as? String)
    #expect(message.contains(failing.words), "\(message)")
    let told = job["error"] as? [String: Any]
    #expect((told?["message"] as? String)?.contains(failing.words) == true, "\(told ?? [:])")
    #expect(
      try world.run(["sync", "state", "counts", "--target", "1"]).output
        == (failing.bookmark.map { $0 + "\n" } ?? ""))
    #expect(World.processes(named: world.folder.path + "/counting.py").isEmpty)
  }

  @Test("what the target counts is compared with what it was sent")
  func counts() throws {
    let (world, target) = try world(total: 120)
    try world.succeed(["sync", "run", "counts", "--"] + target + ["a", "0"])
    let good = try #require(try world.standing("counts")["streams"] as? [[String: Any]])
    #expect(good.first?["received"] as? Int == 120 && good.first?["counted"] as? Int == 120)
    #expect(good.first?["added"] is NSNull)
    let bad = try world.run(["sync", "run", "counts", "--"] + target + ["b", "-1"])
    #expect(bad.status == 1)
    #expect(
      bad.errorOutput.contains(
        "the target counted 119 records of stream 'counts', but was sent 120"))
    #expect(try world.state("2") == "failed")
  }

  @Test("a line of the target that is no bookmark is counted and passed over")
  func noBookmarks() throws {
    let (world, _) = try world(total: 100)
    try world.script(
      #"echo hello; echo 5; echo '{}'; cat >/dev/null; printf '{"n":100}'; echo; printf '{"n":1'"#,
      as: "target")
    let result = try world.run(["sync", "run", "counts", "--", "./target"])
    #expect(result.status == 0)
    #expect(result.errorOutput.contains("no bookmark, and were passed over: 3"), "\(result)")
    #expect(try world.succeed(["sync", "state", "counts", "--target", "1"]) == #"{"n":100}"#)
    // An empty bookmark replaces none, and a target that says nothing confirms nothing.
    try world.script("echo '{}'; cat >/dev/null", as: "target")
    world.environment["TOTAL"] = "150"
    let silent = try world.run(["sync", "run", "counts", "--", "./target"])
    #expect(silent.status == 0)
    #expect(try world.succeed(["sync", "state", "counts", "--target", "1"]) == #"{"n":100}"#)
  }

  @Test("a target that was left in doubt is synced again only when a person says so")
  func uncertain() throws {
    let (world, _) = try world(total: 200)
    try world.script(
      "[ -e mended ] && { cat >>out; exit; }; head -n 9 >/dev/null; exit 1", as: "target")
    let first = try world.run(["sync", "run", "counts", "--", "./target"])
    #expect(first.status == 83, "\(first.errorOutput)")
    try world.write("", to: "mended")
    let again = try world.run(["sync", "run", "counts", "--", "./target"])
    #expect(again.status == 83)
    #expect(again.errorOutput.contains("hotglue job resolve 1"), "\(again.errorOutput)")
    // The store, and other targets, are not held up.
    try world.succeed(["sync", "run", "counts"])
    try world.succeed(["job", "resolve", "1", "--as", "failed", "--reason", "looked"])
    try world.succeed(["sync", "run", "counts", "--", "./target"])
    #expect(world.read("out").contains("\"n\":200"))
  }

  @Test("a last line that is whole, but for its end, reaches the target; half a line does not")
  func lastLine() throws {
    let world = try World()
    let record = #"{"type":"RECORD","stream":"a","record":{"id":1}}"#
    let lines = [World.schemaLine, record, #"{"type":"STATE","value":{"n":1}}"#]
    try world.write(lines.joined(separator: "\n"), to: "whole")
    try world.write(lines.joined(separator: "\n").dropLast().description, to: "half")
    try world.script(#"cat >>out; echo '{"n":1}'"#, as: "target")
    try world.succeed(["source", "add", "whole", "--", "cat", "whole"])
    try world.succeed(["sync", "run", "whole", "--", "./target"])
    #expect(world.read("out") == lines.map { $0 + "\n" }.joined())
    #expect(try world.succeed(["sync", "state", "whole", "--target", "1"]) == #"{"n":1}"#)
    try world.write("", to: "out")
    try world.succeed(["source", "add", "half", "--", "cat", "half"])
    let half = try world.run(["sync", "run", "half", "--", "./target"])
    #expect(half.status == 83)
    #expect(half.errorOutput.contains("the tap's output ends in the middle of line 3"), "\(half)")
    #expect(world.read("out") == lines.dropLast().map { $0 + "\n" }.joined())
  }

  @Test("a signal lets the target finish what it was given, and its last word counts")
  func drains() throws {
    let (world, target) = try world(total: 1_000_000)
    let running = try world.start(["sync", "run", "counts", "--"] + target + ["out"])
    try world.eventually("something has arrived") { world.lineCount("out") > 100 }
    kill(running.processIdentifier, SIGTERM)
    running.waitUntilExit()
    #expect(running.terminationStatus == 143)
    #expect(try world.state("1") == "cancelled")
    let numbers = arrived(world)
    #expect(numbers == Array(1...numbers.count))
    let state = try world.succeed(["sync", "state", "counts", "--target", "1"])
    #expect(state == "{\"n\":\(numbers.count / 50 * 50)}")
    #expect(World.programs(named: world.folder.path + "/collect.py").isEmpty)
    // A deaf one has its grace, and no more.
    try world.script("trap '' TERM; echo up >>up; while :; do sleep 0.1; done", as: "deaf")
    let deaf = try world.start(
      ["sync", "run", "counts", "--grace", "500ms", "--", world.folder.path + "/deaf"])
    try world.eventually("the target runs") { world.lineCount("up") == 1 }
    kill(deaf.processIdentifier, SIGTERM)
    deaf.waitUntilExit()
    #expect(deaf.terminationStatus == 143)
    #expect(World.programs(named: world.folder.path + "/deaf").isEmpty)
  }

  @Test("a slow target slows the tap: what waits between them is bounded")
  func backPressure() throws {
    let world = try World()
    // 120 MB, as fast as it is taken.
    let padding = String(repeating: "x", count: 900)
    try world.script(
      """
      printf '%s\\n' '\(World.schemaLine)'
      yes '{"type":"RECORD","stream":"a","record":{"pad":"\(padding)"}}' | head -n 120000
      echo '{"type":"STATE","value":{"n":1}}'
      echo done >tapped
      """, as: "tap")
    try world.script(
      "echo up >up; while [ ! -e go ]; do sleep 0.05; done; wc -l >lines; echo '{\"n\":1}'",
      as: "target")
    let name = "a" + UUID().uuidString.prefix(8).lowercased()
    try world.succeed(["source", "add", name, "--", "./tap"])
    let running = try world.start(["sync", "run", name, "--", "./target"])
    try world.eventually("the target runs") { world.exists("up") }
    let attempt = try #require(World.processes(named: "__sync\u{0}\(name)").first)
    var seen: Substring?
    var looks = 0
    try world.eventually("nothing is read from the tap any more") {
      let facts = try String(contentsOfFile: "/proc/\(attempt)/io", encoding: .utf8)
      let read = facts.split(separator: "\n").first
      looks = read == seen ? looks + 1 : 0
      seen = read
      return looks == 20
    }
    #expect(!world.exists("tapped"))
    let status = try String(contentsOfFile: "/proc/\(attempt)/status", encoding: .utf8)
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = peak?.split(separator: " ").compactMap { Int($0) }.first ?? .max
    #expect(kilobytes < 60_000, "\(peak ?? "")")
    try world.write("", to: "go")
    running.waitUntilExit()
    #expect(running.terminationStatus == 0)
    #expect(world.read("lines").contains("120002"))
  }
}

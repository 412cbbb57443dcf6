import Foundation
import Testing

/// A sync whose parts are killed, again and again.
@Suite(.serialized)
struct SyncCrashTests {
  private static let total = 20000

  /// The records after the first `n` messages of the counting tap.
  private func expected(after n: Int) -> String {
    var last: [Int: Int] = [:]
    for n in stride(from: 1, through: n, by: 1) { last[n % 997] = n }
    return last.sorted { $0.key < $1.key }.map { "{\"id\":\($0.key),\"n\":\($0.value)}" }
      .joined(separator: "\n")
  }

  /// How many messages of the tap led to what a reader sees; every such number is a multiple of fifty.
  private func check(_ seen: String, _ moment: String) throws -> Int {
    let last =
      seen.split(separator: "\n").compactMap { line in
        line.split(separator: "\"n\":").last.flatMap { Int($0.dropLast()) }
      }.max() ?? 0
    try #require(last % 50 == 0, "\(moment): the last record is \(last)")
    try #require(seen == expected(after: last), "\(moment): not the records after \(last) messages")
    return last
  }

  @Test(
    "killed at 100 seeded moments a sync ends in the same records, and shows no state in between that it would not have shown undisturbed"
  )
  func killedAtSeededMoments() throws {
    let world = try World()
    let tap = try world.place("counting.py")
    world.environment["TOTAL"] = String(Self.total)
    var random = Seeded(state: 0x5EED)
    var kills = ["tap": 0, "attempt": 0, "command": 0]
    var kinds: [String] = []
    var sources = 0
    var reads = 0
    // How many of the moments find anything to kill is the machine's affair.
    func isEnough() -> Bool {
      kinds.count >= 100 && sources >= 2 && kills.allSatisfy { $0.value >= 10 }
    }
    while !isEnough() {
      sources += 1
      try #require(sources < 100, "\(kills)")
      let source = "k" + UUID().uuidString.prefix(8).lowercased()
      try world.succeed(["source", "add", source, "--", "python3", "-I", "-S", tap])
      var furthest = 0
      while !isEnough(), furthest < Self.total {
        let command = try world.start(["sync", "run", source])
        let kind = random.next() % 4
        // What kills the command alone comes at any moment, also before there is a tap.
        while kind != 2, command.isRunning, World.processes(named: tap).isEmpty { usleep(2000) }
        // Somebody reads all the while, up to the moment of the kill and after it.
        let moment = Date() + Double(random.next() % 200_000) / 1_000_000
        repeat {
          let seen = try check(try world.records(source), "before kill \(kinds.count + 1)")
          try #require(seen >= furthest, "went back from \(furthest) to \(seen)")
          furthest = seen
          reads += 1
        } while Date() < moment
        var killed: [String] = []
        if kind == 0 || kind == 3 {
          let found = World.processes(named: tap).filter { kill($0, SIGKILL) == 0 }
          if !found.isEmpty { killed.append("tap") }
        }
        if kind == 1 || kind == 3 {
          let found = World.processes(named: "__sync\u{0}\(source)").filter {
            kill($0, SIGKILL) == 0
          }
          if !found.isEmpty { killed.append("attempt") }
        }
        if kind >= 2, command.isRunning, kill(command.processIdentifier, SIGKILL) == 0 {
          killed.append("command")
        }
        if !killed.isEmpty {
          kinds.append(killed.joined(separator: "+"))
          for part in killed { kills[part, default: 0] += 1 }
        }
        let words = "kill \(kinds.count) (\(killed.joined(separator: "+")))"
        let seen = try check(try world.records(source), words)
        try #require(seen >= furthest, "\(words): went back from \(furthest) to \(seen)")
        furthest = seen
        // A job that waits out a back-off is run at once by the next command: this one is not needed.
        if command.isRunning { kill(command.processIdentifier, SIGKILL) }
        command.waitUntilExit()
      }
      try awaitRecorded(world)
      let status = try world.run(["sync", "run", source])
      try #require(status.status == 0, "\(status.errorOutput)")
      #expect(try world.records(source) == expected(after: Self.total))
    }
    #expect(reads >= 100)
    try world.checkStore()
  }

  @Test(
    "killed at 30 seeded moments a sync into target-jsonl has given it every record in the end, and its bookmark is always one that it said"
  )
  func targetKilledAtSeededMoments() throws {
    let total = 4000
    let world = try World()
    let tap = try world.place("counting.py")
    let target = try World.realTaps() + "/target-jsonl/bin/target-jsonl"
    world.environment["TOTAL"] = String(total)
    try world.write(#"{"destination_path":"written"}"#, to: "target.json")
    let command = ["--replay", "safe", "--", target, "--config", "target.json"]
    var random = Seeded(state: 0x7A26E7)
    var kills = ["tap": 0, "target": 0, "attempt": 0, "command": 0]
    var count = 0
    var sources = 0
    func isEnough() -> Bool { count >= 30 && kills.allSatisfy { $0.value >= 2 } }
    while !isEnough() {
      sources += 1
      try #require(sources < 30, "\(kills)")
      let source = "k" + UUID().uuidString.prefix(8).lowercased()
      try world.succeed(["source", "add", source, "--", "python3", "-I", "-S", tap])
      try? FileManager.default.removeItem(at: world.folder.appendingPathComponent("written"))
      for _ in 0..<10 where !isEnough() {
        let running = try world.start(["sync", "run", source] + command)
        let kind = ["tap", "target", "attempt", "command"][random.next() % 4]
        let wanted = kind == "target" ? target : tap
        try world.eventually("something runs") {
          !running.isRunning || !World.processes(named: wanted).isEmpty
        }
        // The tap is done long before the target is.
        usleep(useconds_t(random.next() % (kind == "tap" ? 150_000 : 700_000)))
        let found: [Int32] =
          switch kind {
          case "tap": World.processes(named: tap)
          case "target": World.processes(named: target)
          case "attempt": World.processes(named: "__sync\u{0}\(source)")
          default: [running.processIdentifier]
          }
        if running.isRunning, found.contains(where: { kill($0, SIGKILL) == 0 }) {
          count += 1
          kills[kind, default: 0] += 1
        }
        // What the target has confirmed covers nothing that it has not written.
        let state = try world.run(["sync", "state", source, "--json", "--target", "\(sources)"])
        if state.status == 0, let place = number(in: state.output) {
          #expect(try Set(1...place).isSubset(of: written(world)), "\(kind) at kill \(count)")
        }
        if running.isRunning { kill(running.processIdentifier, SIGKILL) }
        running.waitUntilExit()
      }
      try awaitRecorded(world)
      let last = try world.run(["sync", "run", source] + command)
      try #require(last.status == 0, "\(last.errorOutput)")
      #expect(try written(world) == Set(1...total))
      #expect(
        try world.succeed(["sync", "state", source, "--target", "\(sources)"])
          == "{\"n\":\(total)}")
    }
    try world.checkStore()
  }

  /// What was killed last may have been the last attempt that its job was allowed: whoever found it still
  /// running would be told that it has failed for good.
  private func awaitRecorded(_ world: World) throws {
    try world.eventually("what was killed is recorded") {
      // Its supervisor does that, unless it was killed as well.
      try world.succeed(["job", "reclaim", "-w", "main"])
      return try world.stateCounts()["running"] == nil
    }
  }

  private func number(in text: String) -> Int? {
    text.split(separator: "\"n\":").dropFirst().first.flatMap {
      Int($0.prefix(while: \.isNumber))
    }
  }

  /// The numbers that target-jsonl has written; a line that a kill cut off says nothing.
  private func written(_ world: World) throws -> Set<Int> {
    let folder = world.folder.appendingPathComponent("written")
    guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
    var numbers: Set<Int> = []
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      for line in text.split(separator: "\n") where line.hasSuffix("}") {
        guard let found = line.split(separator: "\"n\": ").last, let number = Int(found.dropLast())
        else { continue }
        numbers.insert(number)
      }
    }
    return numbers
  }
}

import Foundation
import Testing

/// Switches of one context by many processes, killed anywhere.
@Suite(.serialized)
struct SwitchTests {
  @Test(
    "two hundred switches by four processes at once, killed at random: every read is whole, no generation is missing, and log, drafts and context agree"
  )
  func twoHundredSwitches() throws {
    let world = try World()
    let workspaces = ["main", "acme", "beta"]
    for id in workspaces.dropFirst() { try world.succeed(["workspace", "create", id]) }
    // In each workspace a draft that is reset, and one that is discarded.
    var drafts: [String: [String]] = [:]
    for id in workspaces {
      for text in ["[job]\ncommand = [\"a\"]\n", "[type.t]\ncommand = [\"a\"]\n"] {
        let kind = text.hasPrefix("[job]") ? "job" : "type"
        let draft = try world.succeed(
          ["-w", id, "draft", "new", kind, "--from", "-", "-q"], input: text)
        drafts[id, default: []].append(draft)
      }
    }
    let reader = Reader(path: world.folder.path + "/.hotglue/context.json")
    let reading = Thread { reader.run() }
    reading.start()
    var killed = 0
    var round = 0
    // How many of them are killed before they have ended is the machine's affair.
    while round < 5 || killed < 20 {
      defer { round += 1 }
      try #require(round < 40, "\(killed) were killed")
      let logged = try rows(world).count
      killed += try switches(world, among: workspaces, seed: UInt64(round))
      // Whoever resolves the context next puts right what was cut short.
      let current = try world.succeed(["workspace", "current"])
      let log = try rows(world)
      let shown = try context(world)
      #expect(shown["generation"] as? Int == log.count, "a row for each generation")
      #expect(log.last == current)
      #expect(!zip(log, log.dropFirst()).contains { $0 == $1 }, "no switch to where it was")
      // A workspace that was left has all its drafts in the bin, another one has them open.
      let left = Set(log[(logged - 1)...].dropLast())
      for id in workspaces {
        let open = try world.succeed(["-w", id, "draft", "list", "-q"])
        let binned = try world.succeed(["-w", id, "draft", "list", "--bin", "-q"])
        let all = try #require(drafts[id]).reversed().joined(separator: "\n")
        #expect(open == (left.contains(id) ? "" : all), "open in \(id), round \(round)")
        #expect(binned == (left.contains(id) ? all : ""), "in the bin of \(id), round \(round)")
        if left.contains(id) {
          try world.succeed(["-w", id, "draft", "restore"] + #require(drafts[id]))
        }
      }
      try world.checkStore()
    }
    reader.stop()
    try world.eventually("the reader has ended") { reading.isFinished }
    #expect(reader.reads > 100)
    #expect(reader.broken == [])
  }

  /// Forty switches by four at once, a third of them killed somewhere; returns how many were.
  private func switches(
    _ world: World, among workspaces: [String], seed: UInt64
  ) throws -> Int {
    let tally = Tally()
    let racers = DispatchGroup()
    for racer in 0..<4 {
      racers.enter()
      // A thread each: whatever shares a pool would wait for a free processor.
      Thread.detachNewThread {
        defer { racers.leave() }
        var random = Dice(state: seed &* 97 &+ UInt64(racer) &+ 1)
        for _ in 0..<10 {
          let target = workspaces[random.next(workspaces.count)]
          let delay = random.next(3) == 0 ? UInt32(random.next(30_000)) : nil
          tally.note { try Self.oneSwitch(world, to: target, killedAfter: delay, racer) }
        }
      }
    }
    racers.wait()
    #expect(tally.failures == [])
    return tally.killed
  }

  /// Whether it was killed; what it said when it failed.
  private static func oneSwitch(
    _ world: World, to target: String, killedAfter delay: UInt32?, _ racer: Int
  ) throws -> (killed: Bool, failure: String?) {
    let errors = world.folder.appendingPathComponent("errors-\(racer)")
    let process = try world.start(
      ["workspace", "switch", target, "--discard-drafts"], errors: errors)
    if let delay {
      usleep(delay)
      kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    if process.terminationReason == .uncaughtSignal { return (true, nil) }
    if process.terminationStatus == 0 { return (false, nil) }
    return (false, "\(process.terminationStatus): \(world.read(errors.lastPathComponent))")
  }

  /// Where each switch of the log led, oldest first.
  private func rows(_ world: World) throws -> [String] {
    let query = "SELECT workspace FROM activity WHERE subject LIKE 'context/%' ORDER BY id"
    let result = try world.command(
      "/usr/bin/sqlite3", [world.folder.path + "/.hotglue/store.db", query])
    try #require(result.status == 0, "\(result.errorOutput)")
    return result.lines
  }

  private func context(_ world: World) throws -> [String: Any] {
    let text = try world.succeed(["context", "show", "--json"])
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }
}

private final class Tally: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  private var found: [String] = []

  var killed: Int { lock.withLock { count } }
  var failures: [String] { lock.withLock { found } }

  func note(_ run: () throws -> (killed: Bool, failure: String?)) {
    let failure: String?
    do {
      let result = try run()
      failure = result.failure
      if result.killed { lock.withLock { count += 1 } }
    } catch {
      failure = "\(error)"
    }
    if let failure { lock.withLock { found.append(failure) } }
  }
}

private struct Dice {
  var state: UInt64
  mutating func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
}

/// Reads a context file again and again, and keeps what was not whole or went back.
private final class Reader: @unchecked Sendable {
  private let path: String
  private let lock = NSLock()
  private var isStopped = false
  private var generation = 0
  private var count = 0
  private var findings: [String] = []

  init(path: String) { self.path = path }

  var reads: Int { lock.withLock { count } }
  var broken: [String] { lock.withLock { findings } }
  func stop() { lock.withLock { isStopped = true } }

  func run() {
    while !lock.withLock({ isStopped }) {
      let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? "nothing"
      let object =
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
      lock.withLock {
        count += 1
        guard let found = object["generation"] as? Int, object["workspace"] is String,
          text.hasSuffix("}\n"), found >= generation
        else {
          findings.append("after generation \(generation): \(text)")
          return
        }
        generation = found
      }
      usleep(1000)
    }
  }
}

import Foundation
import Testing

private let order = [
  "job", "enqueue", "-w", "main", "--key", "k", "--", "sh", "-c", "echo x >>runs",
]

/// What was not acknowledged is there whole or not at all; given again with its key it is there once.
private func expectOnce(_ world: World) throws {
  #expect(try world.findings() == [])
  #expect(try world.jobs().count <= 1)
  let id = try world.succeed(order)
  #expect(try world.jobs().count == 1)
  try world.goOn()
  try world.expectRunOnce(id)
}

extension CrashPoint {
  static let enqueue = [
    CrashPoint("enqueue-at-turnstile") { world in
      try world.killed(order, at: Injection(call: "flock", number: 1, path: World.turnstile))
      #expect(try world.jobs().isEmpty)
      try expectOnce(world)
    },
    CrashPoint("enqueue-before-gate") { world in
      try world.killed(order, at: Injection(call: "flock", number: 1, path: World.gate))
      #expect(try world.jobs().isEmpty)
      try expectOnce(world)
    },
    CrashPoint("enqueue-in-gate") { world in
      try world.killed(order, at: Injection(call: "flock", number: 2, path: World.turnstile))
      #expect(try world.jobs().isEmpty)
      try expectOnce(world)
    },
    CrashPoint("enqueue-writing") { world in
      try world.killed(order, at: .logWrite(1))
      #expect(try world.jobs().isEmpty)
      try expectOnce(world)
    },
    CrashPoint("enqueue-before-sync") { world in
      try world.killed(order, at: .logSync(1))
      try expectOnce(world)
    },
    CrashPoint("enqueue-committed") { world in
      try world.killed(order, at: .committed(1))
      #expect(try world.jobs().count == 1)
      try expectOnce(world)
    },
    CrashPoint("enqueue-before-answer") { world in
      // The answer is the only `write` of the command.
      let result = try world.killed(order, at: Injection(call: "write", number: 1))
      #expect(result.output.isEmpty)
      #expect(try world.jobs().count == 1)
      try expectOnce(world)
    },
    CrashPoint("enqueue-many-writing") { world in
      let lines = (1...200).map { "{\"command\":[\"true\"],\"payload\":{\"n\":\($0)}}\n" }.joined()
      try world.killed(
        ["job", "enqueue", "-w", "main", "--jsonl", "-"], at: .logWrite(2), input: lines)
      #expect(try world.jobs().isEmpty)
      try expectOnce(world)
    },
  ]

  static let checkpoint = [
    CrashPoint("checkpoint-log-sync") { world in
      try expectWhole(world, lines: 300, at: .logSync(1))
    },
    CrashPoint("checkpoint-copying") { world in
      try expectWhole(
        world, lines: 300, at: Injection(call: "pwrite64", number: 40, path: World.database))
    },
    CrashPoint("checkpoint-before-sync") { world in
      try expectWhole(
        world, lines: 300, at: Injection(call: "fdatasync", number: 1, path: World.database))
    },
    CrashPoint("checkpoint-log-restart") { world in
      try expectWhole(world, lines: 300, at: .logWrite(2))
    },
    CrashPoint("checkpoint-truncate") { world in
      try expectWhole(
        world, lines: 2500, at: Injection(call: "ftruncate", number: 1, path: World.log))
    },
  ]
}

/// A long log, whose content the next command moves into the database; that command is killed.
private func expectWhole(_ world: World, lines count: Int, at point: Injection) throws {
  let filler = String(repeating: "x", count: 3900)
  let lines = (1...count).map { _ in
    "{\"command\":[\"true\"],\"run_at\":\"2999-01-01T00:00:00Z\",\"payload\":\"\(filler)\"}"
  }
  _ = try world.enqueueLines(lines)
  try world.killed(order, at: point)
  #expect(try world.findings() == [])
  let kept = try world.succeed(["store", "info", "--json"])
  #expect(
    kept.contains("\"pending\":\(count)") || kept.contains("\"pending\":\(count + 1)"), "\(kept)")
  let id = try world.succeed(order)
  try world.goOn()
  try world.expectRunOnce(id)
}

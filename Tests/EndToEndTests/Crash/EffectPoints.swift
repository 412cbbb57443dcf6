import Foundation
import Testing

private func effect(_ script: String = "echo x >>runs; echo said") -> [String] {
  ["effect", "run", "k", "--scope", "workspace", "-w", "main", "--", "sh", "-c", script]
}

private func expectNotBegun(_ world: World) throws {
  #expect(world.lineCount("runs") == 0)
  #expect(try world.findings() == [])
  #expect(try world.succeed(effect()) == "said")
  #expect(world.lineCount("runs") == 1)
}

/// It may have happened: asked for again it is refused, and nothing runs.
private func expectUnknown(
  _ world: World, runs: Int, of command: [String] = effect()
) throws {
  let seen = try world.diagnosis()
  #expect(seen.findings == [])
  #expect(seen.notes.contains("effect_unknown"))
  let again = try world.run(command)
  #expect(again.status == 83, "\(again)")
  #expect(world.lineCount("runs") == runs)
}

extension CrashPoint {
  static let effects = [
    CrashPoint("effect-intent-writing") { world in
      try world.killed(effect(), at: .logWrite(1))
      try expectNotBegun(world)
    },
    CrashPoint("effect-intended") { world in
      try world.killed(effect(), at: .committed(1))
      try expectUnknown(world, runs: 0)
    },
    CrashPoint("effect-running") { world in
      let command = effect("echo x >>runs; exec sleep 300")
      let run = try world.start(command)
      try world.eventually("the command runs") { world.lineCount("runs") == 1 }
      World.end(run)
      try expectUnknown(world, runs: 1, of: command)
    },
    CrashPoint("effect-before-confirmation") { world in
      try world.killed(effect(), at: Injection(call: "flock", number: 3, path: World.gate))
      try expectUnknown(world, runs: 1)
    },
    CrashPoint("effect-confirmed") { world in
      try world.killed(effect(), at: .committed(2))
      #expect(try world.succeed(effect()) == "said", "the recorded output is printed again")
      #expect(world.lineCount("runs") == 1)
      #expect(try world.findings() == [])
    },
  ]
}

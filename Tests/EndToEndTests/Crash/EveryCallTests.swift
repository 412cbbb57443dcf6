import Foundation
import Testing

/// The rows of the table are the steps that a person tells apart. Here a command is killed at each of
/// its calls that change a file, one after the other, whatever it does there.
@Suite(.serialized)
struct EveryCallTests {
  struct Command: Sendable, CustomTestStringConvertible {
    var words: [String]
    /// Every so many calls.
    var step = 1
    /// What the world needs before.
    var prepare: @Sendable (World) throws -> Void = { _ in }
    /// What is true wherever it was killed, and after it is done again.
    var again: @Sendable (World) throws -> Void

    var testDescription: String { words.joined(separator: " ") }
  }

  private static let calls = "pwrite64,write,fdatasync,fsync,flock,rename,link,unlink,ftruncate,mkdir"

  private static let commands = [
    Command(words: ["job", "enqueue", "-w", "main", "--key", "k", "--", "true"]) { world in
      try world.succeed(["job", "enqueue", "-w", "main", "--key", "k", "--", "true"])
      #expect(try world.jobs().count == 1)
    },
    Command(
      words: ["workspace", "switch", "beta"],
      prepare: { try $0.succeed(["workspace", "create", "beta"]) }
    ) { world in
      try world.succeed(["workspace", "switch", "beta"])
      #expect(try world.succeed(["workspace", "current"]) == "beta")
    },
    Command(
      words: ["store", "prune", "--older-than", "1ms", "--yes"],
      prepare: { world in
        try world.enqueue("echo said")
        try world.succeed(["job", "work", "-w", "main", "--drain"])
      }
    ) { world in
      try world.succeed(["store", "prune", "--older-than", "1ms", "--yes"])
      #expect(try world.jobs().isEmpty)
    },
    Command(words: ["store", "backup", "kept.db"], step: 4, prepare: { try $0.enqueue("true") }) {
      world in
      let isThere = FileManager.default.fileExists(atPath: world.folder.path + "/kept.db")
      if !isThere { try world.succeed(["store", "backup", "kept.db"]) }
      try world.succeed(["store", "restore", "kept.db", "--yes"])
      #expect(try world.jobs().count == 1)
    },
    Command(
      words: ["store", "restore", "kept.db", "--yes"], step: 12,
      prepare: { world in
        try world.enqueue("true")
        try world.succeed(["store", "backup", "kept.db"])
      }
    ) { world in
      try world.succeed(["store", "restore", "kept.db", "--yes"])
      #expect(try world.jobs().count == 1)
    },
    Command(
      words: ["job", "reclaim", "-w", "main"],
      prepare: { world in
        let (_, worker, supervisor) = try world.waitingAttempt()
        World.end(worker)
        kill(supervisor, SIGKILL)
        try world.eventually("it is dead") { try world.findings() == ["attempt_dead"] }
      }
    ) { world in
      try world.succeed(["job", "reclaim", "-w", "main"])
      #expect(try world.stateCounts() == ["uncertain": 1])
      #expect(world.lineCount("runs") == 1)
    },
  ]

  @Test("a command that is killed at any call leaves a sound store, and works again", arguments: commands)
  func everyCall(_ command: Command) throws {
    var points = 0
    for number in stride(from: 1, to: 2000, by: command.step) {
      let world = try World()
      try command.prepare(world)
      let (_, wasHit) = try world.tried(
        command.words, at: Injection(call: Self.calls, number: number))
      guard wasHit else { break }
      points += 1
      let found = try world.findings().filter {
        // What the next command settles.
        $0 != "switch_open" && $0 != "attempt_dead"
      }
      #expect(found == [], "at call \(number)")
      try command.again(world)
      #expect(try world.findings() == [], "after call \(number)")
    }
    #expect(points >= 5, "\(points) points")
    print("killed at \(points) calls: \(command.testDescription)")
  }

  @Test("whichever processes of a worker die at a call, an unsafe job is not run twice and none is stuck")
  func everyCallOfAWorker() throws {
    var points = 0
    for number in stride(from: 1, to: 200, by: 2) {
      let world = try World()
      let id = try world.enqueue("echo x >>runs; echo said")
      let calls = Self.calls + ",renameat,unlinkat,sendto,clone,memfd_create,execve"
      // `strace` itself calls execve for hotglue: that one is the first.
      let (_, wasHit) = try world.tried(
        ["job", "work", "-w", "main", "--drain"], at: Injection(call: calls, number: number + 1))
      guard wasHit else { break }
      points += 1
      try world.goOn()
      let state = try world.state(id)
      #expect(["succeeded", "uncertain"].contains(state), "\(state) at call \(number)")
      #expect(world.lineCount("runs") <= 1, "ran twice at call \(number)")
      #expect(state == "uncertain" || world.lineCount("runs") == 1)
    }
    #expect(points >= 10, "\(points) points")
    print("killed at \(points) calls of a worker and its supervisor")
  }
}

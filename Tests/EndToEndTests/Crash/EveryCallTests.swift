import Foundation
import Testing

/// The rows of the table are the steps that a person tells apart. Here a command is killed at each of
/// its calls that change a file, one after the other, whatever it does there.
///
/// `HOTGLUE_EVERY_CALL=1 Scripts/test` takes every single one, some five minutes.
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

  private static let calls = [
    "pwrite64", "write", "fdatasync", "fsync", "flock", "rename", "link", "unlink", "ftruncate",
    "mkdir",
  ]
  /// With HOTGLUE_EVERY_CALL set every single one; without, as many as a CI has time for.
  private static let isThorough = ProcessInfo.processInfo.environment["HOTGLUE_EVERY_CALL"] != nil

  private static let enqueue = ["job", "enqueue", "-w", "main", "--key", "k", "--", "true"]
  private static let prune = ["store", "prune", "--older-than", "1ms", "--yes"]
  private static let restore = ["store", "restore", "kept.db", "--yes"]

  private static let effect = [
    "effect", "run", "k", "--scope", "workspace", "-w", "main", "--unknown",
    "check=grep -x said runs", "--", "sh", "-c", "echo said >>runs && echo said",
  ]

  private static let commands = [
    Command(
      words: enqueue, step: 3,
      again: { world in
        try world.succeed(enqueue)
        #expect(try world.jobs().count == 1)
      }),
    Command(
      words: effect, step: 4,
      prepare: { try Data().write(to: $0.folder.appendingPathComponent("runs")) },
      again: { world in
        let said = try world.succeed(effect)
        #expect(said == "said")
        #expect(world.lineCount("runs") == 1)
      }),
    Command(
      words: ["workspace", "switch", "beta"], step: 3,
      prepare: { try $0.succeed(["workspace", "create", "beta"]) },
      again: { world in
        try world.succeed(["workspace", "switch", "beta"])
        #expect(try world.succeed(["workspace", "current"]) == "beta")
      }),
    Command(
      words: prune, step: 4,
      prepare: { world in
        try world.enqueue("echo said")
        try world.succeed(["job", "work", "-w", "main", "--drain"])
      },
      again: { world in
        try world.succeed(prune)
        #expect(try world.jobs().isEmpty)
      }),
    Command(
      words: ["store", "backup", "kept.db"], step: 12, prepare: { try $0.enqueue("true") },
      again: { world in
        let isThere = FileManager.default.fileExists(atPath: world.folder.path + "/kept.db")
        if !isThere { try world.succeed(["store", "backup", "kept.db"]) }
        try world.succeed(restore)
        #expect(try world.jobs().count == 1)
      }),
    Command(
      words: restore, step: 30,
      prepare: { world in
        try world.enqueue("true")
        try world.succeed(["store", "backup", "kept.db"])
      },
      again: { world in
        try world.succeed(restore)
        #expect(try world.jobs().count == 1)
      }),
    Command(
      words: ["job", "reclaim", "-w", "main"], step: 4,
      prepare: { world in
        let (_, worker, supervisor) = try world.waitingAttempt()
        World.end(worker)
        kill(supervisor, SIGKILL)
        try world.eventually("it is dead") { try world.findings() == ["attempt_dead"] }
      },
      again: { world in
        try world.succeed(["job", "reclaim", "-w", "main"])
        #expect(try world.stateCounts() == ["uncertain": 1])
        #expect(world.lineCount("runs") == 1)
      }),
  ]

  @Test(
    "a command that is killed at any call leaves a sound store, and works again",
    arguments: commands)
  func everyCall(_ command: Command) throws {
    var points = 0
    let counted = try World()
    try command.prepare(counted)
    let all = try counted.points(of: command.words, among: Self.calls)
    let chosen = stride(from: 0, to: all.count, by: Self.isThorough ? 1 : command.step)
    for index in chosen {
      let world = try World()
      try command.prepare(world)
      let (_, wasHit) = try world.tried(command.words, at: all[index])
      let found = try world.findings().filter {
        // What the next command settles.
        $0 != "switch_open" && $0 != "attempt_dead"
      }
      #expect(found == [], "at \(all[index])")
      try command.again(world)
      #expect(try world.findings() == [], "after \(all[index])")
      points += wasHit ? 1 : 0
    }
    #expect(points >= 5, "\(points) points")
    print("killed at \(points) of \(all.count) calls: \(command.testDescription)")
  }

  @Test(
    "a disk that is full at any one write: the command is done or says so, and the store is sound",
    arguments: commands)
  func everyWriteWithoutRoom(_ command: Command) throws {
    var points = 0
    let counted = try World()
    try command.prepare(counted)
    let writes = ["pwrite64", "write", "ftruncate", "fallocate", "mkdir", "link"]
    let all = try counted.points(of: command.words, among: writes)
    for index in stride(from: 0, to: all.count, by: Self.isThorough ? 1 : (command.step + 3) / 4) {
      var point = all[index]
      point.error = "ENOSPC"
      let world = try World()
      try command.prepare(world)
      let (result, wasHit) = try world.tried(command.words, at: point)
      // Where a command could not write, its own end is told.
      #expect([0, 1, 69, 74, 83].contains(result.status), "\(result) at \(point)")
      #expect(result.status == 0 || !result.errorOutput.isEmpty, "\(result) at \(point)")
      let found = try world.findings().filter {
        // What the next command settles.
        $0 != "switch_open" && $0 != "attempt_dead"
      }
      #expect(found == [], "at \(point)")
      try command.again(world)
      #expect(try world.findings() == [], "after \(point)")
      points += wasHit ? 1 : 0
    }
    #expect(points >= 2, "\(points) points")
    print("no room at \(points) of \(all.count) writes: \(command.testDescription)")
  }

  @Test(
    "whichever processes of a worker die at a call, an unsafe job is not run twice, none is stuck")
  func everyCallOfAWorker() throws {
    let work = ["job", "work", "-w", "main", "--drain"]
    let counted = try World()
    try counted.enqueue("echo x >>runs; echo said")
    let calls = Self.calls + ["renameat", "unlinkat", "sendto", "clone", "execve"]
    let all = try counted.points(of: work, among: calls).filter {
      // The first execve of all is that of `strace` itself.
      $0.call != "execve" || $0.number > 1
    }
    var points = 0
    for index in stride(from: 0, to: all.count, by: Self.isThorough ? 1 : 6) {
      let world = try World()
      let id = try world.enqueue("echo x >>runs; echo said")
      let (_, wasHit) = try world.tried(work, at: all[index])
      points += wasHit ? 1 : 0
      try world.goOn()
      let state = try world.state(id)
      #expect(["succeeded", "uncertain"].contains(state), "\(state) at \(all[index])")
      #expect(world.lineCount("runs") <= 1, "ran twice at \(all[index])")
      #expect(state == "uncertain" || world.lineCount("runs") == 1)
    }
    #expect(points >= 8, "\(points) points")
    print("killed at \(points) of \(all.count) calls of a worker and its supervisor")
  }
}

extension World {
  /// Every call of these kinds that a command makes, as a point to be killed at: of several processes
  /// each has its own count. The command runs to its end for it.
  fileprivate func points(
    of arguments: [String], among calls: [String], on path: String? = nil
  ) throws -> [Injection] {
    let trace = "calls-\(UUID().uuidString)"
    let files = path.map { ["-P", folder.path + "/" + $0] } ?? []
    let result = try command(
      Self.strace,
      [
        "-qq", "-f", "-o", folder.path + "/" + trace, "-e",
        "trace=" + calls.joined(separator: ","),
      ] + files + [binary] + arguments)
    try #require(result.status == 0, "\(result.errorOutput)")
    var counts: [String: Int] = [:]
    var most: [String: Int] = [:]
    var points: [Injection] = []
    for line in read(trace).split(separator: "\n") {
      // `1234  flock(6, LOCK_EX) = 0`
      let process = line.prefix { $0 != " " }
      let rest = line.dropFirst(process.count).drop { $0 == " " }
      let call = String(rest.prefix { $0 != "(" })
      guard calls.contains(call) else { continue }
      let number = counts["\(process) \(call)", default: 0] + 1
      counts["\(process) \(call)"] = number
      guard number > most[call, default: 0] else { continue }
      most[call] = number
      points.append(Injection(call: call, number: number))
    }
    return points
  }
}

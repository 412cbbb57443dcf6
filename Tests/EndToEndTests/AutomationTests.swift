import Foundation
import Testing

@Suite("automations")
struct AutomationTests {
  @Test("three workers fire each occurrence once, and tell the handler which it is")
  func onceAmongWorkers() throws {
    let world = try World()
    try world.succeed([
      "automation", "add", "beat", "--every", "1s", "--timezone", "Europe/Berlin", "--overlap",
      "allow", "--", "sh", "-c",
      "echo \"$HOTGLUE_AUTOMATION $HOTGLUE_OCCURRENCE $HOTGLUE_OCCURRENCE_LOCAL "
        + "$HOTGLUE_PREVIOUS_OCCURRENCE $HOTGLUE_CATCH_UP\" >>runs",
    ])
    let workers = try (0..<3).map { _ in try world.start(["job", "work", "-w", "main"]) }
    try world.eventually("five occurrences run") { world.lineCount("runs") >= 5 }
    try world.succeed(["automation", "check"])
    try world.succeed(["automation", "pause", "beat"])
    for worker in workers { World.end(worker, SIGTERM) }
    try world.goOn()
    let runs = world.read("runs").split(separator: "\n").map {
      $0.split(separator: " ", omittingEmptySubsequences: false)
    }
    let fired = try world.succeed(["automation", "history", "beat", "-q", "--limit", "0"])
      .split(separator: "\n")
    #expect(runs.count == fired.count)
    #expect(Set(runs.map { $0[1] }).count == runs.count, "each occurrence once")
    let seconds = runs.map { run in String(run[1]) }.sorted()
    #expect(seconds.allSatisfy { $0.hasSuffix(".000Z") })
    for run in runs {
      #expect(run[0] == "beat")
      #expect(run[2].hasSuffix("+01:00") || run[2].hasSuffix("+02:00"))
      #expect(run[3].hasSuffix(".000Z") && run[3] < run[1])
    }
  }

  @Test("an idle worker sleeps until the next occurrence: it is not woken for automations")
  func idle() throws {
    let world = try World()
    try world.succeed([
      "automation", "add", "yearly", "--cron", "@yearly", "--timezone", "UTC", "--", "true",
    ])
    let worker = try world.start(["job", "work", "-w", "main"])
    defer { World.end(worker, SIGTERM) }
    try world.eventually("the worker ticks") {
      try world.run(["automation", "check"]).status == 0
    }
    #expect(try world.succeed(["automation", "history", "yearly"]).isEmpty)
  }

  @Test("a drain fires what is due, and runs it")
  func drain() throws {
    let world = try World()
    try world.succeed([
      "automation", "add", "beat", "--every", "1s", "--until", "+2s", "--overlap", "allow", "--",
      "sh", "-c", "echo x >>runs",
    ])
    try world.eventually("the last occurrence has come") {
      try world.succeed(["automation", "next", "beat"]).isEmpty
    }
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect((1...2).contains(world.lineCount("runs")))
  }
}

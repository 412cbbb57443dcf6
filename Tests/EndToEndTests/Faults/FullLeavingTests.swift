import Foundation
import Testing

/// Who is told to go goes, also when the store takes nothing. As root, since file systems are mounted.
@Suite(.serialized)
struct FullLeavingTests {
  /// More than workers want free before they claim anything.
  private let roomy = "72m"

  @Test(
    "on a full disk one TERM ends 'sync run' and 'job run': the job is not cancelled, which is said, and goes on",
    arguments: ["sync", "job"])
  func foreground(noun: String) throws {
    let small = try SmallDisk(roomy)
    let world = small.world
    try world.script(
      """
      echo up >>up
      until [ -e go ]; do sleep 0.05; done
      printf '%s\\n' '\(World.schemaLine)' '{"type":"RECORD","stream":"a","record":{"id":1}}'
      """, as: "tap")
    try world.succeed(["source", "add", "a", "-w", "main", "--", "./tap"])
    let errors = world.folder.appendingPathComponent("errors")
    let running = try world.start(
      noun == "sync" ? ["sync", "run", "a"] : ["job", "run", "--", "./tap"], errors: errors)
    try world.eventually("it runs") { world.lineCount("up") == 1 }
    try small.fill()
    kill(running.processIdentifier, SIGTERM)
    try world.eventually("it goes") { !running.isRunning }
    #expect(running.terminationStatus == 143)
    let told = world.read("errors")
    #expect(told.contains("no space left"), "\(told)")
    #expect(told.contains("job 1 could not be cancelled, and goes on without this command"))
    #expect(told.contains("hint: when the store can be written to: 'hotglue job cancel 1'"))
    #expect(try world.state("1") == "running")
    try small.empty()
    try world.write("", to: "go")
    try world.succeed(["job", "wait", "1", "-w", "main", "--timeout", "60s"])
    #expect(try world.state("1") == "succeeded")
    if noun == "sync" { #expect(try world.records("a") == "{\"id\":1}") }
    try world.checkStore()
  }

  @Test(
    "on a full disk a worker that was told to stop what runs goes when its grace is over, and the outcome is kept"
  )
  func stopRunning() throws {
    let small = try SmallDisk(roomy)
    let world = small.world
    let id = try small.enqueue("trap 'exit 64' TERM; >up; while :; do sleep 0.05; done")
    let worker = try world.start([
      "job", "work", "-w", "main", "--grace", "200ms", "--stop-running",
    ])
    try world.eventually("it runs") {
      FileManager.default.fileExists(atPath: world.folder.path + "/up")
    }
    try small.fill()
    kill(worker.processIdentifier, SIGTERM)
    try world.eventually("it goes") { !worker.isRunning }
    #expect(worker.terminationStatus == 0)
    try small.empty()
    // Recorded by its supervisor, or by the next worker.
    try world.eventually("it is recorded") {
      try world.succeed(["job", "reclaim", "-w", "main"])
      return try world.state(id) != "running"
    }
    try world.checkStore()
  }

  @Test("a sync that waits for free space says what works below the floor")
  func belowTheFloor() throws {
    let small = try SmallDisk("3m")
    let world = small.world
    try world.succeed(["source", "add", "a", "-w", "main", "--", "true"])
    let running = try world.start(
      ["sync", "run", "a"], errors: world.folder.appendingPathComponent("errors"))
    try world.eventually("it says why it waits") {
      world.read("errors").contains(
        "hint: free some space; 'hotglue job work --free-space-floor BYTES' works below it")
    }
    kill(running.processIdentifier, SIGTERM)
    running.waitUntilExit()
    #expect(running.terminationStatus == 143)
    #expect(try world.state("1") == "cancelled")
  }
}

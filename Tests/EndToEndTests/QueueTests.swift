import Foundation
import Testing

/// Limits of queues, with real workers.
@Suite(.serialized)
struct QueueTests {
  @Test("workers never run more jobs of a queue at once than its limit, and a new limit wakes them")
  func limitAcrossWorkers() throws {
    let world = try World()
    try world.succeed(["queue", "limit", "slow", "2"])
    // Each job tries for a lock of which there are as many as the limit allows.
    let script = """
      exec 8>lock-1 9>lock-2
      flock -n 8 || flock -n 9 || echo "$HOTGLUE_JOB" >>too-many
      sleep 0.02; echo x >>done
      """
    for _ in 1...30 { try world.enqueue(script, ["--queue", "slow"]) }
    let workers = try (1...3).map { _ in
      try world.start(["job", "work", "-w", "main", "--concurrency", "3"])
    }
    defer {
      for worker in workers where worker.isRunning {
        worker.terminate()
        worker.waitUntilExit()
      }
    }
    try world.eventually("all have run") { world.lineCount("done") == 30 }
    #expect(world.read("too-many") == "")

    // Three wait for each other, which two at once never end.
    let meeting =
      "touch here-$HOTGLUE_JOB; until [ $(ls | grep -c here-) = 3 ]; do sleep 0.02; done"
    let three = try (1...3).map { _ in try world.enqueue(meeting, ["--queue", "slow"]) }
    try world.eventually("two of them run") {
      try world.stateCounts()["running"] == 2
    }
    let waiting = try #require(try three.first { try world.state($0) == "pending" })
    let explained = try world.succeed(["job", "explain", waiting])
    #expect(explained.contains("waits for its queue: 2 jobs run"), "\(explained)")
    #expect(explained.contains("change\thotglue queue limit slow N"), "\(explained)")
    try world.succeed(["queue", "limit", "slow", "3"])
    try world.eventually("all three have met") {
      try three.allSatisfy { try world.state($0) == "succeeded" }
    }
    try world.checkStore()
  }
}

import Foundation
import Testing

/// Job types with real processes.
@Suite(.serialized)
struct TypeTests {
  /// What a job's history says of its claims.
  private func claims(of job: String, in world: World) throws -> [String?] {
    let history = try #require(try world.job(job)["history"] as? [[String: Any]])
    return history.filter { $0["event"] as? String == "claim" }.map { $0["reason"] as? String }
  }

  @Test("jobs of a type wait for its definition, then never run more at once than its limit")
  func limitAcrossWorkers() throws {
    let world = try World()
    let ids = try world.enqueueLines(
      (1...40).map { "{\"type\":\"count\",\"payload\":{\"n\":\($0)},\"queue\":\"q\($0 % 3)\"}" })
    let workers = try (1...3).map { _ in
      try world.start(["job", "work", "-w", "main", "--concurrency", "3"])
    }
    defer {
      for worker in workers where worker.isRunning {
        worker.terminate()
        worker.waitUntilExit()
      }
    }
    // What the workers may claim they do claim; jobs of a type that nobody defined stay.
    let plain = try world.enqueue("exit 0")
    try world.eventually("the job beside them has run") { try world.state(plain) == "succeeded" }
    #expect(try world.stateCounts() == ["pending": 40, "succeeded": 1])

    // Each handler tries for a lock of which there are as many as the limit allows.
    let script = """
      exec 8>lock-1 9>lock-2
      flock -n 8 || flock -n 9 || echo "$HOTGLUE_JOB" >>too-many
      printf '%s\\n' "$(cat)" >>payloads
      sleep 0.02
      echo "$HOTGLUE_TYPE $HOTGLUE_JOB" >>done
      """
    try world.succeed([
      "type", "set", "count", "-w", "main", "--limit", "2", "--replay", "safe", "--", "bash", "-c",
      script,
    ])
    try world.eventually("all jobs have run") {
      try world.stateCounts() == ["succeeded": 41]
    }
    #expect(world.read("too-many") == "")
    let done = world.read("done").split(separator: "\n").map(String.init).sorted()
    #expect(done == ids.map { "count \($0)" }.sorted())
    let payloads = world.read("payloads").split(separator: "\n").map(String.init).sorted()
    #expect(payloads == (1...40).map { "{\"n\":\($0)}" }.sorted())
    #expect(try claims(of: ids[0], in: world) == ["revision 1"])
    try world.checkStore()
  }

  @Test("a type removed while its jobs wait loses none, and a payload that is not JSON makes none")
  func removedWhileWaiting() throws {
    let world = try World()
    func define() throws {
      try world.succeed(["type", "set", "mail", "-w", "main", "--", "sh", "-c", "echo x >>done"])
    }
    try define()
    for bad in ["{bad", "", "nul", "@broken.json"] {
      try Data("[1,".utf8).write(to: world.folder.appendingPathComponent("broken.json"))
      #expect(try world.run(["job", "enqueue", "mail", "--payload", bad]).status == 65, "\(bad)")
    }
    #expect(try world.jobs().isEmpty)
    let ids = try (1...3).map {
      try world.succeed(["job", "enqueue", "mail", "--payload", "\($0)"])
    }
    try world.succeed(["type", "remove", "mail", "-w", "main"])
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.stateCounts() == ["pending": 3])
    let explained = try world.succeed(["job", "explain", ids[0]])
    #expect(explained.contains("'mail' is not defined in workspace 'main'"), "\(explained)")
    try define()
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.stateCounts() == ["succeeded": 3])
    #expect(world.lineCount("done") == 3)
    try world.checkStore()
  }

  @Test("an attempt runs the revision that is current when it is claimed, and keeps it")
  func revisions() throws {
    let world = try World()
    try world.succeed([
      "type", "set", "greet", "-w", "main", "--backoff", "fixed:100ms", "--jitter", "none", "--",
      "bash", "-c",
      """
      hotglue type set greet -w main -- sh -c 'echo second' >/dev/null
      echo first; exit 75
      """,
    ])
    let id = try world.succeed(["job", "enqueue", "-w", "main", "greet"])
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.state(id) == "succeeded")
    let attempts = try #require(try world.job(id)["attempts"] as? [[String: Any]])
    #expect(try claims(of: id, in: world) == ["revision 1", "revision 2"])
    #expect(attempts.map { $0["outcome"] as? String } == ["retry", "succeeded"])
    #expect(try world.succeed(["job", "logs", "-w", "main", id]).hasSuffix("second"))
    try world.checkStore()
  }

  @Test("50 processes that enqueue one key at once make one job and all get its ID")
  func oneKey() throws {
    let world = try World()
    let script = """
      for i in $(seq 50); do
        hotglue job enqueue -w main mail --key k --payload '{"to":"a"}' >id-$i 2>error-$i &
        pids="$pids $!"
      done
      for pid in $pids; do wait $pid || exit 1; done
      cat id-* | sort | uniq -c
      """
    let result = try world.command("/bin/bash", ["-c", script])
    #expect(result.status == 0)
    #expect(result.lines == ["     50 1"])
    #expect(try world.jobs().count == 1)
    try world.checkStore()
  }

  @Test("a type file is applied from the folder it is in, and an export reads back as the same")
  func applyFile() throws {
    let world = try World()
    let folder = world.folder.appendingPathComponent("project")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("[type.here]\ncommand = [\"pwd\"]\nlease = \"30s\"\n".utf8)
      .write(to: folder.appendingPathComponent("types.toml"))
    try world.succeed(["type", "apply", "-w", "main", "project/types.toml"])
    let id = try world.succeed(["job", "enqueue", "-w", "main", "here"])
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.succeed(["job", "logs", "-w", "main", id]).hasSuffix("/project"))
    let exported = try world.succeed(["type", "export", "-w", "main"])
    #expect(
      try world.succeed(["type", "apply", "-w", "main", "-"], input: exported + "\n")
        == "type 'here' in workspace 'main' is at revision 1 already")
  }
}

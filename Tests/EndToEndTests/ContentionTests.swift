import Foundation
import Testing

@Suite(.serialized)
struct ContentionTests {
  @Test("8 workers and 4 enqueuers as processes: 10,000 jobs have exactly one attempt each")
  func manyProcesses() throws {
    let world = try World()
    let errors = world.folder.appendingPathComponent("errors")
    try FileManager.default.createDirectory(at: errors, withIntermediateDirectories: true)
    let workers = try (1...8).map { number in
      try world.start(
        ["job", "work", "-w", "main", "--concurrency", "2"],
        errors: errors.appendingPathComponent("worker-\(number)"))
    }
    // 2,500 each: a tenth one by one as processes, the rest in batches, so that enqueues never pause.
    let script = """
      for i in $(seq 1 25); do
        for k in $(seq 1 10); do hotglue job enqueue -w main -- /bin/true || exit 1; done
        yes '{"command":["/bin/true"]}' | head -90 | hotglue job enqueue -w main --jsonl - || exit 1
      done
      """
    let enqueuers = try (1...4).map { number in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/bash")
      process.arguments = ["-c", script + " >/dev/null 2>\(errors.path)/enqueuer-\(number)"]
      process.currentDirectoryURL = world.folder
      process.environment = world.environment
      try process.runWithoutBlockedSignals()
      return process
    }
    for process in enqueuers {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    try world.eventually("all jobs are done", within: 600) {
      let open = try world.run([
        "job", "list", "-w", "main", "-q", "--limit", "1", "--state", "pending,running",
      ])
      return open.output.isEmpty
    }
    for worker in workers { kill(worker.processIdentifier, SIGTERM) }
    for worker in workers {
      worker.waitUntilExit()
      #expect(worker.terminationStatus == 0)
    }
    let jobs = try world.jobs()
    #expect(jobs.count == 10_000)
    #expect(jobs.allSatisfy { $0["state"] as? String == "succeeded" })
    #expect(jobs.allSatisfy { $0["attempt"] as? Int == 1 && $0["fence"] as? Int == 1 })
    for file in try FileManager.default.contentsOfDirectory(atPath: errors.path) {
      #expect(world.read("errors/\(file)").isEmpty, "\(file): \(world.read("errors/\(file)"))")
    }
    try world.checkStore()
  }

  @Test("a gate holder that is frozen makes a command give up with 75 and name the holder")
  func frozenGateHolder() throws {
    let world = try World()
    // The holder takes both locks of the gate as any writer does, and is stopped.
    let holder = Process()
    holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    // Without a fork: a child left over would keep the test run's output open.
    holder.arguments = ["--no-fork", "\(world.storeFolder)/gate.b", "sleep", "300"]
    try holder.runWithoutBlockedSignals()
    defer { kill(holder.processIdentifier, SIGKILL) }
    try world.eventually("the lock is taken") {
      let probe = try world.command(
        "/usr/bin/flock", ["-n", "\(world.storeFolder)/gate.b", "true"])
      return probe.status == 1
    }
    kill(holder.processIdentifier, SIGSTOP)
    let before = Date()
    let result = try world.run(["job", "enqueue", "-w", "main", "--", "true"])
    #expect(result.status == 75)
    #expect(result.errorOutput.contains("\(holder.processIdentifier)"))
    #expect((25...45).contains(Date().timeIntervalSince(before)))
    #expect(try world.jobs().isEmpty)
  }

  @Test("two 'init' at once make one whole store")
  func twoInits() throws {
    let world = try World(initialized: false)
    let both = try (1...2).map { _ in try world.start(["init"]) }
    for process in both { process.waitUntilExit() }
    #expect(both.contains { $0.terminationStatus == 0 })
    #expect(both.allSatisfy { [0, 73].contains($0.terminationStatus) })
    try world.succeed(["workspace", "create", "one"])
    try world.succeed(["workspace", "switch", "one"])
    try world.checkStore()
  }
}

import Foundation
import Testing

/// Where a control group is delegated to the worker, what an attempt leaves cannot leave it: not by its
/// session, nor by its parent's death, nor by an empty environment.
@Suite(.serialized)
struct ControlGroupTests {
  /// Leaves a process that has given up all by which it is known otherwise, and does not heed TERM.
  /// It runs a copy of `sleep` in the world's folder, by which the test knows it.
  private static let stray = """
    cp "$(command -v sleep)" stray.new && mv stray.new stray
    (setsid env -i sh -c "trap '' TERM; (exec \\"$PWD/stray\\" 300) & echo x >up" >/dev/null 2>&1 &)
    while [ ! -e up ]; do sleep 0.01; done
    """

  private static func living(_ world: World) -> [Int32] {
    World.processes(named: "\(world.folder.path)/stray").filter(World.isAlive)
  }

  private static let stopSequence = ["--stop", "TERM,100ms,KILL"]

  private func started(
    _ world: World, in group: DelegatedGroup, _ flags: [String] = [],
    then script: String = "while [ ! -e go ]; do sleep 0.01; done"
  ) throws -> (job: String, worker: Process) {
    let job = try world.enqueue("\(Self.stray)\n\(script)", Self.stopSequence + flags)
    let worker = try world.start(["job", "work", "-w", "main"], in: group)
    try world.eventually("the stray is up") { world.read("up") == "x\n" }
    return (job, worker)
  }

  /// Only what is to escape is left: whoever has started it is gone.
  private func strayIsAlone(_ world: World) throws {
    try world.eventually("the stray is alone") { Self.living(world).count == 1 }
  }

  /// Kills the worker and its supervisors, so that nobody is left who has seen what was started.
  private func killAll(_ world: World, _ worker: Process) {
    World.end(worker)
    for pid in World.children(ofStore: world.folder.path, kind: "hotglue-super") {
      kill(pid, SIGKILL)
    }
  }

  private func warnings(_ world: World, _ job: String) throws -> [String] {
    let attempts = try #require(try world.job(job)["attempts"] as? [[String: Any]])
    return attempts.flatMap { $0["warnings"] as? [String] ?? [] }
  }

  enum End: String, CaseIterable { case normal, timeout, cancel, supervisor, reclaim }

  @Test("what has left session, parent and environment is stopped", arguments: End.allCases)
  func strays(end: End) throws {
    let world = try World()
    let group = try DelegatedGroup()
    let flags = end == .timeout ? ["--timeout", "5s"] : []
    let (job, worker) = try started(world, in: group, flags)
    defer { World.end(worker) }
    if end != .timeout { try strayIsAlone(world) }
    #expect(group.groups.count == 1)
    switch end {
    case .normal: try world.letGo()
    case .timeout: break
    case .cancel: try world.succeed(["job", "cancel", job, "-w", "main"])
    case .supervisor:
      for pid in World.children(ofStore: world.folder.path, kind: "hotglue-super") {
        kill(pid, SIGKILL)
      }
    case .reclaim:
      // The reclaim runs in another group than the one in which the attempt did.
      killAll(world, worker)
      #expect(Self.living(world).count == 1)
      try world.succeed(["job", "reclaim", "-w", "main"])
    }
    try world.eventually("it has ended") { try world.state(job) != "running" }
    #expect(Self.living(world).isEmpty)
    let state = ["normal": "succeeded", "cancel": "cancelled"][end.rawValue] ?? "uncertain"
    #expect(try world.state(job) == state)
    if worker.isRunning { World.end(worker, SIGTERM) }
    try world.eventually("no group is left") { group.groups.isEmpty }
    try world.checkStore(expecting: ["job_uncertain"])
  }

  @Test("kept children are kept, also when worker and supervisor are killed, and so is their group")
  func keptChildren() throws {
    let world = try World()
    let group = try DelegatedGroup()
    let (job, worker) = try started(world, in: group, ["--keep-children"])
    defer { World.end(worker) }
    try strayIsAlone(world)
    try world.letGo()
    try world.eventually("it has ended") { try world.state(job) == "succeeded" }
    let kept = try #require(Self.living(world).first)
    #expect(group.groups.count == 1)
    // The next attempt is in another group, since this one is not empty.
    let second = try world.enqueue(
      "echo x >again; while [ ! -e on ]; do sleep 0.01; done", ["--keep-children"])
    try world.eventually("the second runs") { world.lineCount("again") == 1 }
    #expect(group.groups.count == 2)
    killAll(world, worker)
    try world.succeed(["job", "reclaim", "-w", "main"])
    #expect(try world.state(second) == "uncertain")
    #expect(Self.living(world) == [kept])
    try world.checkStore(expecting: ["job_uncertain", "stray_process"])
    kill(kept, SIGKILL)
    try world.eventually("the kept one has ended") { Self.living(world).isEmpty }
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(group.groups.isEmpty)
    try world.checkStore(expecting: ["job_uncertain"])
  }

  @Test("what forks faster than it can be read ends at one stroke")
  func forksOn() throws {
    let world = try World()
    let group = try DelegatedGroup()
    // Chains whose every link starts the next, in a session of its own and without environment.
    let script = """
      import os, sys, time
      end = time.time() + 60
      if len(sys.argv) == 1:
          os.execve(sys.executable, [sys.executable, sys.argv[0], 'bare'], {})
      for _ in range(8):
          if os.fork() == 0:
              os.setsid()
              while time.time() < end:
                  if os.fork() != 0: os._exit(0)
                  os.setsid()
              os._exit(0)
      open(os.path.dirname(sys.argv[0]) + '/up', 'w').close()
      time.sleep(60)
      """
    let file = "\(world.folder.path)/stray.py"
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    let job = try world.succeed(
      ["job", "enqueue", "-w", "main"] + Self.stopSequence + ["--", "/usr/bin/python3", file])
    let worker = try world.start(["job", "work", "-w", "main"], in: group)
    defer { World.end(worker) }
    try world.eventually("the chains run") {
      FileManager.default.fileExists(atPath: "\(world.folder.path)/up")
    }
    killAll(world, worker)
    try world.succeed(["job", "reclaim", "-w", "main"])
    #expect(try world.state(job) == "uncertain")
    #expect(World.processes(named: file).filter(World.isAlive).isEmpty)
    #expect(group.groups.isEmpty)
  }

  @Test("the group of a stream is its handler's, whichever job it has in hand")
  func stream() throws {
    let world = try World()
    let group = try DelegatedGroup()
    let handler = """
      #!/bin/sh
      \(Self.stray)
      while read -r line; do
        grep ^0:: /proc/self/cgroup >>places
        numbers=$(echo "$line" | sed 's/.*"job": *\\([0-9]*\\).*"fence": *\\([0-9]*\\).*/\\1 \\2/')
        set -- $numbers
        while [ $(wc -l <places) = 3 ]; do sleep 0.01; done
        echo "{\\"type\\":\\"result\\",\\"job\\":$1,\\"fence\\":$2,\\"outcome\\":\\"succeeded\\"}" >&3
      done
      """
    let file = world.folder.appendingPathComponent("handler")
    try Data(handler.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    try world.succeed(
      ["type", "set", "work", "--persistent"] + Self.stopSequence + ["--", "./handler"])
    let jobs = try world.enqueueLines((1...3).map { "{\"type\":\"work\",\"payload\":\($0)}" })
    let worker = try world.start(
      ["job", "work", "-w", "main", "--concurrency", "1"], in: group)
    defer { World.end(worker) }
    try world.eventually("the third job is in hand") { world.lineCount("places") == 3 }
    try strayIsAlone(world)
    let places = Set(world.read("places").split(separator: "\n"))
    #expect(places.count == 1)
    #expect(group.groups.count == 1)
    killAll(world, worker)
    #expect(Self.living(world).count == 1)
    try world.succeed(["job", "reclaim", "-w", "main"])
    #expect(Self.living(world).isEmpty)
    #expect(try jobs.map { try world.state($0) } == ["succeeded", "succeeded", "uncertain"])
    #expect(group.groups.isEmpty)
  }

  @Test("without delegation no group is made, and handlers run where their worker does")
  func noDelegation() throws {
    let world = try World()
    let group = try DelegatedGroup(isDelegated: false)
    let job = try world.enqueue(
      "grep ^0:: /proc/self/cgroup >place; ls .hotglue/store.db.d/slots >slots")
    try world.work(["--drain"], in: group)
    #expect(try world.state(job) == "succeeded")
    let name = try #require(group.path.split(separator: "/").last)
    #expect(world.lineCount("place") == 1 && world.lineCount("slots") > 0)
    #expect(world.read("place").hasSuffix("/\(name)\n"))
    #expect(!world.read("slots").contains(".group"))
    #expect(group.groups.isEmpty)
  }

  @Test("where no group can be made all goes on without, and that is on record once")
  func noRoom() throws {
    let world = try World()
    let group = try DelegatedGroup()
    try group.set("cgroup.max.descendants", "0")
    let jobs = try (1...3).map { _ in try world.enqueue("sleep 300 & :", Self.stopSequence) }
    try world.work(["--drain", "--concurrency", "1"], in: group)
    let told = try jobs.map { job in
      try warnings(world, job).count { $0.hasPrefix("no control group could be made for it") }
    }
    #expect(told == [1, 0, 0])
    #expect(try jobs.allSatisfy { try world.state($0) == "succeeded" })
    try world.checkStore()
  }

  @Test("an attempt that has frozen its own group does not hold up the next one")
  func frozen() throws {
    let world = try World()
    let group = try DelegatedGroup()
    let first = try world.enqueue(
      """
      own=$(sed -n 's/^0:.*\\///p' /proc/self/cgroup)
      echo 1 >"\(group.path)/$own/cgroup.freeze"
      while :; do sleep 1; done
      """, Self.stopSequence)
    let second = try world.enqueue("grep ^0:: /proc/self/cgroup >place")
    let worker = try world.start(
      ["job", "work", "-w", "main", "--concurrency", "1"], in: group)
    defer { World.end(worker) }
    try world.eventually("the group is frozen") {
      group.groups.first.map { group.isFrozen($0) } ?? false
    }
    let name = try #require(group.groups.first)
    try world.succeed(["job", "cancel", first, "-w", "main"])
    try world.eventually("both have ended") {
      try world.state(first) == "cancelled" && world.state(second) == "succeeded"
    }
    // It was the same group, and not one that was made instead.
    #expect(world.read("place").hasSuffix("/\(name)\n"))
    try world.checkStore()
  }

  @Test("who cannot open the group of an attempt concludes nothing, and runs nothing again")
  func unopened() throws {
    let world = try World()
    let group = try DelegatedGroup()
    let (job, worker) = try started(world, in: group, ["--replay", "safe"])
    defer { World.end(worker) }
    try strayIsAlone(world)
    killAll(world, worker)
    let name = try #require(group.groups.first)
    // As a process whose descriptors are used up.
    let reclaim = try world.command(
      World.strace,
      [
        "-qq", "-f", "-o", "trace", "-P", "\(group.path)/\(name)", "-e", "trace=open,openat",
        "-e", "inject=open,openat:error=EMFILE", world.binary, "job", "reclaim", "-w", "main",
      ])
    #expect(world.read("trace").contains("EMFILE"))
    #expect(reclaim.status == 74)
    #expect(Self.living(world).count == 1)
    #expect(try world.state(job) == "running")
    try world.succeed(["job", "reclaim", "-w", "main"])
    #expect(Self.living(world).isEmpty)
    #expect(try world.state(job) == "pending")
    #expect(group.groups.isEmpty)
  }

  @Test("a copy of the store, and another group of the same name, speak of nobody's processes")
  func others() throws {
    let world = try World()
    let group = try DelegatedGroup()
    let (job, worker) = try started(world, in: group)
    try strayIsAlone(world)
    killAll(world, worker)
    let name = try #require(group.groups.first)
    let copy = try World(initialized: false)
    let copied = try world.command(
      "/bin/cp", ["-a", "\(world.folder.path)/.hotglue", "\(copy.folder.path)/.hotglue"])
    try #require(copied.status == 0)
    try copy.succeed(["context", "trust", "."])
    try copy.succeed(["job", "reclaim", "-w", "main"])
    #expect(try copy.state(job) == "uncertain")
    #expect(Self.living(world).count == 1)
    // The group ends, and another one takes its name.
    for pid in Self.living(world) { kill(pid, SIGKILL) }
    try world.eventually("the group can be removed") {
      rmdir("\(group.path)/\(name)") == 0
    }
    try #require(mkdir("\(group.path)/\(name)", 0o755) == 0)
    let other = try world.start(
      program: "/bin/sh",
      ["-c", "echo $$ >\"$0/cgroup.procs\" && exec sleep 300", "\(group.path)/\(name)"])
    defer { World.end(other) }
    try world.eventually("another is there") {
      group.processes(of: name) == [other.processIdentifier]
    }
    try world.succeed(["job", "reclaim", "-w", "main"])
    #expect(try world.state(job) == "uncertain")
    #expect(other.isRunning)
    try world.checkStore(expecting: ["job_uncertain"])
  }
}

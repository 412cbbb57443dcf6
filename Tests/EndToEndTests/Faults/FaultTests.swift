import Foundation
import Testing

/// What is true when the machine refuses: each fault has its status, loses nothing that was
/// acknowledged, and is over when it is over. As root, since file systems are mounted.
@Suite(.serialized)
struct FaultTests {
  private let drain = ["job", "work", "-w", "main", "--drain", "--free-space-floor", "0"]

  @Test("a full disk: every write is refused with 74, nothing is half done, and all goes on")
  func diskFull() throws {
    let small = try SmallDisk("3m")
    let world = small.world
    let id = try small.enqueue("echo one")
    let before = small.context
    let kept = world.folder.path + "/kept.db"
    try world.succeed(["store", "backup", kept])
    try small.fill()
    let target = small.disk + "/backup"
    for arguments in [
      ["job", "enqueue", "-w", "main", "--", "true"], ["workspace", "switch", "beta"],
      ["workspace", "create", "gamma"], ["store", "backup", target], drain,
      ["job", "run", "--", "true"], ["job", "cancel", id, "-w", "main"],
      ["store", "restore", kept, "--yes"],
    ] {
      let result = try world.run(arguments)
      #expect(result.status == 74, "\(arguments): \(result)")
      #expect(result.errorOutput.contains("no space left"), "\(arguments): \(result.errorOutput)")
    }
    #expect(small.context == before)
    let names = try FileManager.default.contentsOfDirectory(atPath: small.disk).sorted()
    #expect(names == [".hotglue", "filler"], "a backup that failed left nothing")
    let inside = try FileManager.default.contentsOfDirectory(
      atPath: small.disk + "/.hotglue/store.db.d")
    #expect(!inside.contains { $0.hasPrefix("restore-") }, "nor a restore: \(inside)")
    // What is there is read, and is sound.
    #expect(try world.state(id) == "pending")
    try world.checkStore(expecting: ["little_space"])
    try small.empty()
    try world.succeed(["workspace", "switch", "beta"])
    try world.succeed(drain)
    #expect(try world.state(id) == "succeeded")
    #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "one")
    #expect(try world.succeed(["store", "backup", target]).contains(target))
    try world.checkStore(expecting: ["little_space"])
  }

  @Test("a FIFO in the place of any file of the store stops no command and no worker")
  func fifos() throws {
    let world = try World()
    // A handler of its own puts one in the place of its slot.
    let replace = """
      cd .hotglue/store.db.d/slots
      for file in *; do case $file in *.*) ;; *) rm "$file"; mkfifo "$file" ;; esac; done
      """
    let job = try world.enqueue(replace, ["--lease", "1s"])
    let worker = try world.command(
      "/usr/bin/timeout",
      ["--signal", "KILL", "60", "hotglue", "job", "work", "-w", "main", "--drain"])
    #expect(worker.status == 0, "\(worker)")
    #expect(try world.state(job) == "succeeded")

    let other = try world.enqueue("echo out; exec sleep 600")
    let running = try world.start(["job", "work", "-w", "main"])
    defer { if running.isRunning { kill(running.processIdentifier, SIGKILL) } }
    try world.eventually("it runs") { try world.state(other) == "running" }
    try world.eventually("its line is kept") {
      try world.run(["job", "logs", other, "-w", "main"]).output == "out\n"
    }
    let folder = world.storeFolder
    var files: [String] = []
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder).sorted() {
      var status = stat()
      guard lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        continue
      }
      files.append(name)
    }
    #expect(files.contains { $0.hasPrefix("slots/") } && files.contains("gate.a"))
    for name in files {
      let path = "\(folder)/\(name)"
      try #require(rename(path, path + "-kept") == 0 && mkfifo(path, 0o600) == 0)
      for command in [
        ["job", "show", other], ["job", "logs", other], ["job", "logs", other, "--timestamps"],
        ["job", "explain", other], ["job", "reclaim", "--dry-run"], ["doctor"],
      ] {
        let result = try world.command(
          "/usr/bin/timeout",
          ["--signal", "KILL", "60", "hotglue"] + command
            + (command == ["doctor"] ? [] : ["-w", "main"]))
        #expect(result.status < 128, "\(name): \(command) was killed after a minute")
        if command == ["doctor"], name.hasPrefix("gate.") {
          #expect(
            result.status == 1 && result.output.contains("is not a regular file"), "\(result)")
        }
      }
      try #require(unlink(path) == 0 && rename(path + "-kept", path) == 0)
    }
    try world.succeed(["job", "cancel", other, "-w", "main", "--wait"])
    running.terminate()
    running.waitUntilExit()
    #expect(running.terminationStatus == 0)
  }

  @Test("a handler is not held up by a full disk, and its log says what is missing")
  func logOnFullDisk() throws {
    let small = try SmallDisk("12m")
    let world = small.world
    let filler = small.disk + "/filler"
    let job = try small.enqueue(
      "head -c 6000000 /dev/zero >\(filler); head -c 20000000 /dev/zero | tr '\\0' x; "
        + "rm \(filler); sleep 1.2; echo; echo after")
    try world.succeed(drain)
    #expect(try world.state(job) == "succeeded")
    let log = try world.succeed(["job", "logs", job, "-w", "main"])
    #expect(log.hasSuffix("\nafter"))
    let lines = log.split(separator: "\n").filter { !$0.hasPrefix("x") }
    #expect(lines.count == 2)
    #expect(
      lines.first?.hasSuffix(" bytes could not be written: No space left on device]") == true)
    let told = lines.first?.dropFirst().split(separator: " ").first.flatMap { Int($0) } ?? 0
    let written = log.utf8.count(where: { $0 == UInt8(ascii: "x") })
    #expect(told + written == 20_000_000)
  }

  @Test(
    "an effect in doubt is told as that on a full disk, and nothing is run, since that needs no room"
  )
  func effectInDoubt() throws {
    let small = try SmallDisk("3m")
    let world = small.world
    func run(_ key: String, _ flags: [String], _ script: String) throws -> World.Result {
      try world.run(
        ["effect", "run", key, "--scope", "workspace"] + flags + World.step,
        extra: ["STEP": script])
    }
    let dies = "kill -9 $PPID"
    #expect(try run("ended", [], "exit 3").status == 83)
    #expect(try run("killed", [], dies).status == 137)
    try small.fill()
    for key in ["ended", "killed"] {
      for policy in ["refuse", "check=exit 2"] {
        let told = try run(key, ["--unknown", policy], "echo x >>ran")
        #expect(told.status == 83, "\(key), \(policy): \(told)")
        #expect(told.errorOutput.contains("may have happened"), "\(told)")
      }
      // What is to be run, or recorded, needs room first.
      for policy in ["rerun", "check=exit 1", "check=exit 0"] {
        let told = try run(key, ["--unknown", policy], "echo x >>ran")
        #expect(told.status == 74, "\(key), \(policy): \(told)")
        #expect(told.errorOutput.contains("no space left"), "\(told)")
      }
    }
    #expect(try run("new", [], "echo x >>ran").status == 74)
    #expect(world.read("ran").isEmpty)
    try small.empty()
    for key in ["ended", "killed"] {
      #expect(try run(key, ["--unknown", "check=exit 1"], "echo x >>ran").status == 0)
    }
    #expect(world.lineCount("ran") == 2)
    try world.checkStore(expecting: ["little_space"])
  }

  @Test(
    "a disk that fills while a job runs: the job ends, and its outcome is recorded when there is room"
  )
  func diskFullMeanwhile() throws {
    let small = try SmallDisk("3m")
    let world = small.world
    // Whatever it could not write to its log, it goes by its own exit status.
    let id = try small.enqueue(
      ">up; until [ -e go ]; do sleep 0.05; done; dd if=/dev/zero bs=64k count=4 2>/dev/null; exit 64"
    )
    let worker = try world.start(
      ["job", "work", "-w", "main", "--free-space-floor", "0"],
      errors: world.folder.appendingPathComponent("errors"))
    try world.eventually("it runs") {
      FileManager.default.fileExists(atPath: world.folder.path + "/up")
    }
    try small.fill()
    try Data().write(to: world.folder.appendingPathComponent("go"))
    try world.eventually("the worker says what is wrong") {
      world.read("errors").contains("no space left")
    }
    #expect(worker.isRunning)
    #expect(try world.state(id) == "running")
    // It asks now and then, and sleeps in between.
    let spent = try ticks(of: worker)
    let began = Date()
    sleep(2)
    let seconds = Date().timeIntervalSince(began)
    let share = try Double(ticks(of: worker) - spent) / seconds
    #expect(share < 20, "\(share) hundredths of a second in every second")
    try small.empty()
    try world.eventually("it is recorded") { try world.state(id) == "failed" }
    let next = try small.enqueue("true")
    try world.eventually("the worker goes on") { try world.state(next) == "succeeded" }
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
    #expect(worker.terminationStatus == 0)
    // Said once, not at every try.
    #expect(world.lineCount("errors") <= 4, "\(world.read("errors"))")
    try world.checkStore(expecting: ["little_space"])
  }

  /// The processor time that a process has used, in hundredths of a second.
  private func ticks(of process: Process) throws -> Int {
    let path = "/proc/\(process.processIdentifier)/stat"
    let words = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
    try #require(words.count > 14)
    return (Int(words[13]) ?? 0) + (Int(words[14]) ?? 0)
  }

  @Test(
    "a file system that became read-only: refused with 69, and all is there when it is writable again"
  )
  func readOnly() throws {
    let small = try SmallDisk("8m")
    let world = small.world
    let id = try small.enqueue("echo one")
    try small.remount("ro")
    for arguments in [
      ["job", "enqueue", "-w", "main", "--", "true"], ["workspace", "switch", "beta"], drain,
      ["store", "backup", world.folder.path + "/backup"],
    ] {
      let result = try world.run(arguments)
      #expect(result.status == 69, "\(arguments): \(result)")
      #expect(result.errorOutput.contains("cannot be written to"))
    }
    try small.remount("rw")
    try world.succeed(drain)
    #expect(try world.state(id) == "succeeded")
    try world.checkStore(expecting: ["little_space"])
  }

  /// Every sync of the process and its children fails, or those that `which` names.
  private func withoutSync(_ which: String = "") -> [String] {
    [
      "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e",
      "inject=fsync,fdatasync:error=EIO\(which)",
    ]
  }

  @Test("a disk that cannot sync: nothing is acknowledged, and what was stays")
  func syncFails() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "beta"])
    let id = try world.enqueue("echo one")
    let context = world.folder.path + "/.hotglue/context.json"
    let before = try String(contentsOfFile: context, encoding: .utf8)
    for arguments in [
      ["job", "enqueue", "-w", "main", "--", "true"], ["workspace", "switch", "beta"],
      ["store", "backup", world.folder.path + "/backup"], ["job", "work", "-w", "main", "--drain"],
    ] {
      let result = try world.command(
        "/usr/bin/strace", withoutSync() + [world.binary] + arguments)
      #expect(result.status == 74, "\(arguments): \(result)")
      #expect(result.output.isEmpty, "\(arguments): \(result.output)")
    }
    #expect(try String(contentsOfFile: context, encoding: .utf8) == before)
    #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/backup"))
    // A worker whose syncs fail for a while waits, and goes on.
    let worked = try world.command(
      "/usr/bin/strace",
      withoutSync(":when=4..5") + [world.binary, "job", "work", "-w", "main", "--drain"])
    #expect(worked.status == 0)
    #expect(worked.errorOutput.contains("disk I/O error"), "\(worked.errorOutput)")
    #expect(try world.state(id) == "succeeded")
    #expect((try world.job(id)["attempts"] as? [Any])?.count == 1)
    #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "one")
    try world.succeed(["workspace", "switch", "beta"])
    try world.checkStore()
  }

  @Test(
    "a process that may open few files: refused with 74 or 75, or done; nothing is lost or run twice"
  )
  func descriptors() throws {
    let world = try World()
    var ids: [String] = []
    for limit in [7, 9, 12, 15, 18, 22] {
      ids.append(try world.enqueue("echo \(limit) >>ran"))
      let result = try world.command(
        "/usr/bin/prlimit",
        ["--nofile=\(limit):\(limit)", world.binary, "job", "work", "-w", "main", "--drain"])
      #expect([0, 74, 75].contains(result.status), "\(limit): \(result)")
      #expect((result.status == 0) == result.errorOutput.isEmpty, "\(limit): \(result)")
    }
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.stateCounts() == ["succeeded": ids.count])
    #expect(
      world.read("ran").split(separator: "\n").compactMap { Int($0) }.sorted()
        == [7, 9, 12, 15, 18, 22])
    try world.checkStore()
  }

  @Test("a store that this user may not open is refused with 77, by every command and file alike")
  func notPermitted() throws {
    try #require(getuid() == 0, "the faults need root, to become a user who may not")
    let world = try World()
    let user = 61_000 + Int(getpid()) % 4000
    let id = try world.enqueue("true")
    let owned = try world.command("/bin/chown", ["-R", "\(user):\(user)", world.folder.path])
    try #require(owned.status == 0)
    let reads = [["job", "list"], ["store", "info"], ["workspace", "switch", "main"]]
    let writes = [
      ["job", "enqueue", "--", "true"], ["job", "work", "-w", "main", "--drain"],
      ["job", "run", "--", "true"], ["effect", "run", "k", "--scope", "workspace", "--", "true"],
    ]
    let shell = [["workspace", "shell", "main", "--", "true"]]
    let store = world.folder.path + "/.hotglue/store.db"
    for (file, commands) in [
      ("", reads + writes + shell), ("-wal", reads + writes), ("-shm", reads + writes),
      (".d", writes + shell), (".d/gate.a", writes),
    ] {
      var facts = stat()
      try #require(stat(store + file, &facts) == 0 && chmod(store + file, 0) == 0)
      for command in commands {
        let result = try world.command(
          "/usr/bin/setpriv",
          ["--reuid=\(user)", "--regid=\(user)", "--clear-groups", world.binary] + command)
        #expect(result.status == 77, "\(command) without \(file): \(result)")
        #expect(
          result.errorOutput.lowercased().contains("permission denied"), "\(command): \(result)")
        #expect(result.errorOutput.contains(store + file), "\(command): \(result)")
      }
      let doctor = try world.command(
        "/usr/bin/setpriv",
        ["--reuid=\(user)", "--regid=\(user)", "--clear-groups", world.binary, "doctor", "-q"])
      #expect(doctor.status == 1 && !doctor.output.isEmpty, "doctor without \(file): \(doctor)")
      try #require(chmod(store + file, facts.st_mode & 0o7777) == 0)
    }
    #expect(try world.command("/bin/chown", ["-R", "0:0", world.folder.path]).status == 0)
    #expect(try world.state(id) == "pending")
    try world.checkStore()
  }

  @Test("a process that may open no file refuses, and does not end well with nothing done")
  func noDescriptor() throws {
    let world = try World()
    for limit in 0...6 {
      for verb in ["enqueue", "run"] {
        let result = try world.command(
          "/usr/bin/prlimit",
          [
            "--nofile=\(limit):\(limit)", world.binary, "job", verb, "-w", "main", "--", "true",
          ])
        #expect(result.status != 0 && !result.errorOutput.isEmpty, "\(limit): \(result)")
      }
    }
    #expect(try world.jobs().isEmpty)
    try world.checkStore()
  }

  @Test(
    "a user who may have no more processes: claims wait, a drain ends with 75, nothing is counted")
  func processes() throws {
    try #require(getuid() == 0, "the faults need root, to become a user with few processes")
    let world = try World()
    // A user nobody else is: the limit counts all processes of a user.
    let user = 61_000 + Int(getpid()) % 4000
    let id = try world.enqueue("echo one >>ran")
    let owned = try world.command("/bin/chown", ["-R", "\(user):\(user)", world.folder.path])
    try #require(owned.status == 0)
    func asUser(_ limit: Int?, _ arguments: [String]) throws -> World.Result {
      let limits = limit.map { ["/usr/bin/prlimit", "--nproc=\($0):\($0)"] } ?? []
      return try world.command(
        "/usr/bin/setpriv",
        ["--reuid=\(user)", "--regid=\(user)", "--clear-groups"] + limits + [world.binary]
          + arguments)
    }
    // Without a fork server, without a supervisor, without a handler.
    for (limit, status) in [(1, 74), (2, 75), (3, 75)] {
      let result = try asUser(limit, ["job", "work", "-w", "main", "--drain"])
      #expect(Int(result.status) == status, "\(limit): \(result)")
      #expect(result.errorOutput.contains("resource temporarily unavailable"), "\(result)")
    }
    #expect(world.read("ran").isEmpty)
    let shown = try asUser(nil, ["job", "show", id, "-w", "main", "--json"])
    let job = try #require(
      try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any])
    #expect(job["state"] as? String == "pending")
    #expect(job["attempt"] as? Int == 0 && job["losses"] as? Int == 0)
    // Tried, and not tried again and again.
    #expect((job["attempts"] as? [Any] ?? []).count <= 3)
    let worked = try asUser(nil, ["job", "work", "-w", "main", "--drain"])
    #expect(worked.status == 0, "\(worked)")
    #expect(world.read("ran") == "one\n")
  }

  @Test("a handler that is killed for want of memory is unknown, and the reason says so")
  func memory() throws {
    let world = try World()
    let group = try MemoryGroup(limit: 96 << 20)
    let eats = "python3 -c 'x=bytearray(300<<20)'"
    let killed = try world.enqueue("exec \(eats)", ["--stop", "TERM,1s,KILL"])
    let child = try world.enqueue("\(eats); exit 3")
    let other = try world.enqueue("kill -9 $$")
    let result = try world.command(
      "/bin/sh",
      ["-c", "echo $$ >\(group.members) && exec hotglue job work -w main --drain"])
    try #require(result.status == 0, "\(result)")
    func attempt(_ id: String) throws -> [String: Any] {
      try #require((try world.job(id)["attempts"] as? [[String: Any]])?.first)
    }
    let first = try attempt(killed)
    #expect(first["outcome"] as? String == "unknown")
    #expect(first["reason"] as? String == "out_of_memory")
    #expect(first["signal"] as? Int == 9)
    #expect(try world.state(killed) == "uncertain")
    // A child that was killed is its parent's affair, and is said.
    let second = try attempt(child)
    #expect(second["outcome"] as? String == "retry" && second["exit_status"] as? Int == 3)
    #expect((second["warnings"] as? [String] ?? []).contains { $0.contains("want of memory") })
    // The same signal from somebody else is not taken for it.
    let third = try attempt(other)
    #expect(third["reason"] as? String == "signal")
    #expect((third["warnings"] as? [String] ?? []).isEmpty)
  }
}

/// A control group with a bound on its memory, of the kernel's first or second interface.
private final class MemoryGroup {
  let path: String
  var members: String { path + "/cgroup.procs" }

  init(limit: Int) throws {
    let name = "hotglue-e2e-\(getpid())"
    let first = "/sys/fs/cgroup/memory"
    let isFirst = FileManager.default.fileExists(atPath: first + "/memory.limit_in_bytes")
    path = (isFirst ? first : "/sys/fs/cgroup") + "/" + name
    let made = mkdir(path, 0o755)
    try #require(made == 0, "no control group can be made below \(path): errno \(errno)")
    if !isFirst {
      // The controller is handed down where it is not yet.
      try? "+memory".write(
        toFile: "/sys/fs/cgroup/cgroup.subtree_control", atomically: false, encoding: .utf8)
    }
    let bound = path + (isFirst ? "/memory.limit_in_bytes" : "/memory.max")
    let file = try #require(FileHandle(forWritingAtPath: bound), "no memory controller: \(bound)")
    try file.write(contentsOf: Data("\(limit)".utf8))
  }

  deinit { rmdir(path) }
}

import Foundation
import Testing

@testable import HotglueStoreSQLite

/// At home under systemd and cron, and through an upgrade.
@Suite(.serialized)
struct DeployTests {
  private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test("the units are clean by systemd's own check, for a user's manager and the system's")
  func unitsVerify() throws {
    let world = try World(initialized: false)
    let analyze = "/usr/bin/systemd-analyze"
    try #require(
      FileManager.default.isExecutableFile(atPath: analyze), "systemd is needed: Scripts/setup test"
    )
    let source = root.appendingPathComponent("Scripts/systemd")
    let names = try FileManager.default.contentsOfDirectory(atPath: source.path).sorted()
    #expect(names.count == 5)
    let run = world.folder.appendingPathComponent("run")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    var units: [String] = []
    for name in names {
      let text = try String(contentsOf: source.appendingPathComponent(name), encoding: .utf8)
      if name.hasSuffix(".service") {
        #expect(text.contains("\nKillMode=process\n") || name.hasPrefix("hotglue-prune"), "\(name)")
        #expect(text.contains("\nExecStart=/usr/local/bin/hotglue "), "\(name)")
      }
      let unit = name.replacing("@", with: "@acme")
      let file = world.folder.appendingPathComponent(unit)
      try text.replacing("/usr/local/bin/hotglue", with: world.binary)
        .write(to: file, atomically: true, encoding: .utf8)
      units.append(file.path)
    }
    for manager in ["--user", "--system"] {
      let result = try world.command(
        analyze, ["verify", "--man=no", manager] + units, extra: ["XDG_RUNTIME_DIR": run.path])
      let said = result.output + result.errorOutput
      #expect(result.status == 0 && said.isEmpty, "\(manager): \(said)")
    }
  }

  @Test(
    "a worker tells its manager that it is ready, well, busy and about to go",
    arguments: [false, true])
  func notices(isAbstract: Bool) throws {
    let world = try World()
    let name =
      isAbstract
      ? "@hotglue-\(UUID().uuidString)" : world.folder.appendingPathComponent("notify").path
    let listener = try NoticeListener(name: name)
    let worker = try world.start(
      ["job", "work", "-w", "main"],
      extra: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"])
    try world.eventually("it is ready") { listener.count("READY=1") == 1 }
    // An idle worker sleeps until something happens: it wakes for its manager.
    try world.eventually("it is well") { listener.count("WATCHDOG=1") >= 3 }
    let id = try world.enqueue("env >seen; until [ -e go ]; do sleep 0.05; done")
    try world.eventually("it is busy") { listener.count("STATUS=1 running, 0 ended") >= 1 }
    try Data().write(to: world.folder.appendingPathComponent("go"))
    try world.eventually("it has ended one") { listener.count("STATUS=0 running, 1 ended") >= 1 }
    #expect(listener.count("STOPPING=1") == 0)
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
    #expect(worker.terminationStatus == 0)
    try world.eventually("it has said that it goes") { listener.count("STOPPING=1") == 1 }
    #expect(try world.state(id) == "succeeded")
    let environment = world.read("seen")
    #expect(environment.contains("HOTGLUE_JOB=\(id)\n"))
    for variable in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
      #expect(!environment.contains(variable), "a handler inherits \(variable)")
    }
  }

  @Test(
    "a watchdog that is another process's is not answered, and a manager that is gone is no error")
  func othersWatchdog() throws {
    let world = try World()
    let listener = try NoticeListener(name: "@hotglue-\(UUID().uuidString)")
    let worker = try world.start(
      ["job", "work", "-w", "main"],
      extra: ["NOTIFY_SOCKET": listener.name, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"])
    try world.eventually("it is ready") { listener.count("READY=1") == 1 }
    let id = try world.enqueue("sleep 0.3")
    try world.eventually("the job has ended") { try world.state(id) == "succeeded" }
    #expect(listener.count("WATCHDOG=1") == 0)
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
    _ = try world.enqueue("true")
    let alone = try world.run(
      ["job", "work", "-w", "main", "--drain"],
      extra: ["NOTIFY_SOCKET": "/nobody/listens", "WATCHDOG_USEC": "20000"])
    #expect(alone.status == 0 && alone.errorOutput.isEmpty)
  }

  @Test("the manual's line for cron works in cron's environment, and prints nothing")
  func cron() throws {
    let world = try World(initialized: false)
    let line = try ManualExamples(page: "hotglue-deploy.7").text("crontab")
      .trimmingCharacters(in: .newlines)
    let fields = line.split(separator: " ", maxSplits: 5).map(String.init)
    try #require(fields.count == 6 && fields.prefix(5).allSatisfy { $0 == "*" })
    let binary = URL(fileURLWithPath: world.binary).deletingLastPathComponent().path
    // What cron sets, and nothing else; the workspace is in the user's own context.
    let script = """
      cd "$HOME" && exec env -i HOME="$HOME" LOGNAME=root SHELL=/bin/sh \
      PATH=/usr/bin:/bin:\(binary) /bin/sh -c '\(fields[5])'
      """
    func cron() throws -> World.Result {
      try world.command("/bin/sh", ["-c", script])
    }
    try world.succeed(["init", "--user"])
    try world.succeed(["workspace", "create", "acme"])
    let id = try world.succeed([
      "job", "enqueue", "-w", "acme", "--", "sh", "-c", "echo heard; echo done >ran",
    ])
    for _ in 1...2 {
      let result = try cron()
      #expect(result.status == 0)
      #expect(result.output.isEmpty && result.errorOutput.isEmpty, "\(result)")
    }
    #expect(world.read("ran") == "done\n")
    #expect(try world.succeed(["job", "logs", id, "-w", "acme"]) == "heard")
  }

  @Test("replacing the program by another version while 20 jobs run loses nothing")
  func upgrade() throws {
    let world = try World()
    let bin = world.folder.appendingPathComponent("bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    let program = bin.appendingPathComponent("hotglue")
    try FileManager.default.copyItem(atPath: world.binary, toPath: program.path)
    let old = try world.command(program.path, ["--version"]).lines.first ?? ""
    let ids = try world.enqueueLines(
      (1...20).map {
        "{\"command\":[\"sh\",\"-c\",\"echo \($0) >>started; until [ -e go ]; do sleep 0.1; done; echo out-\($0); echo \($0) >>ended\"]}"
      })
    let work = ["job", "work", "-w", "main", "--concurrency", "20"]
    let first = try world.start(program: program.path, work + ["--grace", "0s"])
    try world.eventually("all run") { world.lineCount("started") == 20 }

    // Another version, under another name and renamed into place, as an installation does it.
    let new = String(old.map { $0 == "." ? "." : "9" })
    try #require(new != old)
    let bytes = try Data(contentsOf: program)
    var patched = bytes
    var places = 0
    var from = patched.startIndex
    while let range = patched.range(of: Data(old.utf8), in: from..<patched.endIndex) {
      patched.replaceSubrange(range, with: Data(new.utf8))
      from = range.upperBound
      places += 1
    }
    #expect(places > 0)
    let fresh = bin.appendingPathComponent("hotglue.new")
    try patched.write(to: fresh)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fresh.path)
    #expect(rename(fresh.path, program.path) == 0)
    #expect(try world.command(program.path, ["--version"]).lines == [new])

    kill(first.processIdentifier, SIGTERM)
    first.waitUntilExit()
    let second = try world.start(program: program.path, work + ["--drain"])
    try world.eventually("the new one minds them all") {
      try world.jobs().allSatisfy {
        ($0["worker"] as? String ?? "").hasSuffix(":\(second.processIdentifier)")
      }
    }
    try Data().write(to: world.folder.appendingPathComponent("go"))
    second.waitUntilExit()
    #expect(second.terminationStatus == 0)
    #expect(try world.stateCounts() == ["succeeded": 20])
    for name in ["started", "ended"] {
      let seen = world.read(name).split(separator: "\n").compactMap { Int($0) }.sorted()
      #expect(seen == Array(1...20), "each \(name) exactly once")
    }
    for (index, id) in ids.enumerated() {
      #expect((try world.job(id)["attempts"] as? [Any])?.count == 1)
      if index % 7 == 0 {
        #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "out-\(index + 1)")
      }
    }
    try world.checkStore()
  }

  @Test(
    "where the store is of a later schema, the outcome waits for the later version, which records it"
  )
  func recordedByTheLaterVersion() throws {
    let world = try World()
    let bin = world.folder.appendingPathComponent("bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    let program = bin.appendingPathComponent("hotglue")
    try FileManager.default.copyItem(atPath: world.binary, toPath: program.path)
    let id = try world.enqueue("echo x >>starts; until [ -e go ]; do sleep 0.05; done; exit 3")
    let worker = try world.start(program: program.path, ["job", "work", "-w", "main"])
    try world.eventually("it runs") { world.lineCount("starts") == 1 }
    kill(worker.processIdentifier, SIGKILL)
    worker.waitUntilExit()

    // The later version takes a schema for its own that this one has never heard of.
    let schema = Schema.version
    var later = try Data(contentsOf: program)
    let question = "PRAGMA user_version"
    let answer = "SELECT \(schema)".padding(
      toLength: question.count, withPad: " ", startingAt: 0)
    let range = try #require(later.range(of: Data((question + "\0").utf8)))
    later.replaceSubrange(range, with: Data((answer + "\0").utf8))
    let fresh = bin.appendingPathComponent("hotglue.new")
    try later.write(to: fresh)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: fresh.path)
    try #require(rename(fresh.path, program.path) == 0)
    do {
      let store = try Connection(path: world.folder.path + "/" + World.database)
      try store.execute("PRAGMA user_version = \(schema + 1)")
    }
    #expect(try world.run(["job", "list", "-w", "main"]).status == 69, "this one refuses it")

    try Data().write(to: world.folder.appendingPathComponent("go"))
    // Its supervisor is of the earlier one, whose recorder may not write this store.
    try world.eventually("its supervisor has ended") {
      World.children(ofStore: world.folder.path, kind: "hotglue-super").isEmpty
    }
    let drained = try world.command(program.path, ["job", "work", "-w", "main", "--drain"])
    #expect(drained.status == 0, "\(drained)")
    let shown = try world.command(program.path, ["job", "show", id, "-w", "main", "--json"])
    #expect(shown.output.contains("\"state\":\"failed\""), "\(shown)")
    #expect(shown.output.contains("\"exit_status\":3"), "\(shown)")
    #expect(world.lineCount("starts") == 1)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: world.storeFolder + "/slots").isEmpty)
    let doctor = try world.command(program.path, ["doctor", "-q"])
    #expect(doctor.status == 0, "\(doctor)")
  }

  @Test(
    "a supervisor of another version is refused by name, and ends by itself; then its slot proves nothing"
  )
  func slotOfAnotherVersion() throws {
    let world = try World()
    let script = "echo x >>starts; until [ -e go ]; do sleep 0.05; done"
    let id = try world.enqueue(script)
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("it runs") { world.lineCount("starts") == 1 }
    let path = try slot(of: id, in: world)
    kill(worker.processIdentifier, SIGKILL)
    worker.waitUntilExit()
    // The version stands after the eight bytes of the file's mark.
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.seek(toOffset: 8)
    try file.write(contentsOf: Data([99, 0, 0, 0]))
    let refused = try world.run(["job", "reclaim", "-w", "main"])
    #expect(
      refused.errorOutput.contains("has version 99, and this hotglue speaks version"), "\(refused)")
    #expect(refused.errorOutput.contains("job work' of the version that started it"))
    #expect(try world.state(id) == "running")
    for pid in World.children(ofStore: world.folder.path, kind: "hotglue-super") {
      kill(pid, SIGKILL)
    }
    try world.eventually("it is lost") {
      let reclaim = try world.run(["job", "reclaim", "-w", "main"])
      return reclaim.status == 0
    }
    #expect(try world.state(id) == "uncertain")
    #expect(world.lineCount("starts") == 1)
    try world.checkStore()
  }

  @Test("the command that the doctor names for an attempt whose slot is lost resolves its job")
  func lostSlot() throws {
    let world = try World()
    let id = try world.enqueue("echo x >>starts; until [ -e go ]; do sleep 0.05; done")
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("it runs") { world.lineCount("starts") == 1 }
    let path = try slot(of: id, in: world)
    kill(worker.processIdentifier, SIGKILL)
    worker.waitUntilExit()
    func remedies(_ code: String) throws -> [String?] {
      let text = try world.run(["doctor", "--json"]).output
      let report = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      let findings =
        (report?["findings"] as? [[String: Any]] ?? [])
        + (report?["notes"] as? [[String: Any]] ?? [])
      return findings.filter { $0["code"] as? String == code }.map { $0["remedy"] as? String }
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.write(contentsOf: Data("damaged".utf8))
    // Its supervisor lives, and may come to an end by itself.
    #expect(try remedies("attempt_dead").isEmpty)
    #expect(try remedies("attempt_unattended").count == 1)
    for pid in World.children(ofStore: world.folder.path, kind: "hotglue-super") {
      kill(pid, SIGKILL)
    }
    try world.eventually("its supervisor is gone") { try remedies("attempt_dead").count == 1 }
    let remedy = try #require(try remedies("attempt_dead")[0])
    #expect(!remedy.contains("rm "))
    let bin = URL(fileURLWithPath: world.binary).deletingLastPathComponent().path
    let done = try world.command("/bin/sh", ["-c", "PATH=\(bin):$PATH; \(remedy)"])
    #expect(done.status == 0, "\(done)")
    #expect(try world.state(id) == "uncertain")
    #expect(try remedies("attempt_dead").isEmpty)
  }

  /// The slot file that names the job as its attempt's.
  private func slot(of id: String, in world: World) throws -> String {
    let folder = world.storeFolder + "/slots"
    let paths = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { !$0.contains(".") }.map { "\(folder)/\($0)" }
    let job = try #require(Int64(id))
    return try #require(
      try paths.first { path in
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(1032).prefix(8)
        return bytes.elementsEqual(withUnsafeBytes(of: job.littleEndian) { Array($0) })
      })
  }
}

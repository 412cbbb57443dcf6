import Foundation
import Testing

/// The key of an effect whose command closes the descriptors that it does not know, as Python does for
/// every program that it starts: what is left of it is found by its mark.
@Suite(.serialized)
struct KeptKeyTests {
  /// A program that Python starts without its descriptors and in a session of its own. It says who it
  /// is, waits to be let go, and leaves a line when it happens.
  private static let python = """
    import subprocess, time
    subprocess.Popen(
        ["sh", "-c", "echo $$ >child; until [ -e go ]; do sleep 0.02; done; echo late >>late"],
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    time.sleep(600)
    """

  /// The words of an effect whose command does what `command` says. An effect key stands for one command:
  /// it is a script beside the store, and its content changes.
  private func words(
    _ world: World, _ key: String, _ flags: [String], _ command: [String]
  ) throws -> [String] {
    let quoted = command.map { "'" + $0.replacingOccurrences(of: "'", with: #"'\''"#) + "'" }
    try Data("exec \(quoted.joined(separator: " "))\n".utf8)
      .write(to: world.folder.appendingPathComponent("step-\(key)"))
    return ["effect", "run", key, "--scope", "workspace"] + flags + ["--", "sh", "step-\(key)"]
  }

  private func shown(_ world: World, _ key: String) throws -> [String: Any] {
    let text = try world.succeed(["effect", "show", key, "--scope", "workspace", "--json"])
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// Starts the words, waits for the program that they leave, and kills hotglue. Returns who is left.
  private func leave(_ world: World, _ words: [String]) throws -> Int32 {
    try Data(Self.python.utf8).write(to: world.folder.appendingPathComponent("leave.py"))
    let run = try world.start(words)
    try world.eventually("the program runs") { world.lineCount("child") == 1 }
    // Not waited for: Foundation takes a process for ended when all that it left has ended.
    kill(run.processIdentifier, SIGKILL)
    return try #require(Int32(world.read("child").trimmingCharacters(in: .newlines)))
  }

  @Test(
    "while a program that gave the lock up lives, the effect is neither checked nor run again, and who it is is told"
  )
  func pythonsChild() throws {
    let world = try World()
    let child = try leave(world, words(world, "k", [], ["python3", "leave.py"]))
    let again = ["sh", "-c", "echo again >>again"]
    // The command itself dies with hotglue, a moment later; what it started is what is left.
    try world.eventually("its child alone is left") {
      try shown(world, "k")["held_by"] as? Int == Int(child)
    }
    #expect(try shown(world, "k")["state"] as? String == "intended")
    for policy in ["refuse", "rerun", "check=echo asked >>asked; cat late"] {
      let told = try world.run(words(world, "k", ["--unknown", policy, "--wait", "50ms"], again))
      #expect(told.status == 75, "\(policy)")
      #expect(told.errorOutput.contains("process \(child)"), "\(told.errorOutput)")
      #expect(told.errorOutput.contains("since 20"), "\(told.errorOutput)")
    }
    #expect(try world.run(["effect", "begin", "k", "--scope", "workspace"]).status == 75)
    let abandoned = try world.run(["effect", "abandon", "k", "--scope", "workspace"])
    #expect(abandoned.status == 75)
    #expect(abandoned.errorOutput.contains("kill \(child)"), "\(abandoned.errorOutput)")
    #expect(try world.run(["effect", "list", "--state", "unknown", "-q"]).output.isEmpty)
    #expect(
      try world.succeed(["effect", "show", "k", "--scope", "workspace"]).contains("\(child)"))
    let doctor = try world.run(["doctor", "--json"])
    #expect(doctor.output.contains("effect_stray"), "\(doctor.output)")
    #expect(doctor.output.contains("\"pid\":\(child)"), "\(doctor.output)")
    #expect(try world.diagnosis().findings == [], "it is a note: nothing is wrong")

    let waiting = try world.start(words(world, "k", ["--unknown", "check=cat late"], again))
    // It waits: nothing but the end of that program lets it ask.
    try world.letGo()
    waiting.waitUntilExit()
    #expect(waiting.terminationStatus == 0)
    #expect(world.lineCount("late") == 1)
    #expect(world.read("again").isEmpty && world.read("asked").isEmpty)
    #expect(try shown(world, "k")["state"] as? String == "confirmed")
    #expect(try !world.diagnosis().notes.contains("effect_stray"))
  }

  @Test("a command whose mark finds no room is not run, and what could not be written is told: 74")
  func noRoomForTheMark() throws {
    let world = try World()
    let folder = world.storeFolder + "/effects"
    #expect(try world.run(words(world, "k", [], ["sh", "-c", "exit 3"])).status == 83)
    let lock = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
    let (result, wasHit) = try world.tried(
      words(world, "k", ["--unknown", "rerun"], ["sh", "-c", "echo x >>ran"]),
      at: Injection(
        call: "pwrite64", number: 1, path: folder + "/" + lock, error: "ENOSPC"))
    #expect(wasHit && result.status == 74, "\(result)")
    #expect(result.errorOutput.contains("effects/\(lock)'"), "\(result)")
    #expect(result.errorOutput.contains("no space left on device"), "\(result)")
    #expect(result.errorOutput.contains("the command of effect 'k' was not run"), "\(result)")
    #expect(world.read("ran").isEmpty)
    // The try before it is as unknown as it was.
    #expect(try shown(world, "k")["state"] as? String == "unknown")
    #expect(
      try world.run(words(world, "k", ["--unknown", "rerun"], ["sh", "-c", "echo x >>ran"])).status
        == 0)
    #expect(world.lineCount("ran") == 1)
  }

  @Test("once it has ended, the effect is as unknown as any, and its key may be abandoned")
  func afterItsEnd() throws {
    let world = try World()
    let child = try leave(world, words(world, "k", [], ["python3", "leave.py"]))
    #expect(try shown(world, "k")["state"] as? String == "intended")
    try world.letGo()
    try world.eventually("the program has ended") { !World.isAlive(child) }
    try world.eventually("the command is gone, too") {
      try shown(world, "k")["state"] as? String == "unknown"
    }
    #expect(try world.run(words(world, "k", [], ["sh", "-c", "echo again >>again"])).status == 83)
    #expect(world.read("again").isEmpty)
    try world.succeed(["effect", "abandon", "k", "--scope", "workspace"])
    #expect(try world.run(words(world, "k", [], ["echo", "now"])).output == "now\n")
  }

  @Test("also what was recorded as unknown, or as not done, is not tried again beside what it left")
  func endedBeforeItsChild() throws {
    let world = try World()
    let start = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)"
    for (status, flags, state) in [
      (83, [], "unknown"), (7, ["--not-done", "7"], "failed"),
    ] as [(Int32, [String], String)] {
      let key = "k\(status)"
      let script = "python3 -c \"\(start)\"; exit \(status == 83 ? 5 : status)"
      #expect(try world.run(words(world, key, flags, ["sh", "-c", script])).status == status)
      let facts = try shown(world, key)
      #expect(facts["state"] as? String == state)
      let child = Int32(try #require(facts["held_by"] as? Int))
      #expect(
        try world.run(words(world, key, ["--unknown", "rerun", "--wait", "0s"], ["true"])).status
          == 75)
      kill(child, SIGKILL)
      #expect(try world.run(words(world, key, ["--unknown", "rerun"], ["true"])).status == 0)
    }
  }

  @Test("of effects inside each other, what the inner one left keeps both keys")
  func nested() throws {
    let world = try World()
    let inner = ["hotglue"] + (try words(world, "inner", [], ["python3", "leave.py"]))
    let child = try leave(world, words(world, "outer", [], inner))
    for key in ["inner", "outer"] {
      try world.eventually("only the child is left of \(key)") {
        try shown(world, key)["held_by"] as? Int == Int(child)
      }
      let told = try world.run(
        words(world, key, ["--unknown", "rerun", "--wait", "1ms"], ["true"]))
      #expect(told.status == 75, "\(key)")
    }
    try world.letGo()
    for key in ["inner", "outer"] {
      #expect(
        try world.run(words(world, key, ["--unknown", "rerun"], ["true"])).status == 0, "\(key)")
    }
    #expect(world.lineCount("late") == 1)
  }

  @Test(
    "what the command of an effect starts without its descriptors is told, too, that it asks for that effect"
  )
  func recursion() throws {
    let world = try World()
    let script = """
      import subprocess, sys
      again = ["hotglue", "effect", "run", "k", "--scope", "workspace", "--", "sh", "step-k"]
      print(subprocess.run(again, stderr=subprocess.DEVNULL).returncode)
      """
    try Data(script.utf8).write(to: world.folder.appendingPathComponent("again.py"))
    let result = try world.run(words(world, "k", [], ["python3", "again.py"]))
    #expect(result.output == "81\n")
    #expect(result.status == 0)
  }

  @Test("an undisturbed effect looks at no other process, nor does one that is confirmed")
  func looksAtNothing() throws {
    let world = try World()
    for _ in 1...2 {
      let run = [world.binary] + (try words(world, "k", [], ["true"]))
      let result = try world.command(
        World.strace, ["-qq", "-f", "-o", "trace", "-e", "trace=open,openat"] + run)
      #expect(result.status == 0)
      #expect(world.read("trace").contains("/effects/") || world.lineCount("trace") > 0)
      #expect(!world.read("trace").contains("/environ"))
      #expect(!world.read("trace").contains("\"/proc\""))
    }
    // The same call as a look makes does show one: the test can fail.
    _ = try world.run(words(world, "left", [], ["sh", "-c", "exit 9"]))
    let looks = [world.binary] + (try words(world, "left", ["--unknown", "rerun"], ["true"]))
    _ = try world.command(
      World.strace, ["-qq", "-f", "-o", "trace", "-e", "trace=open,openat"] + looks)
    #expect(world.read("trace").contains("/environ"))
  }
}

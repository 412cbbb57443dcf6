import Foundation
import Testing

/// `effect run` with real processes.
@Suite(.serialized)
struct EffectTests {
  private func run(
    _ world: World, _ key: String, _ script: String, flags: [String] = []
  ) throws -> World.Result {
    try world.run(
      ["effect", "run", key, "--scope", "workspace"] + flags + World.step, extra: ["STEP": script])
  }

  private func start(
    _ world: World, _ key: String, _ script: String, flags: [String] = []
  ) throws -> Process {
    try world.start(
      ["effect", "run", key, "--scope", "workspace"] + flags + World.step, extra: ["STEP": script])
  }

  private func state(_ world: World, _ key: String) throws -> String {
    let text = try world.succeed(["effect", "show", key, "--scope", "workspace", "--json"])
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return try #require(object?["state"] as? String)
  }

  @Test(
    "five steps, killed 100 times all over, are each confirmed once, and say what they would have said"
  )
  func fiveSteps() throws {
    let world = try World()
    // A step leaves one line when it happens; around that it can be killed either way. Where it is to
    // be killed it says which attempt it is, and waits for that.
    let script = """
      #!/bin/bash
      at() {
        grep -qsx "$1" "plan-$HOTGLUE_JOB" || return 0
        echo "$HOTGLUE_ATTEMPT" >"reached-$HOTGLUE_JOB"
        exec sleep 600
      }
      export -f at
      # Without the file the check could not tell: grep's status would be neither 0 nor 1.
      : >>"ledger-$HOTGLUE_JOB"
      asked="$HOTGLUE_JOB $HOTGLUE_ATTEMPT"
      echo "$$ $HOTGLUE_ATTEMPT" >"pid-$HOTGLUE_JOB"
      for step in 1 2 3 4 5; do
        hotglue effect run "step-$step" \\
          --unknown "check=if grep -qx $step 'ledger-$HOTGLUE_JOB'; then
              echo $asked after >>phases; echo result-$step
            else
              echo $asked before >>phases; exit 1
            fi" \\
          -- bash -c "sleep 0.02; at 'before $step'; echo $step >>ledger-$HOTGLUE_JOB
              at 'after $step'; sleep 0.02; echo result-$step" \\
          || exit
        at "between $step"
      done
      """
    try Data(script.utf8).write(to: world.folder.appendingPathComponent("steps.sh"))
    let expected = (1...5).map { "result-\($0)" }.joined(separator: "\n")
    let undisturbed = try world.enqueue("exec bash steps.sh")
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.succeed(["job", "logs", undisturbed]) == expected)
    // How fast steps go, on this machine and with this binary, says when kills by the clock fall.
    let half = try milliseconds(of: world.job(undisturbed)) / 2

    let worker = try world.start(["job", "work", "-w", "main"])
    var random = SeededGenerator(seed: 11)
    let places = ["before", "after", "between", "anywhere"]
    var kills = 0
    var jobs: [String] = []
    // A kill to come, in a step that has not happened yet.
    func plan(_ number: Int, of id: String) throws {
      let done = world.lineCount("ledger-\(id)")
      let step = Int.random(in: min(done + 1, 5)...5, using: &random)
      let place = number < 100 ? "\(places[number % 4]) \(step)" : "nowhere"
      try Data("\(place)\n".utf8)
        .write(to: world.folder.appendingPathComponent("plan-\(id)"), options: .atomic)
    }
    while kills < 100 {
      let id = try world.enqueue(
        "exec bash steps.sh",
        ["--replay", "safe", "--max-losses", "1000", "--backoff", "fixed:1ms"])
      jobs.append(id)
      try plan(kills, of: id)
      var last = ""
      try world.eventually("job \(id) ends", within: 120) {
        let attempt = world.read("pid-\(id)").trimmingCharacters(in: .newlines)
          .split(separator: " ")
        if kills < 100, attempt.count == 2, attempt[1] != last, let pid = Int32(attempt[0]) {
          let isThere = world.read("reached-\(id)") == attempt[1] + "\n"
          if isThere || places[kills % 4] == "anywhere" {
            last = String(attempt[1])
            if !isThere { usleep(UInt32.random(in: 0...half * 1000, using: &random)) }
            // Before the kill: the next attempt begins at once.
            try plan(kills + 1, of: id)
            // The handler's whole group: the script, hotglue, and the step.
            if kill(-pid, SIGKILL) == 0 { kills += 1 } else { try plan(kills, of: id) }
            return false
          }
        }
        return try world.state(id) == "succeeded"
      }
    }
    kill(worker.processIdentifier, SIGTERM)
    worker.waitUntilExit()
    // The attempt after a kill asks about the step that was open then, if one was: so every kill fell
    // before its step happened, after that and before the confirmation, or outside of any step.
    let asked = Set(world.read("phases").split(separator: "\n").map(String.init))
    let before = asked.filter { $0.hasSuffix("before") }.count
    let after = asked.filter { $0.hasSuffix("after") }.count
    #expect(
      before > 24 && after > 24 && before + after < kills,
      "of \(kills) kills \(before) fell before a step happened, \(after) after it")
    for id in jobs {
      #expect(
        world.read("ledger-\(id)").split(separator: "\n") == ["1", "2", "3", "4", "5"],
        "the steps of job \(id)")
      let log = try world.succeed(["job", "logs", id])
      #expect(log == expected, "the last attempt of job \(id) says what an undisturbed one says")
      let effects = try #require(try world.job(id)["effects"] as? [[String: Any]])
      #expect(effects.map { $0["state"] as? String } == Array(repeating: "confirmed", count: 5))
    }
    try world.checkStore()
  }

  private func milliseconds(of job: [String: Any]) throws -> UInt32 {
    let form = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    let begun = try Date(try #require(job["started_at"] as? String), strategy: form)
    let ended = try Date(try #require(job["finished_at"] as? String), strategy: form)
    return UInt32(ended.timeIntervalSince(begun) * 1000)
  }

  @Test("of two processes at once one runs the command, and both print its output")
  func twoAtOnce() throws {
    let world = try World()
    let script = "echo x >>ran; until [ -e go ]; do sleep 0.02; done; echo result"
    let first = try start(world, "k", script)
    try world.eventually("the command runs") { world.lineCount("ran") == 1 }
    let told = try run(world, "k", script, flags: ["--wait", "50ms"])
    #expect(told.status == 75)
    #expect(told.errorOutput.contains("being carried out by 'hotglue effect run' (process "))
    #expect(try world.run(["effect", "begin", "k", "--scope", "workspace"]).status == 75)
    #expect(try world.run(["effect", "abandon", "k", "--scope", "workspace"]).status == 75)
    let second = try world.command(
      "/bin/sh",
      [
        "-c",
        "(sleep 0.1; : >go) & STEP='echo y >>ran' "
          + "exec hotglue effect run k --scope workspace -- bash -c 'eval \"$STEP\"'",
      ])
    first.waitUntilExit()
    #expect(first.terminationStatus == 0)
    #expect(second.status == 0)
    #expect(second.output == "result\n")
    #expect(world.lineCount("ran") == 1)
  }

  @Test(
    "the command dies with hotglue, and nothing is checked before all that it started has ended")
  func nothingBeforeTheLastHasEnded() throws {
    let world = try World()
    let first = try start(
      world, "k",
      "(until [ -e go ]; do sleep 0.02; done; echo late >>late) & echo $$ >pid; exec sleep 60")
    try world.eventually("the command runs") { world.lineCount("pid") == 1 }
    let command = try #require(Int32(world.read("pid").trimmingCharacters(in: .newlines)))
    // Not waited for: Foundation takes a process for ended when all that it left has ended.
    kill(first.processIdentifier, SIGKILL)
    #expect(try state(world, "k") == "intended")
    let check = ["--unknown", "check=cat late"]
    #expect(
      try run(world, "k", "echo never >>never", flags: check + ["--wait", "50ms"]).status == 75)
    let second = try world.start(
      world.binary, ["effect", "run", "k", "--scope", "workspace"] + check + World.step, input: nil,
      output: world.folder.appendingPathComponent("said"), errors: nil,
      extra: ["STEP": "touch never"])
    try world.letGo()
    second.waitUntilExit()
    #expect(second.terminationStatus == 0)
    #expect(world.read("said") == "late\n")
    #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/never"))
    #expect(try state(world, "k") == "confirmed")
    first.waitUntilExit()
    #expect(!World.isAlive(command))
  }

  @Test("an intent whose carrier was killed is listed as unknown, and resolved by a person's word")
  func resolvedByPerson() throws {
    let world = try World()
    for key in ["yes", "no"] {
      _ = try run(world, key, "kill -9 $PPID; sleep 60")
      try world.eventually("\(key) is unknown") { try state(world, key) == "unknown" }
      #expect(try run(world, key, "echo blind >>blind").status == 83)
    }
    let listed = try world.run(["effect", "list", "--state", "unknown", "-q"]).lines
    #expect(listed == ["no", "yes"])
    try world.succeed(
      ["effect", "confirm", "yes", "--scope", "workspace", "--output", "-"], input: "seen")
    try world.succeed(["effect", "abandon", "no", "--scope", "workspace", "--reason", "looked"])
    #expect(try run(world, "yes", "echo blind >>blind").output == "seen")
    #expect(world.read("blind").isEmpty)
    #expect(try run(world, "no", "echo now").output == "now\n")
  }

  @Test("what somebody confirms while the command runs stays, whatever the command comes to")
  func confirmedMeanwhile() throws {
    let world = try World()
    for (key, end) in [("well", "echo mine"), ("badly", "exit 5"), ("named", "exit 7")] {
      let out = world.folder.appendingPathComponent("errors-\(key)")
      let running = try world.start(
        ["effect", "run", key, "--scope", "workspace", "--not-done", "7"] + World.step,
        errors: out,
        extra: ["STEP": "echo x >\(key); until [ -e go-\(key) ]; do sleep 0.02; done; \(end)"])
      try world.eventually("the command runs") { world.lineCount(key) == 1 }
      try world.succeed(
        ["effect", "confirm", key, "--scope", "workspace", "--output", "-"], input: "seen")
      _ = FileManager.default.createFile(atPath: world.folder.path + "/go-\(key)", contents: nil)
      running.waitUntilExit()
      #expect(running.terminationStatus == 0, "\(key)")
      #expect(world.read("errors-\(key)").contains("was confirmed by somebody else"), "\(key)")
      #expect(try run(world, key, "echo again >>again").output == "seen")
    }
    #expect(world.read("again").isEmpty)
    try world.checkStore()
  }

  @Test("a check that hangs or dies decides nothing, and nothing is run")
  func uselessCheck() throws {
    let world = try World()
    try world.succeed(["effect", "begin", "k", "--scope", "workspace"])
    let hanging = try start(
      world, "k", "echo blind >>blind", flags: ["--unknown", "check=echo x >asked; exec sleep 600"])
    try world.eventually("the check is asked") { world.lineCount("asked") == 1 }
    kill(hanging.processIdentifier, SIGTERM)
    hanging.waitUntilExit()
    #expect(hanging.terminationReason == .exit && hanging.terminationStatus == 83)
    for check in ["kill -9 $$", "exit 2", "/no/such/check"] {
      let result = try run(
        world, "k", "echo blind >>blind", flags: ["--unknown", "check=\(check)"])
      #expect(result.status == 83, "\(check)")
      #expect(result.errorOutput.contains("the check command could not tell"), "\(check)")
    }
    #expect(world.read("blind").isEmpty)
    #expect(try state(world, "k") == "unknown")
  }

  @Test("of many that begin one effect at once, one has begun it")
  func manyBeginAtOnce() throws {
    let world = try World()
    let script = """
      for n in $(seq 20); do
        (hotglue effect begin k --scope workspace >out-$n 2>/dev/null; echo $? >>statuses) &
      done
      wait; cat out-*
      """
    let result = try world.command("/bin/bash", ["-c", script])
    #expect(result.lines == ["begun 1"])
    let statuses = world.read("statuses").split(separator: "\n")
    #expect(statuses.count == 20)
    #expect(statuses.filter { $0 == "0" }.count == 1)
    #expect(statuses.allSatisfy { ["0", "75", "83"].contains($0) }, "\(statuses)")
  }

  @Test("within one attempt, too, nothing is begun that somebody is at")
  func beginTwice() throws {
    let world = try World()
    let script = """
      hotglue effect begin x --unknown rerun
      hotglue effect begin x --unknown rerun; echo "second $?"
      hotglue effect abandon x --reason 'did nothing'
      hotglue effect begin x; echo "third $?"
      """
    let result = try world.run(["job", "run", "-w", "main", "--", "bash", "-c", script])
    #expect(result.output.contains("second 75"), "\(result.output)")
    #expect(result.output.contains("third 0"), "\(result.output)")
  }

  @Test("every end has its exit status, and only 0 and what is named are certain")
  func statuses() throws {
    let world = try World()
    let cases: [(key: String, flags: [String], script: String, status: Int32, state: String)] = [
      ("zero", [], "exit 0", 0, "confirmed"),
      ("named", ["--not-done", "6,7"], "exit 7", 7, "failed"),
      ("other", ["--not-done", "6,7"], "exit 8", 83, "unknown"),
      ("signal", [], "kill -TERM $$", 83, "unknown"),
      ("inner", [], "no-such-command", 83, "unknown"),
    ]
    for (key, flags, script, status, expected) in cases {
      #expect(try run(world, key, script, flags: flags).status == status, "\(key)")
      #expect(try state(world, key) == expected, "\(key)")
    }
    #expect(try run(world, "named", "exit 0").status == 0)
    for (command, status) in [("/no/such/file", Int32(127)), ("/etc/passwd", 126)] {
      let result = try world.run(
        ["effect", "run", command, "--scope", "workspace", "--", command])
      #expect(result.status == status)
      #expect(try state(world, command) == "failed")
    }
    #expect(try world.run(["effect", "run", "k", "--", "true"]).status == 82)
  }

  @Test(
    "an output comes back byte for byte; one over 1 MiB is streamed, and refused before anything is run"
  )
  func outputs() throws {
    let world = try World()
    let bytes = "head -c 1048576 /dev/zero | tr '\\0' 'a'; echo x >>ran"
    #expect(try run(world, "full", bytes).output.utf8.count == 1 << 20)
    #expect(try run(world, "full", bytes).output.utf8.count == 1 << 20)
    let more = "head -c 1048577 /dev/zero | tr '\\0' 'a'; echo x >>ran"
    #expect(try run(world, "more", more).output.utf8.count == (1 << 20) + 1)
    let refused = try run(world, "more", more)
    #expect(refused.status == 81)
    #expect(refused.output.isEmpty)
    #expect(refused.errorOutput.contains("(1048577 bytes) is larger than the 1048576 bytes"))
    #expect(try run(world, "more", more, flags: ["--no-output"]).status == 0)
    #expect(world.lineCount("ran") == 2)
    // What a check prints is the output as much, of whatever size.
    try world.succeed(["effect", "begin", "looked", "--scope", "workspace"])
    let looked = ["--unknown", "check=\(more)"]
    #expect(try run(world, "looked", "exit 9", flags: looked).output.utf8.count == (1 << 20) + 1)
    #expect(try run(world, "looked", "exit 9", flags: looked).status == 81)
    #expect(try state(world, "looked") == "confirmed")
    #expect(world.lineCount("ran") == 3)
    let odd = "printf 'a\\0\\n\\377b'"
    let first = try world.command(
      "/bin/sh",
      ["-c", "hotglue effect run odd --scope workspace -- sh -c \"$0\" | od -An -tx1", odd])
    let second = try world.command(
      "/bin/sh",
      ["-c", "hotglue effect run odd --scope workspace -- sh -c \"$0\" | od -An -tx1", odd])
    #expect(first.output == " 61 00 0a ff 62\n")
    #expect(second.output == first.output)
  }

  @Test("TERM is passed on, and the end that the command then comes to is recorded")
  func signals() throws {
    let world = try World()
    let running = try start(
      world, "k", "trap 'echo bye; exit 0' TERM; echo x >ready; while :; do sleep 0.05; done")
    try world.eventually("the command runs") { world.lineCount("ready") == 1 }
    kill(running.processIdentifier, SIGTERM)
    running.waitUntilExit()
    #expect(running.terminationReason == .exit && running.terminationStatus == 0)
    #expect(try run(world, "k", "echo again").output == "bye\n")
  }

  @Test(
    "the command of an effect that asks for the same effect is told, and does not wait for itself")
  func recursion() throws {
    let world = try World()
    let result = try run(
      world, "k", "hotglue effect run k --scope workspace -- true; echo $?")
    #expect(result.output == "81\n")
    #expect(result.status == 0)
  }

  @Test("inside a job a key belongs to the job; with another workspace named it is refused")
  func insideJobs() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    let script = """
      hotglue effect run k -- echo "$HOTGLUE_JOB"; hotglue effect run shared --scope workspace -- echo one
      hotglue -w other effect run k -- echo no; echo $?; hotglue -w other effect begin k; echo $?
      """
    let ids = try [world.enqueue(script), world.enqueue(script)]
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    for id in ids {
      let lines = try world.succeed(["job", "logs", id]).split(separator: "\n").map(String.init)
      #expect(lines.filter { !$0.contains(":") } == [id, "one", "80", "80"])
    }
    let all = try world.run(["effect", "list", "--json"]).lines
    #expect(all.count == 3)
  }
}

/// The same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    // SplitMix64.
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

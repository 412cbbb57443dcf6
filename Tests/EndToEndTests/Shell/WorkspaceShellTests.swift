import Foundation
import Testing

/// `workspace shell`: two terminals in two workspaces.
@Suite(.serialized)
struct WorkspaceShellTests {
  private func world() throws -> World {
    let world = try World()
    try world.succeed(["workspace", "create", "beta"])
    return world
  }

  private func shell(_ world: World, _ script: String, in workspace: String = "beta") throws
    -> World.Result
  {
    try world.runBelowShell(["workspace", "shell", workspace, "--", "sh", "-c", script])
  }

  @Test("a shell has a context file that nobody else may read, and that goes when it ends")
  func privateFile() throws {
    let world = try world()
    let result = try shell(
      world,
      """
      hotglue context prompt; stat -c %a "$HOTGLUE_CONTEXT" "${HOTGLUE_CONTEXT%/*}"
      echo "$HOTGLUE_CONTEXT" >file; exit 7
      """)
    #expect(result.output == "beta\n600\n700\n")
    #expect(result.status == 7)
    #expect(world.privateContexts() == [])
    #expect(try world.succeed(["context", "prompt"]) == "main")
    let file = world.read("file").trimmingCharacters(in: .newlines)
    let late = try world.run(["context", "show"], extra: ["HOTGLUE_CONTEXT": file])
    #expect(late.status == 78)
    #expect(late.errorOutput.contains("has ended"))
  }

  @Test("a switch elsewhere does not reach a shell, and one inside reaches nothing else")
  func twoTerminals() throws {
    let world = try world()
    let result = try shell(
      world,
      """
      env -u HOTGLUE_CONTEXT hotglue workspace switch beta -q
      hotglue workspace switch main
      hotglue context prompt; env -u HOTGLUE_CONTEXT hotglue context prompt
      hotglue workspace switch - -q
      hotglue workspace shell main -- sh -c 'hotglue context prompt'
      hotglue context prompt; cd /; hotglue context prompt
      """)
    #expect(result.status == 0, "\(result.errorOutput)")
    #expect(
      result.lines.filter { !$0.hasPrefix("switched") }
        == ["beta", "main", "beta", "beta", "main", "beta", "beta"])
    // It says which file it wrote.
    #expect(result.output.contains("generation 2 of '\(world.storeFolder)/contexts/"))
    #expect(world.privateContexts() == [])
  }

  @Test("the status of a shell is ours, 128 + n when a signal ended it")
  func status() throws {
    let world = try world()
    #expect(try shell(world, "exit 0").status == 0)
    #expect(try shell(world, "exit 83").status == 83)
    #expect(try shell(world, "kill -9 $$").status == 128 + 9)
    #expect(try shell(world, "kill -TERM $$").status == 128 + 15)
    // A closed pipe ends what is run as it would outside.
    let piped = try world.command(
      "/bin/bash",
      ["-c", "hotglue workspace shell beta -- sh -c 'yes; echo $? >&2' | head -1"])
    #expect(piped.output == "y\n")
    #expect(!piped.errorOutput.contains("Broken pipe"))
    #expect(world.privateContexts() == [])
  }

  @Test("TERM is passed on, and the file goes when the shell has ended")
  func terminated() throws {
    let world = try world()
    let process = try world.start([
      "workspace", "shell", "beta", "--", "sh", "-c",
      "trap 'hotglue context prompt >told; exit 9' TERM; echo >ready; while :; do sleep 0.05; done",
    ])
    try world.eventually("the shell is ready") { !world.read("ready").isEmpty }
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 9)
    #expect(world.read("told") == "beta\n")
    #expect(world.privateContexts() == [])
  }

  @Test("after kill -9 the shell keeps its file as long as it lives; then the next one sweeps it")
  func killed() throws {
    let world = try world()
    let process = try world.start([
      "workspace", "shell", "beta", "--", "sh", "-c",
      """
      echo $$ >pid; until [ -e go ]; do sleep 0.05; done
      hotglue context prompt >told; echo >end; until [ -e leave ]; do sleep 0.05; done
      """,
    ])
    try world.eventually("the shell is there") { !world.read("pid").isEmpty }
    kill(process.processIdentifier, SIGKILL)
    // The shell lives, so neither the next shell nor a prune takes its file.
    #expect(try shell(world, "true").status == 0)
    try world.succeed(["store", "prune"])
    #expect(world.privateContexts().count == 1)
    try world.succeed(["init", "--json"])
    try "".write(toFile: world.folder.path + "/go", atomically: true, encoding: .utf8)
    try world.eventually("the shell has asked") { !world.read("end").isEmpty }
    #expect(world.read("told") == "beta\n")
    try "".write(toFile: world.folder.path + "/leave", atomically: true, encoding: .utf8)
    let pid = try #require(Int32(world.read("pid").trimmingCharacters(in: .newlines)))
    try world.eventually("the shell has ended") { !World.isAlive(pid) }
    try world.succeed(["store", "prune"])
    #expect(world.privateContexts() == [])
  }

  @Test("what cannot be a shell of a workspace is refused, and nothing is run")
  func refused() throws {
    let world = try world()
    try world.succeed(["workspace", "create", "old"])
    try world.succeed(["workspace", "archive", "old"])
    try "text".write(
      toFile: world.folder.path + "/plain", atomically: true, encoding: .utf8)
    let cases: [([String], Int32)] = [
      (["workspace", "shell", "nope", "--", "touch", "ran"], 66),
      (["workspace", "shell", "Nope", "--", "touch", "ran"], 64),
      (["workspace", "shell", "old", "--", "touch", "ran"], 81),
      (["-w", "beta", "workspace", "shell", "beta", "--", "touch", "ran"], 64),
      (["--expect", "beta", "workspace", "shell", "beta", "--", "touch", "ran"], 80),
      (["workspace", "shell"], 64),
      (["workspace", "shell", "beta", "--", "no-such-program"], 127),
      (["workspace", "shell", "beta", "--", "./plain"], 126),
    ]
    for (line, status) in cases {
      let result = try world.run(line)
      #expect(result.status == status, "\(line): \(result.errorOutput)")
      #expect(result.errorOutput.hasPrefix("hotglue: "), "\(line)")
    }
    #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/ran"))
    #expect(world.privateContexts() == [])
  }

  @Test("without HOME, SHELL and PATH, as from cron, /bin/sh is run")
  func emptyEnvironment() throws {
    let world = try world()
    world.environment = [:]
    let result = try world.run(
      ["workspace", "shell", "beta"], input: "\(world.binary) context prompt; exit 5\n")
    #expect(result.output == "beta\n")
    #expect(result.status == 5)
  }

  @Test("what is run has the environment byte for byte, and the umask")
  func environmentBytes() throws {
    let world = try world()
    let result = try world.command(
      "/bin/bash",
      [
        "-c",
        """
        export ODD=$(printf 'a\\377b'); umask 027
        hotglue workspace shell beta -- sh -c 'printf %s "$ODD" | od -An -tx1; umask'
        """,
      ])
    #expect(result.output == " 61 ff 62\n0027\n")
  }

  @Test("of ours, what is run inherits the lock of its file alone, out of the way")
  func descriptors() throws {
    let world = try world()
    let result = try world.run(
      ["workspace", "shell", "beta", "--", "sh", "-c", "ls -l /proc/$$/fd"])
    let ours = result.lines.filter { $0.contains("/.hotglue/") }
    #expect(ours.count == 1, "\(result.output)")
    #expect(ours.first?.contains(" 100 -> \(world.storeFolder)/contexts/") == true)
  }

  @Test("where the private file cannot be made nothing is run: 73")
  func cannotCreate() throws {
    let world = try world()
    try world.external("foo", "#!/bin/sh\ntouch ran\n")
    try FileManager.default.removeItem(atPath: world.storeFolder + "/contexts")
    try "".write(
      toFile: world.storeFolder + "/contexts", atomically: true, encoding: .utf8)
    for line in [["workspace", "shell", "beta", "--", "touch", "ran"], ["foo"]] {
      let result = try world.run(line)
      #expect(result.status == 73)
      #expect(result.errorOutput.contains("cannot create '\(world.storeFolder)/contexts'"))
    }
    #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/ran"))
  }

  @Test("--store with a shell's workspace makes a context of that store")
  func otherStore() throws {
    let world = try world()
    let store = world.folder.path + "/.hotglue/store.db"
    let result = try world.command(
      "/bin/sh",
      ["-c", "cd / && hotglue --store \(store) workspace shell beta -- hotglue context prompt"])
    #expect(result.output == "beta\n", "\(result.errorOutput)")
  }

  @Test(
    "at a terminal: INT and TSTP go to the command, which stops and goes on as a job of the shell")
  func jobControl() throws {
    let world = try world()
    // One process, which says when it can be stopped and when it goes on.
    try """
    import os, signal, time
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCONT, lambda *_: os.write(1, b"awake\\n"))
    os.write(1, b"asleep\\n")
    # A signal that comes right before a sleep is seen behind it: none is long.
    while True:
        time.sleep(0.05)
    """.write(toFile: world.folder.path + "/sleeper", atomically: true, encoding: .utf8)
    try "PS1='OUT> '\n".write(
      toFile: world.folder.path + "/rc", atomically: true, encoding: .utf8)
    try Terminal(world: world).drive(
      ["bash", "--rcfile", "rc", "-i"],
      [
        .see("OUT> "), .type("SHELL=$BASH hotglue workspace shell beta\r"),
        .see("in this shell only"),
        .type("PS1='IN> '; set -m; hotglue context prompt\r"), .see("beta\r\n"), .see("IN> "),
        .type("python3 sleeper\r"), .see("asleep\r\n"), .type("\u{1a}"), .see("Stopped"),
        .see("IN> "),
        .type("fg\r"), .see("awake\r\n"), .type("\u{3}"), .see("IN> "),
        .type("suspend\r"), .see("Stopped"), .see("OUT> "),
        .type("fg\r"), .see("workspace shell beta\r\n"), .type("echo back\r"),
        .see("back\r\n"), .see("IN> "),
        .type("exit 5\r"), .see("OUT> "), .type("echo ended $?\r"), .see("ended 5\r"),
        .see("OUT> "),
        .type("hotglue workspace shell main -- python3 sleeper\r"), .see("asleep\r\n"),
        .type("\u{1a}"), .see("Stopped"), .see("OUT> "),
        .type("fg\r"), .see("awake\r\n"), .type("\u{3}"), .see("OUT> "),
        .type("echo ended $?\r"), .see("ended 130\r"), .see("OUT> "),
        .type("SHELL=$BASH hotglue workspace shell beta\r"), .see("in this shell only"),
        // What the shell says, and not the echo of what is typed: the shell is there.
        .type("echo rea''dy\r"), .see("ready\r\n"),
      ])
    // The terminal is gone with its driver.
    try world.eventually("a shell whose terminal is closed has ended") {
      world.privateContexts() == []
    }
  }
}

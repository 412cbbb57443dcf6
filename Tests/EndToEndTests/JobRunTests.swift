import Foundation
import Testing

/// What `job run` says on standard error, and what bytes of the system become of a command.
@Suite(.serialized)
struct JobRunTests {
  private func write(_ world: World, _ name: String, _ text: String, executable: Bool) throws {
    let path = world.folder.appendingPathComponent(name).path
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes(
      [.posixPermissions: executable ? 0o755 : 0o644], ofItemAtPath: path)
  }

  @Test(
    "what cannot be executed is told with the system's reason, and the job keeps it",
    arguments: [
      (
        "./crlf", Int32(127),
        #"./crlf: the command cannot be executed: its interpreter '/bin/sh\r': no such file or "#
          + "directory (the script has CRLF line ends)"
      ),
      (
        "./lost", 127,
        "./lost: the command cannot be executed: its interpreter '/no/such/sh': no such file or "
          + "directory"
      ),
      ("./plain", 126, "./plain: the command cannot be executed: permission denied"),
      ("echo hi | wc", 127, "the command cannot be executed: no such file or directory"),
    ])
  func notExecuted(command: String, status: Int32, reason: String) throws {
    let world = try World()
    try write(world, "crlf", "#!/bin/sh\r\necho hello\r\n", executable: true)
    try write(world, "lost", "#! /no/such/sh -e\n", executable: true)
    try write(world, "plain", "", executable: false)
    let result = try world.run(["job", "run", "--", command])
    #expect(result.status == status)
    #expect(result.errorOutput.contains("hotglue: job 1 failed: "), "\(result.errorOutput)")
    #expect(result.errorOutput.contains(reason), "\(result.errorOutput)")
    let job = try world.job("1")
    let message = (job["error"] as? [String: Any])?["message"] as? String ?? ""
    #expect(reason.hasSuffix(message.replacing("\r", with: "\\r")), "\(message)")
    #expect(job["reason"] as? String == "not_executable")
  }

  @Test("a command that ends with a status of its own stays silent, as in a shell")
  func silent() throws {
    let world = try World()
    for status in [0, 1, 3, 65] {
      let result = try world.run(["job", "run", "--", "sh", "-c", "exit \(status)"])
      #expect(result.status == Int32(status))
      #expect(result.errorOutput == "")
    }
  }

  @Test("a retry, a used-up budget, an unknown outcome and a time-out are told")
  func told() throws {
    let world = try World()
    func errors(_ flags: [String], _ script: String, _ status: Int32) throws -> String {
      let result = try world.run(["job", "run"] + flags + ["--", "sh", "-c", script])
      #expect(result.status == status, "\(result)")
      return result.errorOutput
    }
    let retried = try errors(
      ["--max-attempts", "2", "--backoff", "fixed:10ms", "--jitter", "none"], "exit 75", 75)
    #expect(retried.contains("job 1: exited with status 75; it runs again"), "\(retried)")
    #expect(
      retried.contains("failed: exited with status 75, after 2 attempts (max_attempts)"),
      "\(retried)")
    let unknown = try errors([], "kill -9 $$", 83)
    #expect(unknown.contains("has an unknown outcome: ended by signal SIGKILL"), "\(unknown)")
    #expect(unknown.contains("hotglue job resolve 2 --as"), "\(unknown)")
    let late = try errors(["--timeout", "100ms"], "sleep 60", 83)
    #expect(late.contains("has an unknown outcome: stopped on time-out"), "\(late)")
    let declared = try errors(
      [], "hotglue job report failed --code broken --message 'no room'; exit 1", 1)
    #expect(declared.contains("job 4 failed: no room"), "\(declared)")
    #expect(try errors(["-q"], "exit 83", 83) == "")
  }

  @Test("a signal cancels the job, and that is told")
  func cancelled() throws {
    let world = try World()
    let errors = world.folder.appendingPathComponent("errors")
    let running = try world.start(
      ["job", "run", "--", "sh", "-c", "echo x >started; exec sleep 60"], errors: errors)
    try world.eventually("it runs") { world.lineCount("started") == 1 }
    World.end(running, SIGTERM)
    #expect(running.terminationStatus == 128 + SIGTERM)
    let text = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
    #expect(text == "hotglue: job 1 was cancelled by SIGTERM\n")
  }

  @Test("a job whose output cannot be written is told with its ID, and why")
  func lostOutput() throws {
    let world = try World()
    let script = """
      hotglue job run -- echo hi >&-; echo "$?" >>statuses
      hotglue job run --json -- echo hi >/dev/full; echo "$?" >>statuses
      hotglue effect run k --scope workspace -- echo hi >&-; echo "$?" >>statuses
      hotglue job enqueue -- true >&-; echo "$?" >>statuses
      hotglue job work -w main --drain --json >/dev/full; echo "$?" >>statuses
      cat statuses
      """
    let result = try world.command("/bin/sh", ["-c", script])
    #expect(result.lines == ["74", "74", "74", "74", "74"], "\(result)")
    for words in [
      "bad file descriptor; the change is stored: 1\n", "no space left on device",
      #""stored":"2""#, "bad file descriptor; the change is stored: k\n",
      "bad file descriptor; the change is stored: 3\n", #""stored":"1 outcome""#,
    ] {
      #expect(result.errorOutput.contains(words), "\(result)")
    }
    #expect(try world.state("1") == "succeeded")
    try world.checkStore()
  }

  @Test("a directory that is not UTF-8 is refused where it would be stored, and stops nothing else")
  func directoryBytes() throws {
    let world = try World()
    let script = """
      mkdir "$(printf 'd\\351')" || exit
      cd "$(printf 'd\\351')" || exit
      hotglue job run -- touch ran; echo "$?"
      hotglue init; echo "$?"
      hotglue job enqueue --cwd / -- true; echo "$?"
      hotglue job list -q; echo "$?"
      hotglue context show -q >/dev/null; echo "$?"
      """
    let result = try world.command("/bin/sh", ["-c", script])
    #expect(result.lines == ["64", "64", "1", "0", "1", "0", "0"], "\(result)")
    #expect(result.errorOutput.contains("the name of the current directory is not UTF-8 text"))
    let made = try FileManager.default.subpathsOfDirectory(atPath: world.folder.path)
    #expect(!made.contains { $0.hasSuffix("ran") || $0.hasPrefix("d") && $0.contains(".hotglue") })
  }

  @Test("a value that is not UTF-8 reaches the handler byte for byte, and is not recorded")
  func valueBytes() throws {
    let world = try World()
    let script = """
      V=$(printf 'x\\351'); export V
      hotglue job run -- sh -c 'printf %s "$V" | od -An -tx1'
      hotglue effect run k --scope workspace -- sh -c 'printf %s "$V" | od -An -tx1'
      hotglue job enqueue --env V -- true; echo "$?"
      hotglue job enqueue --env V=text -- sh -c 'printf %s "$V" >value'
      hotglue job work -w main --drain; cat value
      """
    let result = try world.command("/bin/sh", ["-c", script])
    #expect(result.lines == [" 78 e9", " 78 e9", "64", "2", "text"], "\(result)")
    #expect(result.errorOutput.contains("the value of 'V' is not UTF-8 text"), "\(result)")
  }
}

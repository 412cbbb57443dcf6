import Foundation
import Testing

/// A program at a real pseudo-terminal, driven step by step: what is typed, and what must appear.
struct Terminal {
  enum Step {
    /// Keys, as a person would press them.
    case type(String)
    /// Waits for this text in what came since the last keys; the bound is 60 s.
    case see(String)
  }

  let world: World

  private static let driver = """
    import json, os, pty, select, signal, sys, time
    # Foundation starts its children with signals blocked.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    steps = json.load(open(sys.argv[1]))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    seen = ""
    mark = 0
    for verb, text in steps:
        if verb == "type":
            mark = len(seen)
            os.write(terminal, text.encode())
            continue
        end = time.time() + 60
        while text not in seen[mark:]:
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.time()))
            try:
                data = os.read(terminal, 65536) if ready else b""
            except OSError:
                data = b""
            if not data:
                sys.exit("not seen: %r in %r" % (text, seen[mark:]))
            seen += data.decode("utf-8", "replace")
    print(seen)
    """

  /// Starts the program, goes through the steps and hangs up.
  func drive(_ program: [String], _ steps: [Step], extra: [String: String] = [:]) throws {
    let pairs = steps.map { step -> [String] in
      switch step {
      case .type(let text): ["type", text]
      case .see(let text): ["see", text]
      }
    }
    let script = world.folder.appendingPathComponent("terminal.py")
    let plan = world.folder.appendingPathComponent("steps.json")
    try Self.driver.write(to: script, atomically: true, encoding: .utf8)
    try JSONEncoder().encode(pairs).write(to: plan)
    let result = try world.command(
      "/usr/bin/python3", [script.path, plan.path] + program,
      extra: extra.merging(["TERM": "xterm"]) { own, _ in own })
    #expect(result.status == 0, "\(result.errorOutput)")
  }
}

extension World {
  /// Runs hotglue below a shell, which unblocks the signals that Foundation starts its children with.
  func runBelowShell(_ arguments: [String]) throws -> Result {
    try command("/bin/sh", ["-c", "\"$0\" \"$@\"; exit $?", binary] + arguments)
  }

  /// Writes an executable `hotglue-NAME` into the folder `bin`, which is made a part of PATH.
  func external(_ name: String, _ text: String, mode: Int = 0o755) throws {
    let bin = folder.appendingPathComponent("bin")
    try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
    let file = bin.appendingPathComponent("hotglue-\(name)")
    try text.write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
    let path = environment["PATH"] ?? ""
    if !path.hasPrefix(bin.path + ":") { environment["PATH"] = bin.path + ":" + path }
  }

  /// The private contexts that are there.
  func privateContexts() -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: storeFolder + "/contexts")) ?? []
  }
}

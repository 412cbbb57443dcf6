import Foundation
import Testing

/// What handlers leave behind is found and stopped, however they leave it and however they end.
@Suite(.serialized)
struct StrayTests {
  /// How a handler tries to leave something behind that outlives it.
  enum Kind: String, CaseIterable {
    case doubleFork, ownSession, closesAll, ignoresTerm, forksOn, scrubs
  }

  /// How its attempt ends. `alone`: the worker was killed before. `supervisor` and `reclaim`: its
  /// supervisor is killed, and its worker or a reclaim finds out.
  enum End: String, CaseIterable {
    case normal, normalAlone, timeout, timeoutAlone, cancel, cancelAlone, stopAlone
    case supervisor, reclaim

    var isAlone: Bool {
      [.normalAlone, .timeoutAlone, .cancelAlone, .stopAlone, .reclaim].contains(self)
    }

    var state: String {
      switch self {
      case .normal, .normalAlone: "succeeded"
      case .timeout, .timeoutAlone, .stopAlone, .supervisor, .reclaim: "uncertain"
      case .cancel, .cancelAlone: "cancelled"
      }
    }

    /// After the death of its supervisor, what has left session, group and environment is not found
    /// without a control group: the manual lists it.
    func escaping(delegated: Bool) -> Set<Kind> {
      !delegated && [.supervisor, .reclaim].contains(self) ? [.scrubs] : []
    }
  }

  /// The handler, with its kind in its own name: whatever it starts carries that in its arguments.
  private static let handler = """
    import os, signal, sys, time
    kind = os.path.basename(sys.argv[0])[6:-3]
    folder = os.path.dirname(sys.argv[0])
    end = time.time() + 300
    def up():
        with open(folder + '/up-' + kind, 'a') as file: file.write('x')
    def stay():
        while time.time() < end: time.sleep(0.05)
        os._exit(0)

    if sys.argv[1:] == ['scrubbed']:
        up(); stay()
    if kind in ('doubleFork', 'ownSession', 'closesAll', 'scrubs'):
        if os.fork() == 0:
            if kind != 'doubleFork': os.setsid()
            if os.fork() != 0: os._exit(0)
            if kind == 'closesAll': os.closerange(0, 1024)
            if kind == 'scrubs':
                os.execve(sys.executable, [sys.executable, sys.argv[0], 'scrubbed'], {})
            up(); stay()
    elif kind == 'ignoresTerm':
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            up(); stay()
    elif kind == 'forksOn':
        # Each starts its successor, in a session of its own, and ends.
        if os.fork() == 0:
            up()
            while time.time() < end:
                time.sleep(0.002)
                if os.fork() != 0: os._exit(0)
                os.setsid()
            os._exit(0)
    while not os.path.exists(folder + '/up-' + kind): time.sleep(0.02)
    while not os.path.exists(folder + '/go'): time.sleep(0.02)
    """

  @Test("found and stopped, or named as escaping", arguments: End.allCases)
  func strays(end: End) throws {
    let world = try World()
    let folder = world.folder.path
    let flags =
      ["--stop", "TERM,300ms,KILL"]
      + (end.rawValue.hasPrefix("timeout") ? ["--timeout", "10s"] : [])
    var ids: [Kind: String] = [:]
    for kind in Kind.allCases {
      let script = "\(folder)/stray-\(kind.rawValue).py"
      try Self.handler.write(toFile: script, atomically: true, encoding: .utf8)
      ids[kind] = try world.succeed(
        ["job", "enqueue", "-w", "main"] + flags + ["--", "/usr/bin/python3", script])
    }
    func living(_ kind: Kind) -> [Int32] {
      World.processes(named: "\(folder)/stray-\(kind.rawValue).py").filter(World.isAlive)
    }
    // Whatever the rules do, the test leaves nothing behind.
    defer { for kind in Kind.allCases { for pid in living(kind) { kill(pid, SIGKILL) } } }

    let worker = try world.start(["job", "work", "-w", "main", "--concurrency", "6"])
    defer {
      kill(worker.processIdentifier, SIGTERM)
      worker.waitUntilExit()
    }
    try world.eventually("every stray is up") {
      Kind.allCases.allSatisfy { world.read("up-\($0.rawValue)") == "x" }
    }
    if end.isAlone { kill(worker.processIdentifier, SIGKILL) }
    switch end {
    case .normal, .normalAlone: try Data().write(to: world.folder.appendingPathComponent("go"))
    case .timeout, .timeoutAlone: break
    case .cancel, .cancelAlone:
      for id in ids.values { try world.succeed(["job", "cancel", id, "-w", "main"]) }
    case .stopAlone: try world.succeed(["job", "reclaim", "-w", "main", "--stop"])
    case .supervisor, .reclaim:
      let supervisors = World.children(ofStore: folder, kind: "hotglue-super")
      for pid in supervisors { kill(pid, SIGKILL) }
      // A reclaim leaves to the next one what is only about to die.
      try world.eventually("they are dead") { !supervisors.contains(where: World.isAlive) }
      if end == .reclaim { try world.succeed(["job", "reclaim", "-w", "main"]) }
    }
    try world.eventually("every attempt has ended") {
      try world.jobs().allSatisfy { $0["state"] as? String != "running" }
    }
    let escaping = end.escaping(delegated: try DelegatedGroup.holdsThisProcess())
    for (kind, id) in ids {
      let job = try world.job(id)
      #expect(job["state"] as? String == end.state, "\(kind)")
      let alive = living(kind)
      if escaping.contains(kind) {
        #expect(!alive.isEmpty, "the manual says that \(kind) escapes, and it did not")
      } else {
        #expect(alive.isEmpty, "\(kind) has left \(alive)")
      }
      if end == .normal || end == .normalAlone {
        let attempts = job["attempts"] as? [[String: Any]] ?? []
        let warnings = attempts.flatMap { $0["warnings"] as? [String] ?? [] }
        #expect(
          warnings.contains { $0.contains("left behind and stopped") }, "\(kind): \(warnings)")
      }
    }
    try world.checkStore()
  }

  @Test("the manual names what escapes")
  func manual() throws {
    let page = try ManualPage("hotglue-contract.7").section("WHAT ESCAPES")
    for escaping in [#"env \-i"#, "sudo", "container", #"systemd\-run"#, "ssh"] {
      #expect(page.contains(escaping), "\(escaping)")
    }
  }
}

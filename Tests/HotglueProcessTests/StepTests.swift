import Glibc
import HotglueFiles
import HotglueProcess
import TestSupport
import Testing

/// The commands of effects and their checks, one after the other.
@Suite("Steps", .serialized)
struct StepTests {
  private let environment = ["PATH=/usr/local/bin:/usr/bin:/bin"]

  private func start(
    _ words: [String], _ kind: StepProcess.Kind = .command, lock: EffectLock? = nil
  ) throws -> StepProcess {
    let start = try StepProcess.start(words, kind, environment: environment, lock: lock)
    guard case .started(let process) = start else { throw Unexpected(text: "\(start)") }
    return process
  }

  /// The number that a process writes into the file.
  private func number(in path: String) throws -> Int32 {
    var line = [CChar](repeating: 0, count: 32)
    try eventually("a number in \(path)") {
      guard let file = fopen(path, "re") else { return false }
      defer { fclose(file) }
      return fgets(&line, 32, file) != nil && line.contains(CChar(UInt8(ascii: "\n")))
    }
    let number = atoi(line)
    try #require(number > 1)
    return number
  }

  /// What is so as soon as this process has given up a lock: what another test of it starts at that
  /// moment has our descriptors until it is executed, and holds the lock so long.
  private func awaited<Value>(_ what: String, _ choose: () throws -> Value?) throws -> Value {
    var value: Value?
    try eventually(what) {
      value = try choose()
      return value != nil
    }
    return try #require(value)
  }

  private struct Unexpected: Error {
    let text: String
  }

  @Test("programs that several threads start at once are each what was asked for")
  func severalThreads() {
    let wrong = ParallelThreads.run(4) { index -> [String] in
      var wrong: [String] = []
      for _ in 0..<100 {
        do {
          let process = try start(["/bin/sh", "-c", "exit \(10 + index)"], .check)
          let end = try process.wait(boundMs: 30_000) { _ in }
          if end != .exited(Int32(10 + index)) { wrong.append("\(index): \(end)") }
        } catch {
          wrong.append("\(index): \(error)")
        }
      }
      return wrong
    }
    #expect(wrong.flatMap(\.self) == [])
  }

  @Test("a check that hangs is killed whole when its bound is over")
  func hangingCheck() throws {
    let folder = try TemporaryFolder("hotglue-step")
    let pids = folder.file("pids")
    let process = try start(
      ["/bin/sh", "-c", "echo some; sleep 600 & echo $! >\(pids); wait"], .check)
    // The bound begins with the wait.
    let left = try number(in: pids)
    try eventually("it hangs") { SeenProcess(left)?.shortName == "sleep" }
    var written: [UInt8] = []
    #expect(try process.wait(boundMs: 500) { written += $0 } == .overdue)
    #expect(String(decoding: written, as: UTF8.self) == "some\n")
    try eventually("what it has started is gone") { SeenProcess(left) == nil }
    #expect(StepProcess.checkBoundMs == 60_000)
  }

  @Test("lock files that nobody holds are removed when they are old, and those that are held stay")
  func abandonedLocks() throws {
    let folder = try TemporaryFolder("hotglue-step")
    func acquire(_ name: String) throws -> EffectLock {
      guard
        case .acquired(let lock) = try EffectLock.tryAcquire(
          storeFolder: folder.path, name: name, shared: false)
      else { throw Unexpected(text: "\(name) is held") }
      return lock
    }
    func isThere(_ name: String) -> Bool {
      access(EffectLock.path(storeFolder: folder.path, name: name), F_OK) == 0
    }
    let held = try acquire("held")
    for name in ["old", "young"] { withExtendedLifetime(try acquire(name)) {} }
    var past = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
    for name in ["held", "old"] {
      let path = EffectLock.path(storeFolder: folder.path, name: name)
      #expect(utimensat(AT_FDCWD, path, &past, 0) == 0)
    }
    try eventually("the old one is removed") {
      try EffectLock.removeAbandoned(storeFolder: folder.path, olderThanMs: 600_000)
      return !isThere("old")
    }
    #expect(isThere("held") && isThere("young"))
    withExtendedLifetime(held) {}
    // A name whose file was removed is locked as before.
    let again = try awaited("a lock of the name") { try? acquire("old") }
    withExtendedLifetime(again) { #expect(isThere("old")) }
  }

  @Test("a lock file that was removed proves nothing: the mark of the living is asked")
  func removedWhileItRuns() throws {
    let folder = try TemporaryFolder("hotglue-step")
    func attempt(mayRun: Bool) throws -> EffectLock.Attempted {
      try EffectLock.tryAcquire(
        storeFolder: folder.path, name: "k", shared: false, mayRun: mayRun)
    }
    guard case .acquired(let lock) = try attempt(mayRun: false) else {
      throw Unexpected(text: "held")
    }
    let start = try StepProcess.start(
      ["sleep", "600"], environment: environment, lock: lock, title: "effect 'k'")
    guard case .started(let child) = start else { throw Unexpected(text: "\(start)") }
    unlink(EffectLock.path(storeFolder: folder.path, name: "k"))
    #expect(try EffectLock.look(storeFolder: folder.path, name: "k") != .free)
    guard case .held(let keeper?) = try attempt(mayRun: true) else {
      throw Unexpected(text: "not held")
    }
    #expect(keeper.isLeft)
    withExtendedLifetime((lock, child)) {}
  }

  @Test("who closed the descriptor keeps the key by its mark, and its file stays, however old")
  func keptByMark() throws {
    let folder = try TemporaryFolder("hotglue-step")
    func attempt() throws -> EffectLock.Attempted {
      try EffectLock.tryAcquire(storeFolder: folder.path, name: "k", shared: false)
    }
    let path = EffectLock.path(storeFolder: folder.path, name: "k")
    let child: StepProcess
    do {
      guard case .acquired(let lock) = try attempt() else { throw Unexpected(text: "held") }
      let script = """
        for f in /proc/self/fd/*; do n=${f##*/}; [ $n -gt 2 ] && eval "exec $n>&-"; done
        exec sleep 600
        """
      let start = try StepProcess.start(
        ["bash", "-c", script], environment: environment, lock: lock,
        title: "effect 'k'")
      guard case .started(let process) = start else { throw Unexpected(text: "\(start)") }
      child = process
    }
    // Until bash has closed it, the descriptor keeps the key; then the mark does.
    let keeper = try awaited("the descriptor is closed") { () -> EffectKeeper? in
      guard case .held(let keeper?) = try attempt(), keeper.isLeft else { return nil }
      return keeper
    }
    try eventually("the keeper is seen") {
      try EffectLock.look(storeFolder: folder.path, name: "k") == .held(keeper)
    }
    var past = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
    #expect(utimensat(AT_FDCWD, path, &past, 0) == 0)
    try EffectLock.removeAbandoned(storeFolder: folder.path, olderThanMs: 600_000)
    #expect(access(path, F_OK) == 0)

    // The record of a copied store names a process of the store that it was copied from.
    let text = try LockFile(path).contents
    try LockFile(EffectLock.path(storeFolder: folder.path, name: "copy")).write(text)
    try eventually("the copy is free") {
      try EffectLock.look(storeFolder: folder.path, name: "copy") == .free
    }
    // Nothing of another boot lives.
    let boot = try ProcessIdentity.current().bootID
    try LockFile(path).write(text.replacing(boot, with: "another"))
    try eventually("the key of another boot is free") {
      try EffectLock.look(storeFolder: folder.path, name: "k") == .free
    }
    try LockFile(path).write(text)

    #expect(kill(keeper.pid, SIGKILL) == 0)
    #expect(try child.wait { _ in } == .killed(signal: SIGKILL))
    try eventually("the lock is free") { if case .acquired = try attempt() { true } else { false } }
    try eventually("its file is removed") {
      try EffectLock.removeAbandoned(storeFolder: folder.path, olderThanMs: -600_000)
      return access(path, F_OK) != 0
    }
  }

  @Test("a command that could not be executed leaves no word of itself in the locked file")
  func notExecutedLeavesNoRecord() throws {
    let folder = try TemporaryFolder("hotglue-step")
    guard
      case .acquired(let lock) = try EffectLock.tryAcquire(
        storeFolder: folder.path, name: "k", shared: false)
    else { throw Unexpected(text: "held") }
    let start = try StepProcess.start(
      ["no-such-command"], environment: environment, lock: lock, title: "effect 'k'")
    guard case .notExecuted(ENOENT) = start else { throw Unexpected(text: "\(start)") }
    let path = EffectLock.path(storeFolder: folder.path, name: "k")
    #expect(try LockFile(path).contents == "")
  }

  @Test("what is written before the end is read whole; what still holds the pipe is not waited for")
  func outputAndEnd() throws {
    let folder = try TemporaryFolder("hotglue-step")
    let pid = folder.file("pid")
    let process = try start(
      ["sh", "-c", "head -c 300000 /dev/zero; sleep 600 & echo $! >\(pid); exit 3"])
    var count = 0
    #expect(try process.wait { count += $0.count } == .exited(3))
    #expect(count == 300_000)
    let left = try number(in: pid)
    #expect(SeenProcess(left) != nil)
    kill(left, SIGKILL)
  }

  @Test("a text without an interpreter is run by the shell, found by path and by name")
  func textWithoutInterpreter() throws {
    let folder = try TemporaryFolder("hotglue-step")
    let script = folder.file("greet")
    let file = try #require(fopen(script, "we"))
    try #require(fputs("echo \"hi $1\"\n", file) >= 0)
    try #require(fclose(file) == 0)
    try #require(chmod(script, 0o700) == 0)
    for (word, path) in [(script, "/bin"), ("greet", folder.path)] {
      let start = try StepProcess.start(
        [word, "there"], .command, environment: ["PATH=\(path)"], lock: nil)
      guard case .started(let process) = start else { throw Unexpected(text: "\(start)") }
      var written: [UInt8] = []
      #expect(try process.wait { written += $0 } == .exited(0))
      #expect(String(decoding: written, as: UTF8.self) == "hi there\n")
    }
  }

  @Test("a command that cannot be executed says why, and was not run")
  func notExecuted() throws {
    for (word, number) in [("no-such-command", ENOENT), ("/etc/passwd", EACCES)] {
      let start = try StepProcess.start([word], .command, environment: environment, lock: nil)
      guard case .notExecuted(number) = start else { throw Unexpected(text: "\(start)") }
    }
  }

  @Test("a command has the ordinary reaction to a pipe that nobody reads")
  func brokenPipe() throws {
    signal(SIGPIPE, SIG_IGN)
    let process = try start(["sh", "-c", "kill -PIPE $$; exit 0"])
    #expect(try process.wait { _ in } == .killed(signal: SIGPIPE))
  }

  @Test("the lock is free only when the last that inherited it has ended")
  func inheritedLock() throws {
    let folder = try TemporaryFolder("hotglue-step")
    let go = folder.file("go")
    func acquire() throws -> EffectLock.Attempted {
      try EffectLock.tryAcquire(storeFolder: folder.path, name: "k", shared: false)
    }
    let child: StepProcess
    do {
      guard case .acquired(let lock) = try acquire() else { throw Unexpected(text: "held") }
      // This very process has it: it would wait for itself.
      guard case .heldByAncestor = try acquire() else { throw Unexpected(text: "not held") }
      let script = "while [ ! -e \(go) ]; do sleep 0.02; done & exit 0"
      child = try start(["sh", "-c", script], lock: lock)
    }
    #expect(try child.wait { _ in } == .exited(0))
    #expect(try EffectLock.look(storeFolder: folder.path, name: "k") != .free)
    close(open(go, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    let again = try EffectLock.acquire(
      storeFolder: folder.path, name: "k", shared: false,
      until: BootClock.now() + Workshop.patienceMs)
    guard case .acquired(let lock) = again else { throw Unexpected(text: "\(again)") }
    lock.removeFile()
    // The one who has removed it holds nothing that another would wait for.
    try eventually("a lock after the removal") {
      if case .acquired = try acquire() { true } else { false }
    }
  }
}

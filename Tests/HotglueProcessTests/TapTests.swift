import Glibc
import HotglueCore
import TestSupport
import Testing

@testable import HotglueProcess

@Suite("Taps", .serialized)
struct TapTests {
  private struct Told {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var pauses = 0
    var end: ChildEnd
    var stop: TapProcess.Stop?
  }

  private struct Unexpected: Error {
    let text: String
  }

  private func started(_ words: [String], withInput: Bool = false) throws -> TapProcess {
    let start = try TapProcess.start(
      words, in: "/", environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], withInput: withInput)
    guard case .started(let tap) = start else { throw Unexpected(text: "\(start)") }
    return tap
  }

  private func run(
    _ script: String, idle: Span? = nil, stopSequence: StopSequence = .standard, bound: Int = .max,
    when isReady: () -> Bool = { true }
  ) throws -> Told {
    let tap = try started(["sh", "-c", script])
    try eventually("the tap is ready", isReady)
    var told = Told(end: .exited(-1))
    (told.end, told.stop) = try tap.wait(idle: idle, stopSequence: stopSequence, stoppingOn: nil) {
      piece in
      switch piece {
      case .output(let bytes): told.output += bytes
      case .errors(let bytes): told.errors += bytes
      case .pause: told.pauses += 1
      }
      return told.output.count < bound
    }
    return told
  }

  @Test("output and complaints are apart, and read whole before the end counts")
  func apart() throws {
    let told = try run("echo wrong >&2; head -c 3000000 /dev/zero; pwd; exit 7")
    #expect(told.end == .exited(7))
    #expect(told.output.count == 3_000_002)
    #expect(String(decoding: told.errors, as: UTF8.self) == "wrong\n")
    #expect(told.stop == nil)
  }

  @Test("a program or a folder that is not there is told")
  func missing() throws {
    guard
      case .notExecuted(ENOENT) = try TapProcess.start(
        ["no-such-tap"], in: "/", environment: ["PATH=/bin"]),
      case .noFolder(ENOENT) = try TapProcess.start(["sh"], in: "/nowhere", environment: [])
    else { throw Unexpected(text: "it was started") }
  }

  @Test(
    "a tap that says nothing is taken for hung, and one that ignores TERM is killed, group and all")
  func hung() throws {
    let stopSequence = try #require(StopSequence("TERM,200ms,KILL"))
    let folder = try TemporaryFolder("hotglue-tap")
    let ready = folder.file("ready")
    let told = try run(
      "trap '' TERM; echo one; sleep 600 & echo $!; >\(ready); wait; sleep 600",
      idle: Span(milliseconds: 300), stopSequence: stopSequence, when: { access(ready, F_OK) == 0 })
    #expect(told.stop == .idle)
    #expect(told.end == .killed(signal: SIGKILL))
    #expect(told.pauses >= 1)
    let words = String(decoding: told.output, as: UTF8.self).split(separator: "\n")
    let left = try #require(Int32(words.last ?? ""))
    try eventually("its child is gone") { SeenProcess(left) == nil }
  }

  @Test(
    "a tap that writes while its output is taken is not hung, however long that takes",
    arguments: [false, true])
  func slowTaker(hasTarget: Bool) throws {
    let folder = try TemporaryFolder("hotglue-tap")
    let (begun, ready) = (folder.file("begun"), folder.file("ready"))
    let idle = Span.seconds(3)
    let tap = try started([
      "sh", "-c",
      "echo one; >\(begun); until [ -e \(ready) ]; do sleep 0.02; done; echo two; exit 0",
    ])
    let pid = tap.pid
    try eventually("the tap has begun") { access(begun, F_OK) == 0 }
    // While the first piece is taken the tap writes the second, and ends.
    var output: [UInt8] = []
    func take(_ bytes: UnsafeBufferPointer<UInt8>) throws {
      output += bytes
      guard access(ready, F_OK) != 0 else { return }
      close(open(ready, O_CREAT | O_CLOEXEC, 0o600))
      try eventually("the tap has ended") { SeenProcess(pid) == nil }
      let until = BootClock.now() + idle.milliseconds + 100
      try eventually("longer than the idle time-out") { BootClock.now() > until }
    }
    var failure: (any Error)?
    func taken(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
      do { try take(bytes) } catch { failure = error }
      return failure == nil
    }
    if hasTarget {
      let target = try started(["cat"], withInput: true)
      let ends = try DeliveryPipe(tap: tap, target: target).run(
        idle: idle, grace: .seconds(30), stopSequence: .standard, stoppingOn: LeavingSignals()
      ) { piece in
        if case .output(.tap, let bytes) = piece { return taken(bytes) }
        return true
      }
      #expect(ends.stop != .tapIdle && ends.tap == .exited(0))
    } else {
      let (end, stop) = try tap.wait(idle: idle, stopSequence: .standard, stoppingOn: nil) {
        piece in
        if case .output(let bytes) = piece { return taken(bytes) }
        return true
      }
      #expect(stop == nil && end == .exited(0))
    }
    if let failure { throw failure }
    #expect(String(decoding: output, as: UTF8.self) == "one\ntwo\n")
  }

  @Test("what a tap has started does not keep it going by writing on: the tap's end is the end")
  func writesOn() throws {
    let tap = try started(["sh", "-c", "yes & exit 0"])
    let pid = tap.pid
    func hasMore() -> Bool {
      var entry = pollfd(fd: tap.output, events: Int16(POLLIN), revents: 0)
      return poll(&entry, 1, 0) == 1
    }
    try eventually("the tap has ended") { SeenProcess(pid) == nil }
    try eventually("its child writes", hasMore)
    var pieces = 0
    let (end, stop) = try tap.wait(idle: nil, stopSequence: .standard, stoppingOn: nil) { piece in
      guard case .output = piece else { return true }
      pieces += 1
      if pieces == 50 { kill(-pid, SIGKILL) }
      // It is always faster than whoever takes what it writes.
      while pieces < 50, !hasMore() { poll(nil, 0, 1) }
      return true
    }
    #expect(end == .exited(0) && stop == nil)
    #expect((1..<50).contains(pieces))
  }

  @Test("a tap whose output is refused is stopped, also while it goes on writing")
  func refused() throws {
    let told = try run("yes", bound: 1)
    #expect(told.stop == .refused)
    #expect(told.end == .killed(signal: SIGTERM))
  }

  @Test("a tap that dies by a signal is told so")
  func signal() throws {
    #expect(try run("kill -SEGV $$").end == .killed(signal: SIGSEGV))
  }
}

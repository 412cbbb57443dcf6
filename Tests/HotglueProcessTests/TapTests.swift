import Glibc
import HotglueCore
import HotglueProcess
import TestSupport
import Testing

@Suite("Taps", .serialized)
struct TapTests {
  private struct Told {
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var pauses = 0
    var end: TapProcess.End
    var stop: TapProcess.Stop?
  }

  private struct Unexpected: Error {
    let text: String
  }

  private func run(
    _ script: String, idle: Span? = nil, ladder: StopLadder = .standard, bound: Int = .max,
    when isReady: () -> Bool = { true }
  ) throws -> Told {
    let start = try TapProcess.start(
      ["sh", "-c", script], in: "/", environment: ["PATH=/usr/local/bin:/usr/bin:/bin"])
    guard case .started(let tap) = start else { throw Unexpected(text: "\(start)") }
    try eventually("the tap is ready", isReady)
    var told = Told(end: .exited(-1))
    (told.end, told.stop) = try tap.wait(idle: idle, ladder: ladder, stoppingOn: nil) { piece in
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
    let ladder = try #require(StopLadder("TERM,200ms,KILL"))
    let folder = try TemporaryFolder("hotglue-tap")
    let ready = folder.file("ready")
    let told = try run(
      "trap '' TERM; echo one; sleep 600 & echo $!; >\(ready); wait; sleep 600",
      idle: Span(milliseconds: 300), ladder: ladder, when: { access(ready, F_OK) == 0 })
    #expect(told.stop == .idle)
    #expect(told.end == .killed(signal: SIGKILL))
    #expect(told.pauses >= 1)
    let words = String(decoding: told.output, as: UTF8.self).split(separator: "\n")
    let left = try #require(Int32(words.last ?? ""))
    try eventually("its child is gone") { SeenProcess(left) == nil }
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

import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Reports {
    let workshop: Workshop
    private static let good = #"{"type":"result","outcome":"succeeded","value":1}"#

    init() throws { workshop = try Workshop() }

    private func line(_ outcome: EndedAttempt) -> String? {
      guard case .line(let bytes) = outcome.report.result else { return nil }
      return String(decoding: bytes, as: UTF8.self)
    }

    private func say(_ text: String) -> String { "printf '%s\\n' '\(text)' >&3" }

    @Test("a handler that says nothing has no result and no warning")
    func silence() throws {
      #expect(try workshop.run("exit 0").report == EndedAttempt.Report())
    }

    @Test("the result line is a part of the outcome, byte for byte")
    func result() throws {
      let text = #" {"value" : 12345678901234567890, "type":"result","outcome":"retry"} "#
      #expect(line(try workshop.run(say(text))) == text)
    }

    @Test("a last line without its newline counts")
    func unterminated() throws {
      #expect(line(try workshop.run("printf '%s' '\(Self.good)' >&3")) == Self.good)
    }

    @Test("of several results the first counts, and the others are counted")
    func several() throws {
      let other = Self.good.replacing("1}", with: "2}")
      let outcome = try workshop.run("\(say(Self.good)); \(say(Self.good)); \(say(other))")
      #expect(line(outcome) == Self.good)
      // The same one again says nothing new.
      #expect(outcome.report.ignored.count == 1 && outcome.report.ignored.reason == .further)
      #expect(outcome.report.ignored.first == String(other.prefix(63)))
    }

    @Test("lines that are not understood are counted, and the first is shown; a good one counts")
    func garbage() throws {
      let outcome = try workshop.run("echo one >&3; echo >&3; echo two >&3; \(say(Self.good))")
      #expect(outcome.report.ignored.count == 2 && outcome.report.ignored.first == "one")
      #expect(outcome.report.ignored.reason == .notUnderstood)
      #expect(line(outcome) == Self.good)
    }

    @Test("a line of 64 KiB is understood, one byte more is not", arguments: [0, 1])
    func longLines(more: Int) throws {
      let frame = #"{"type":"result","outcome":"failed","value":""}"#.utf8.count
      let fill = EndedAttempt.Report.longestLine - frame + more
      let outcome = try workshop.run(
        """
        printf '%s' '{"type":"result","outcome":"failed","value":"' >&3
        head -c \(fill) /dev/zero | tr '\\0' x >&3
        printf '"}\\n' >&3
        \(say(#"{"type":"progress","current":1}"#))
        """)
      #expect(outcome.report.ignored.count == more)
      #expect(outcome.report.ignored.reason == (more == 0 ? nil : .tooLong))
      // Its beginning says that something was declared.
      #expect(outcome.report.isUnclear == (more > 0))
      #expect(line(outcome)?.utf8.count == (more == 0 ? EndedAttempt.Report.longestLine : nil))
      // What follows a line that is too long is understood again.
      #expect(outcome.report.progress != nil)
    }

    @Test("100 MB of garbage are read, and the supervisor stays as small as it was")
    func flood() throws {
      let link = try workshop.supervisor()
      let order = workshop.order(
        "head -c 50000000 /dev/zero >&3; yes '{' | head -c 50000000 >&3; \(say(Self.good)); echo done; sleep 60"
      )
      try link.start(order)
      _ = try link.started()
      try eventually("the end of the flood") {
        workshop.text("STORE.d/slots/\(link.slotName).log") == "done\n"
      }
      let supervisor = try #require(try workshop.slot(link)).supervisor.pid
      #expect(try privateKilobytes(supervisor) < 1024)
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "test")
      let outcome = try link.ended()
      #expect(outcome.report.ignored.count == 25_000_000)
      #expect(outcome.report.ignored.reason == .tooLong)
      #expect(line(outcome) == Self.good)
    }

    private func privateKilobytes(_ pid: Int32) throws -> Int {
      let file = try #require(fopen("/proc/\(pid)/smaps_rollup", "re"))
      defer { fclose(file) }
      var sum = 0
      var text = [CChar](repeating: 0, count: 256)
      while fgets(&text, 256, file) != nil {
        let words = String(
          decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self
        )
        .split(separator: " ")
        if words.first == "Private_Dirty:" { sum += Int(words[1]) ?? 0 }
      }
      return sum
    }

    @Test("a handler that closes descriptor 3 at once is not minded for it")
    func closed() throws {
      let outcome = try workshop.run("exec 3>&-; sleep 0.05; exit 4")
      #expect(outcome.end == .exited(4))
      #expect(outcome.report == EndedAttempt.Report())
    }

    @Test("the end of the main process counts, whoever keeps descriptor 3 open")
    func keptOpen() throws {
      let life = Lifeline(workshop, "life")
      let outcome = try workshop.run(
        "\(say(Self.good)); (exec 4>ROOT/life; sleep 600) & exit 0"
      ) { $0.keepChildren = true }
      #expect(line(outcome) == Self.good)
      #expect(life.isHeld)
      for pid in try children(holding: "life") { kill(pid, SIGKILL) }
    }

    private func children(holding name: String) throws -> [Int32] {
      workshop.names(in: "/proc").compactMap(Int32.init).filter { pid in
        var target = [CChar](repeating: 0, count: 4096)
        return readlink("/proc/\(pid)/fd/4", &target, 4095) > 0
          && String(
            decoding: target.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            == "\(workshop.root)/\(name)"
      }
    }

    @Test("a result before the KILL counts, one after it does not")
    func killed() throws {
      let link = try workshop.supervisor()
      let life = Lifeline(workshop, "ready")
      let order = workshop.order(
        "trap '' TERM; \(say(Self.good)); echo ready >ROOT/ready; while :; do sleep 1; done"
      ) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 50))
        ]
      }
      try link.start(order)
      _ = try link.started()
      #expect(try life.line() == "ready")
      try link.stop(job: order.job, fence: order.fence, reason: .timeout, who: "test")
      let outcome = try link.ended()
      #expect(outcome.killReached)
      #expect(line(outcome) == Self.good)
    }

    @Test("the last progress is seen while the attempt runs, and is a part of its outcome")
    func progress() throws {
      let link = try workshop.supervisor()
      let order = workshop.order(
        "\(say(#"{"type":"progress","current":1}"#)); \(say(#"{"type":"progress","current":2}"#)); sleep 600"
      )
      var look = SlotProgress(
        storeFolder: workshop.store, slot: link.slotName, job: order.job, fence: order.fence)
      #expect(look.look() == nil)
      try link.start(order)
      var last: [UInt8] = []
      try eventually("the second line") {
        if let line = look.look() { last = line }
        return last == Array(#"{"type":"progress","current":2}"#.utf8)
      }
      #expect(look.look() == nil)
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "test")
      #expect(try link.ended().report.progress == last)
      // Another attempt in the same slot has said nothing yet.
      let next = try workshop.run(workshop.order("exit 0"), on: link)
      #expect(next.report.progress == nil)
    }

    @Test("whoever knows the attempt may say its result; again is no error, another one is refused")
    func reportByConnection() throws {
      let link = try workshop.supervisor()
      let life = Lifeline(workshop, "go")
      let order = workshop.order("echo up >ROOT/go; cat ROOT/end >/dev/null; exit 3")
      mkfifo("\(workshop.root)/end", 0o600)
      try link.start(order)
      #expect(try life.line() == "up")
      let other = try workshop.connect(link.slotName)
      func report(_ text: String, fence: Int64 = 7) throws -> SupervisorLink.Answer? {
        try other.request(
          .report(job: order.job, fence: fence, line: Array(text.utf8)),
          timeoutMs: Workshop.patienceMs)
      }
      #expect(try report("nonsense") == .refused(.malformed))
      #expect(try report(Self.good, fence: 6) == .refused(.late))
      for _ in 0..<2 {
        guard case .status(.running)? = try report(Self.good) else {
          Issue.record("not heard")
          return
        }
      }
      #expect(try report(#"{"type":"result","outcome":"failed"}"#) == .refused(.spoken))
      try workshop.write("end", "\n")
      let outcome = try link.ended()
      #expect(line(outcome) == Self.good)
      #expect(outcome.report.ignored.count == 2 && outcome.report.ignored.first == "nonsense")
      #expect(try report(Self.good) == .refused(.late))
    }

    @Test("a result outlives the worker, in the slot and under its lock")
    func survives() throws {
      var link: SupervisorLink? = try workshop.supervisor()
      let slot = try #require(link).slotName
      let life = Lifeline(workshop, "go")
      try #require(link).start(workshop.order("echo up >ROOT/go; \(say(Self.good)); exit 0"))
      #expect(try life.line() == "up")
      link = nil
      // Its recorder fails, so the outcome stays where it is.
      let lock = try workshop.lock(slot)
      let outcome = try #require(
        try Slot.read(storeFolder: workshop.store, slot: lock.slot)?.outcome)
      #expect(line(outcome) == Self.good)
    }

    @Test("what an attempt had reported is told of when its supervisor is killed")
    func reportedAndLost() throws {
      let link = try workshop.supervisor()
      let slot = link.slotName
      try link.start(workshop.order("\(say(Self.good)); sleep 600"))
      try eventually("the result in the slot") {
        try workshop.slot(link)?.attempt?.reported == .line(Array(Self.good.utf8))
      }
      kill(try #require(try workshop.slot(link)).supervisor.pid, SIGKILL)
      let lock = try workshop.lock(slot)
      let contents = try #require(try Slot.read(storeFolder: workshop.store, slot: lock.slot))
      #expect(contents.outcome == nil)
      #expect(contents.attempt?.reported == .line(Array(Self.good.utf8)))
    }

    /// What supervisor and program must say alike of a line; `\ooo` is a byte that is no letter.
    private static let lines: [(String, Kind)] = [
      ("{}", .bad), ("[]", .bad), ("1", .bad), ("", .empty), (" ", .empty), ("nul", .bad),
      (#"{"type":"result"}"#, .unclear), (#"{"type":"progress"}"#, .progress),
      (#"{"type":"progress","current":1.5}"#, .bad),
      (#"{"type":"progress","current":"1"}"#, .bad), (#"{"type":"progress","total":{}}"#, .bad),
      (#"{"type":"progress","current":-4,"total":null,"message":null}"#, .progress),
      (#"{"type":"progress","current":9223372036854775807}"#, .progress),
      (#"{"type":"progress","current":-9223372036854775808}"#, .progress),
      (#"{"type":"progress","current":9223372036854775808}"#, .bad),
      (#"{"type":"progress","current":99999999999999999999}"#, .bad),
      (#"{"type":"progress","current":1e3}"#, .bad),
      (#"{"type":"progress","message":5}"#, .bad),
      (#"{"type":"progress","message":"\u00e9\ud83d\ude00"}"#, .progress),
      (#"{"type":"progress","message":"\ud83d"}"#, .bad),
      (#"{"type":"progress","message":"\x"}"#, .bad),
      (#"{"type":"progress","message":"\351"}"#, .bad),
      (#"{"type":"\u0070rogr\u0065ss"}"#, .progress), (#"{"\u0074ype":"progress"}"#, .progress),
      (#"{"type":"result","outcome":"succeeded"}"#, .result),
      (#"{"type":"result","outcome":"done"}"#, .unclear),
      (#"{"type":"result","outcome":"succeeded\u0000"}"#, .unclear),
      (#"{"type":"result","outcome":"\u0066ailed"}"#, .result),
      (#"{"type":"r\u0065sult","outc\u006Fme":"retry"}"#, .result),
      (#"{"type":"result","outcome":"failed","outcome":"retry"}"#, .result),
      (#"{"type":"result","outcome":"failed","outcome":5}"#, .unclear),
      (#"{"type":"result","outcome":"retry","after":5}"#, .result),
      (#"{"type":"result","outcome":"retry","after":"soon"}"#, .result),
      (#"{"type":"result","outcome":"failed","error":"text"}"#, .result),
      (#"{"type":"result","outcome":"failed","error":["a"]}"#, .result),
      (#"{"type":"result","outcome":"failed","error":{"message":"\351"}}"#, .result),
      (#"{"type":"result\351","outcome":"failed"}"#, .bad),
      (#"{"type":"result","outcome":"retry"} x"#, .unclear),
      (#"{"type":"result","outcome":"retry",}"#, .unclear),
      (#"{"type":"result","outcome":"retry","value":01}"#, .unclear),
      (#"{"type":"result","outcome":"retry","value":NaN}"#, .unclear),
      (#"{"type":"result","outcome":"ret"#, .unclear), (#"{"type":"result"#, .bad),
      (#"{"outcome":"failed","value":NaN,"type":"result"}"#, .bad),
      (
        #"{"type":"result","outcome":"retry","value":[1,[2,{"a":{"b":[]}}],-0.5e+7,true,false,null]}"#,
        .result
      ),
      (#"{"type":"result","outcome":"retry","value":"\t"}"#, .result),
      ("{\"type\":\"result\",\"outcome\":\"retry\",\"value\":\"\t\"}", .unclear),
      (#"{"value":{"type":"result","outcome":"retry"}}"#, .bad),
      (#"[{"type":"result","outcome":"retry"}]"#, .bad),
      (
        "{\"type\":\"result\",\"outcome\":\"retry\",\"value\":"
          + String(repeating: "[", count: 600) + String(repeating: "]", count: 600) + "}", .unclear
      ),
      (String(repeating: "[", count: 600) + String(repeating: "]", count: 600), .bad),
      ("{\"type\":\"progress\",\"message\":\"é😀\"}", .progress),
    ]

    enum Kind { case empty, bad, progress, result, unclear }

    @Test("supervisor and program agree on what a line is", arguments: lines)
    func agreement(text: String, kind: Kind) throws {
      // Octal is no escape of JSON, and the shell's printf knows it.
      let said = text.replacing(#"\351"#, with: #"'"$(printf '\351')"'"#)
      let parts = text.split(separator: #"\351"#, omittingEmptySubsequences: false)
      let meant = Array(parts.map { Array($0.utf8) }.joined(separator: [0xE9]))
      #expect(Self.kind(try workshop.run(say(said)).report) == kind, "supervisor: \(text)")
      let read: Kind =
        switch HandlerLine(meant) {
        case .progress?: .progress
        case .result?: .result
        case .unclear?: .unclear
        case nil: meant.allSatisfy { $0 == 0x20 } ? .empty : .bad
        }
      #expect(read == kind, "program: \(text)")
    }

    private static func kind(_ report: EndedAttempt.Report) -> Kind {
      if report.isUnclear { return .unclear }
      if report.ignored.count > 0 { return .bad }
      if report.result != .none { return .result }
      return report.progress == nil ? .empty : .progress
    }

    @Test("a result behind one that was not understood counts; one before it wins")
    func unclear() throws {
      let unclear = say(#"{"type":"result","outcome":"faild"}"#)
      let after = try workshop.run("\(unclear); \(say(Self.good))")
      #expect(line(after) == Self.good && after.report.isUnclear)
      #expect(after.report.ignored.count == 1 && after.report.ignored.first.contains("faild"))
      let before = try workshop.run("\(say(Self.good)); \(unclear)")
      #expect(line(before) == Self.good && !before.report.isUnclear)
      #expect(before.report.ignored.count == 1)
    }
  }
}

import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Streams {
    @Test("jobs are given one at a time, and each has its own answer and its own part of the log")
    func inTurn() throws {
      let yard = try StreamYard()
      try yard.feed(["echo one; answer", "answer retry", "echo $PPID $job; answer failed"])
      let answers = try yard.wait(3)
      #expect(answers.map(\.job) == [1, 2, 3])
      #expect(answers.allSatisfy { $0.end == .answered && $0.isOfStream && $0.fence == 7 })
      #expect(answers.map(\.logPlace) == [.inPlace, .none, .inPlace])
      #expect(yard.workshop.text("STORE.d/logs/0/1-7.log") == "one\n")
      #expect(yard.workshop.text("STORE.d/logs/0/2-7.log") == nil)
      #expect(yard.workshop.text("STORE.d/logs/0/3-7.log")?.hasSuffix(" 3\n") == true)
      guard case .line(let line) = answers[1].report.result else {
        Issue.record("no result line")
        return
      }
      #expect(String(decoding: line, as: UTF8.self).contains(#""outcome":"retry""#))
      try yard.settle()
      try yard.link.close()
      let end = try yard.closed()
      #expect(end.end == .exited(0) && end.answered == 3 && !end.supervisorRetires)
      // The same supervisor serves single attempts again, and the next stream.
      #expect(
        try yard.workshop.run(yard.workshop.order("exit 4"), on: yard.link).end
          == .exited(4))
    }

    @Test(
      "a handler that dies makes only the job in its hand unknown; what waits was never started")
    func handlerDies() throws {
      let yard = try StreamYard()
      try yard.feed(["answer", "echo last words; kill -9 $$", "answer", "answer"])
      let answers = try yard.wait(4)
      let byJob = Dictionary(uniqueKeysWithValues: answers.map { ($0.job, $0) })
      #expect(byJob[1]?.end == .answered)
      #expect(byJob[2]?.end == .signaled(Signal(number: SIGKILL)))
      #expect(byJob[3]?.end == .neverStarted(errno: 0) && byJob[4]?.end == .neverStarted(errno: 0))
      #expect(yard.workshop.text("STORE.d/logs/0/2-7.log") == "last words\n")
      #expect(try yard.closed().answered == 1)
    }

    @Test(
      "a job of which the handler read nothing was never started, whatever status it exits with")
    func notTaken() throws {
      for (handler, end) in [
        ("exit 0", AttemptEnd.How.neverStarted(errno: ECANCELED)),
        ("kill -9 $$", .neverStarted(errno: ECANCELED)),
        ("exit 3", .neverStarted(errno: ECANCELED)), ("read -r line; exit 0", .exited(0)),
        ("read -r line; exit 3", .exited(3)),
      ] {
        let yard = try StreamYard(handler: handler)
        try yard.feed(["answer"])
        #expect(try yard.wait(1)[0].end == end, "\(handler)")
        #expect(try yard.closed().answered == 0)
      }
    }

    @Test("what cannot be executed fails the job that it was to be started for")
    func notExecutable() throws {
      let yard = try StreamYard { $0.arguments = ["/no/such/handler"] }
      try yard.feed(["answer", "answer"])
      #expect(try yard.wait(2)[0].end == .notExecutable(errno: ENOENT))
      #expect(yard.read[1].end == .neverStarted(errno: 0))
      #expect(try yard.closed().end == nil)
    }

    @Test("an answer about a job that is not in hand is ignored, and the one in hand tells of it")
    func foreign() throws {
      let yard = try StreamYard()
      try yard.feed([
        "job=2 answer; fence=6 answer; echo '{\"type\":\"result\",\"outcome\":\"failed\"}' >&3; echo x >&3; answer",
        "answer retry", "answer failed",
      ])
      let answers = try yard.wait(3)
      #expect(answers.map(\.job) == [1, 2, 3] && answers.allSatisfy { $0.end == .answered })
      let ignored = answers[0].report.ignored
      #expect(ignored.count == 4 && ignored.reason == .foreign)
      #expect(ignored.first.contains(#""job":2"#))
      #expect(answers[1...].allSatisfy { $0.report.ignored.count == 0 })
    }

    @Test("a second answer that comes with the first is told of the job that was answered")
    func twice() throws {
      let yard = try StreamYard()
      let both = "line=$(answer 3>&1); other=$(answer retry 3>&1)"
      try yard.feed([
        "\(both); printf '%s\\n%s\\n%s\\n' \"$line\" x \"$line\" >&3",
        "\(both); printf '%s\\n%s\\n' \"$line\" \"$other\" >&3",
      ])
      let answers = try yard.wait(2)
      #expect(answers.map(\.job) == [1, 2] && answers.allSatisfy { $0.end == .answered })
      #expect(answers.map(\.report.ignored.count) == [2, 1])
      #expect(answers.map(\.report.ignored.reason) == [.notUnderstood, .further])
      try yard.settle()
      try yard.link.close()
      #expect(try yard.closed().answered == 2)
    }

    @Test("a second answer that comes later is ignored, and the next job tells of it")
    func twiceLater() throws {
      let yard = try StreamYard()
      try yard.feed(["answer; up; go more; answer retry; up; answer failed", "answer"])
      try yard.wait(1)
      try yard.settle()
      #expect(try yard.lifeline.line() == "up 1")
      try yard.workshop.write("more", "")
      try yard.link.close()
      #expect(try yard.closed().answered == 2)
      let next = try yard.wait(2)[1]
      #expect(yard.read.count == 2 && next.job == 2 && next.end == .answered)
      #expect(next.report.ignored.count == 2 && next.report.ignored.reason == .foreign)
      #expect(next.report.ignored.first.contains(#""job":1"#))
    }

    @Test("a line that is not understood while nothing is in hand is told of by the next job")
    func garbageBetween() throws {
      let yard = try StreamYard()
      try yard.feed(["answer; up; go more; echo oops >&3; up"])
      try yard.wait(1)
      #expect(try yard.lifeline.line() == "up 1")
      try yard.workshop.write("more", "")
      #expect(try yard.lifeline.line() == "up 1")
      try yard.link.feed([yard.job(2, "answer")])
      let next = try yard.wait(2)[1]
      #expect(next.report.ignored.count == 1 && next.report.ignored.first == "oops")
    }

    @Test("a second answer in a write of its own is told of once, by its job or by the next")
    func twiceInTwoWrites() throws {
      for _ in 0..<10 {
        let yard = try StreamYard()
        let both = "printf '%s\\n' \"$line\" >&3; printf '%s\\n' \"$line\" >&3"
        try yard.feed(["line=$(answer 3>&1); \(both)", "answer"])
        #expect(try yard.wait(2).reduce(0) { $0 + $1.report.ignored.count } == 1)
      }
    }

    @Test("whoever reports a result is told that it was heard, also when it is recorded by then")
    func reportIsHeard() throws {
      let yard = try StreamYard()
      try yard.feed(["up; go never"])
      #expect(try yard.lifeline.line() == "up 1")
      let speaker = try yard.workshop.connect(yard.link.slotName)
      try speaker.report(
        job: 1, fence: 7, line: Array(#"{"type":"result","outcome":"succeeded"}"#.utf8))
      #expect(try yard.wait(1)[0].end == .answered)
      try yard.settle()
      try eventually("the answer is gone") {
        try Answers.find(
          storeFolder: yard.workshop.store, slot: yard.link.slotName, job: 1, fence: 7) == nil
      }
      let heard = try speaker.next("the answer to it") { reply in
        if case .status = reply { true } else { nil }
      }
      #expect(heard)
    }

    @Test("an answer that is not understood ends its job; one that does not name it does not")
    func unclear() throws {
      let yard = try StreamYard()
      let long =
        #"printf '%s' '{"type":"result","job":3,"fence":7,"value":"' >&3; "#
        + #"head -c 70000 /dev/zero | tr '\0' x >&3; echo '"}' >&3"#
      try yard.feed([
        "answer faild", #"echo '{"type":"result","job":"2","fence":7}' >&3; answer"#, long,
        "answer",
      ])
      let answers = try yard.wait(4)
      #expect(answers.map(\.job) == [1, 2, 3, 4] && answers.allSatisfy { $0.end == .answered })
      #expect(answers.map(\.report.isUnclear) == [true, false, true, false])
      #expect(
        answers.map(\.report.ignored.reason) == [.notUnderstood, .foreign, .tooLong, nil])
      #expect(answers[0].report.result == .none && answers[1].report.result != .none)
    }

    @Test("a job's context counts while it is in hand, and the stream's file while that is open")
    func context() throws {
      let yard = try StreamYard { $0.contextFile = [0x7b, 0x7d] }
      func holds(_ job: Int64) throws -> Bool {
        try Slot.holds(
          job: job, fence: 7, storeFolder: yard.workshop.store, slot: yard.link.slotName)
      }
      try yard.feed(["up; go first; answer", "up; go second; answer"])
      #expect(try yard.lifeline.line() == "up 1")
      #expect(try holds(1) && !holds(2))
      #expect(access(yard.link.streamContextPath, F_OK) == 0)
      try yard.workshop.write("first", "")
      // A job that takes long, as it does where this test itself is held up, gives back what waits.
      if try yard.wait(1)[0].job == 2 {
        try yard.wait(2)
        try yard.link.feed([yard.job(2, "up; go second; answer")])
      }
      #expect(try yard.lifeline.line() == "up 2")
      #expect(try !holds(1) && holds(2))
      try yard.workshop.write("second", "")
      try yard.wait(yard.read.count + 1)
      try eventually("nothing is in hand") { try !holds(2) }
      #expect(access(yard.link.streamContextPath, F_OK) == 0)
      try yard.link.close()
      _ = try yard.closed()
      #expect(access(yard.link.streamContextPath, F_OK) != 0)
      // The next stream of the slot, and a single attempt, have their own.
      let order = yard.workshop.order(["/bin/true"]) { $0.contextFile = [0x7b, 0x7d] }
      try yard.settle()
      #expect(try yard.workshop.run(order, on: yard.link).end == .exited(0))
      #expect(
        try !Slot.holds(
          job: order.job, fence: order.fence, storeFolder: yard.workshop.store,
          slot: yard.link.slotName))
    }

    @Test("a time-out counts from when the job is given, and stops the handler for that job alone")
    func timeout() throws {
      let yard = try StreamYard()
      let first = yard.job(1, "sleep 0.3; answer") { $0.timeoutMs = 20_000 }
      let second = yard.job(2, "up; while :; do sleep 0.01; done") { $0.timeoutMs = 200 }
      try yard.link.feed([first, second, yard.job(3, "answer")])
      let answers = try yard.wait(3)
      #expect(answers[0].job == 1 && answers[0].end == .answered)
      let timedOut = try #require(answers.first { $0.job == 2 })
      #expect(timedOut.stop?.reason == .timeout)
      #expect(timedOut.end == .signaled(Signal(number: SIGTERM)))
      #expect(answers.first { $0.job == 3 }?.end == .neverStarted(errno: 0))
    }

    @Test("a waiting job is called off without a stop; for the one in hand the handler is stopped")
    func stops() throws {
      let yard = try StreamYard()
      try yard.feed(["up; go first; answer", "answer"])
      // What waits is given back after a second.
      try yard.link.stop(job: 2, fence: 7, reason: .cancel, who: "alice")
      #expect(try yard.lifeline.line() == "up 1")
      #expect(try yard.wait(1)[0].end == .neverStarted(errno: ECANCELED))
      try yard.workshop.write("first", "")
      #expect(try yard.wait(2)[1].end == .answered)
      try yard.link.feed([yard.job(3, "up; go never")])
      #expect(try yard.lifeline.line() == "up 3")
      try yard.link.stop(job: 3, fence: 7, reason: .cancel, who: "alice")
      let stopped = try yard.wait(3)[2]
      #expect(stopped.stop?.reason == .cancel && stopped.stop?.who == "alice")
      #expect(try yard.closed().answered == 1)
      try yard.lifeline.gone()
    }

    @Test("a job that takes long gives back what waits behind it")
    func givesBack() throws {
      let yard = try StreamYard()
      try yard.feed(["go first; answer", "answer"])
      #expect(try yard.wait(1)[0].end == .neverStarted(errno: 0))
      try yard.workshop.write("first", "")
      #expect(try yard.wait(2)[1].job == 1)
      try yard.link.feed([yard.job(3, "answer")])
      #expect(try yard.wait(3)[2].end == .answered)
    }

    @Test(
      "answers that nobody records fill their place, and then nothing more is given; none is lost")
    func full() throws {
      let yard = try StreamYard()
      // Each answer carries 60 KiB: more than the ring holds.
      try yard.workshop.write("pad", String(repeating: "y", count: 60_000))
      let script =
        "printf '{\"type\":\"result\",\"job\":%s,\"fence\":7,\"outcome\":\"succeeded\",\"value\":\"%s\"}\\n' $job \"$(cat ROOT/pad)\" >&3"
      try yard.feed(Array(repeating: script, count: 40))
      try eventually("a full ring") {
        // What could not be given is given back after a while at the latest.
        try yard.wait(1).count >= 8
      }
      var rounds = 0
      while yard.read.count < 40, rounds < 1000 {
        try yard.settle()
        try yard.wait(yard.read.count + 1)
        rounds += 1
      }
      #expect(Set(yard.read.map(\.job)) == Set(1...40))
      for answer in yard.read where answer.end == .answered {
        guard case .line(let line) = answer.report.result else {
          Issue.record("job \(answer.job) has no result")
          continue
        }
        #expect(line.count > 60_000)
      }
    }

    @Test("a handler that reads nothing keeps its job, and is stopped for it")
    func neverReads() throws {
      let yard = try StreamYard(handler: "up; exec sleep 1000")
      let long = yard.job(1, String(repeating: "x", count: 1 << 20))
      try yard.link.feed([long])
      #expect(try yard.lifeline.line() == "up ")
      try yard.link.stop(job: 1, fence: 7, reason: .cancel, who: "alice")
      let end = try yard.wait(1)[0]
      #expect(end.stop?.reason == .cancel)
      #expect(end.end == .signaled(Signal(number: SIGTERM)))
    }
  }
}

import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Stops {
    let workshop: Workshop
    let lifeline: Lifeline

    init() throws {
      workshop = try Workshop()
      lifeline = Lifeline(workshop, "life")
    }

    /// Starts a script that says `up` on descriptor 9 when it is ready.
    private func start(
      _ script: String, on link: SupervisorLink,
      _ change: (inout AttemptOrder) -> Void = { _ in }
    ) throws -> AttemptOrder {
      let order = workshop.order("exec 9>ROOT/life\n" + script, change)
      try link.start(order)
      #expect(try lifeline.line() == "up")
      return order
    }

    @Test("a time-out goes down the stop sequence, to KILL where TERM is ignored")
    func timeout() throws {
      let outcome = try workshop.run("trap '' TERM; while :; do sleep 0.05; done") {
        // Time enough to set the trap.
        $0.timeoutMs = 3000
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 100))
        ]
      }
      #expect(outcome.end == .signaled(Signal(number: SIGKILL)))
      #expect(outcome.stop?.reason == .timeout && outcome.killReached)
    }

    @Test("an end that comes before the KILL is the handler's own, and says that it was stopped")
    func resultBeforeKill() throws {
      let link = try workshop.supervisor()
      let order = try start(
        "trap 'exit 0' TERM; echo up >&9; while :; do sleep 0.05; done", on: link)
      try link.stop(job: order.job, fence: order.fence, watch: 1, reason: .stopRunning, who: "me")
      let outcome = try link.ended()
      #expect(outcome.end == .exited(0))
      #expect(outcome.stop?.reason == .stopRunning && outcome.stop?.who == "me")
      #expect(!outcome.killReached)
    }

    @Test("a handler that stands still hears of the order to stop")
    func stopped() throws {
      let link = try workshop.supervisor()
      let order = try start("trap 'exit 3' TERM; echo up >&9; kill -STOP $$; exit 4", on: link)
      let pid = try link.started()
      try eventually("the handler to stand still") {
        workshop.processState(pid) == "T"
      }
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "me")
      #expect(try link.ended().end == .exited(3))
    }

    @Test("the first reason to stop stays")
    func firstReason() throws {
      let link = try workshop.supervisor()
      let order = try start("trap '' TERM; echo up >&9; while :; do sleep 0.05; done", on: link) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 300))
        ]
      }
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "first")
      try link.stop(job: order.job, fence: order.fence, reason: .reclaim, who: "second")
      let outcome = try link.ended()
      #expect(outcome.stop?.reason == .cancel && outcome.stop?.who == "first")
    }

    @Test("the signals of a stop sequence reach the whole process group")
    func group() throws {
      let link = try workshop.supervisor()
      let order = try start(
        "(trap 'echo child >&9; exit' TERM; echo up >&9; while :; do sleep 0.05; done) & wait",
        on: link)
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "me")
      #expect(try lifeline.line() == "child")
      #expect(try link.ended().end == .signaled(Signal(number: SIGTERM)))
    }

    @Test("what a handler leaves running is stopped before its end counts")
    func background() throws {
      let link = try workshop.supervisor()
      let order = try start("sleep 600 & echo up >&9; exit 5", on: link)
      let outcome = try link.ended()
      #expect(outcome.end == .exited(5))
      #expect(outcome.straysKilled == 1 && outcome.straysLeftCount == 0 && !outcome.killReached)
      #expect(!lifeline.isHeld)
      #expect(outcome.stop == nil)
      // The supervisor is clean and takes the next attempt.
      #expect(try workshop.run(workshop.order("exit 6"), on: link).end == .exited(6))
      #expect(order.job > 0)
    }

    @Test("a daemon that ignores TERM, in a session of its own, is found and killed")
    func daemon() throws {
      let link = try workshop.supervisor()
      _ = try start(
        """
        (setsid sh -c "trap '' TERM; (while :; do sleep 0.05; done) & echo up >&9; >ROOT/on; wait" &)
        until [ -e ROOT/on ]; do sleep 0.01; done
        """, on: link
      ) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 100))
        ]
      }
      let outcome = try link.ended()
      #expect(outcome.end == .exited(0))
      #expect(outcome.straysKilled >= 2 && outcome.straysLeftCount == 0)
      #expect(!lifeline.isHeld)
    }

    @Test("a daemon that has lost its mark is found as long as its supervisor lives")
    func withoutMark() throws {
      let link = try workshop.supervisor()
      _ = try start(
        """
        env -i setsid /bin/sh -c "trap '' TERM; >ROOT/on; while :; do /bin/sleep 0.05; done" &
        until [ -e ROOT/on ]; do sleep 0.01; done
        echo up >&9
        """, on: link
      ) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 50))
        ]
      }
      let outcome = try link.ended()
      #expect(outcome.end == .exited(0) && outcome.straysKilled >= 1)
      #expect(!lifeline.isHeld)
    }

    @Test("KILL reaches what has left the group, too")
    func killReachesAll() throws {
      let link = try workshop.supervisor()
      let order = try start(
        """
        trap '' TERM
        setsid sh -c "trap '' TERM; echo up >&9; while :; do sleep 0.05; done" &
        while :; do sleep 0.05; done
        """, on: link
      ) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 50))
        ]
      }
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "me")
      let outcome = try link.ended()
      #expect(outcome.end == .signaled(Signal(number: SIGKILL)) && outcome.killReached)
      #expect(!lifeline.isHeld)
    }

    @Test("processes that replace themselves faster than one look are stopped")
    func forking() throws {
      let link = try workshop.supervisor()
      // Each one starts its successor, in a session of its own, and ends.
      let script = "trap '' TERM; sleep 0.002; [ -e ROOT/enough ] || setsid sh ROOT/chain.sh & exit"
      try workshop.write("chain.sh", script)
      _ = try start("setsid sh ROOT/chain.sh & setsid sh ROOT/chain.sh & echo up >&9", on: link) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 20))
        ]
      }
      let outcome = try link.ended()
      try workshop.write("enough", "")
      #expect(outcome.end == .exited(0))
      #expect(outcome.straysLeftCount == 0)
      #expect(!lifeline.isHeld)
    }

    @Test("kept children live on, and their supervisor serves no other attempt")
    func keepChildren() throws {
      let link = try workshop.supervisor()
      let order = try start(
        "(echo $(cut -d' ' -f1 /proc/self/stat) up > /dev/null; sleep 600) & echo out; echo up >&9",
        on: link
      ) { $0.keepChildren = true }
      let outcome = try link.ended()
      #expect(outcome.end == .exited(0) && outcome.supervisorRetires)
      #expect(lifeline.isHeld)
      #expect(workshop.log(of: order) == "out\n")
      let attempt = try #require(try workshop.slot(link)?.attempt)
      try link.start(workshop.order("exit 0"))
      #expect(try link.refusal() == .retiring)
      try link.recorded(job: order.job, fence: order.fence)
      try link.isClosed()
      #expect(lifeline.isHeld)
      // Where a control group is delegated the file that names it stays while it is not empty.
      let left = workshop.names(in: "\(workshop.store)/slots").filter { !$0.hasSuffix(".group") }
      #expect(left == [])
      kill(-attempt.handlerPID, SIGKILL)
      try lifeline.gone()
    }

    @Test("an order to stop that comes after the end changes nothing")
    func lateStop() throws {
      let link = try workshop.supervisor()
      let order = workshop.order("exit 9")
      try link.start(order)
      #expect(try link.ended().stop == nil)
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "me")
      let status = try link.next("a status") { reply -> AttemptStatus? in
        if case .status(let status) = reply { status } else { nil }
      }
      guard case .ended(let outcome, _) = status else {
        Issue.record("\(status)")
        return
      }
      #expect(outcome.end == .exited(9) && outcome.stop == nil)
    }
  }
}

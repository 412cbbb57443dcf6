import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Outliving {
    /// The recorder tells the slot's name to `recorded`, and does what the file `recorder.sh` says.
    static let recorder = ["/bin/sh", "-c", "echo $0 >ROOT/recorded; . ROOT/recorder.sh"]

    let workshop: Workshop
    let lifeline: Lifeline
    let recorded: Lifeline

    init() throws {
      workshop = try Workshop(recorder: Self.recorder)
      lifeline = Lifeline(workshop, "life")
      recorded = Lifeline(workshop, "recorded")
      try workshop.write("recorder.sh", "exit 0")
    }

    /// A running attempt whose handler waits for the file `go`.
    private func startWaiting(
      on link: SupervisorLink, _ before: String = "",
      _ change: (inout AttemptOrder) -> Void = { _ in }
    ) throws -> AttemptOrder {
      let order = workshop.order(
        """
        exec 9>ROOT/life
        \(before)
        echo up >&9
        until [ -e ROOT/go ]; do sleep 0.01; done
        echo done; exit 3
        """, change)
      try link.start(order)
      #expect(try lifeline.line() == "up")
      _ = try link.started()
      return order
    }

    private func hangUp(_ link: SupervisorLink) { shutdown(link.fileDescriptor, Int32(SHUT_RDWR)) }

    @Test("a worker's death costs no attempt: the end is recorded, and the slot holds nothing more")
    func recorderRuns() throws {
      let link = try workshop.supervisor()
      let order = try startWaiting(on: link)
      hangUp(link)
      workshop.endForkServer()
      try workshop.write("go", "")
      #expect(try recorded.line() == link.slotName)
      let lock = try workshop.lock(link.slotName)
      #expect(workshop.log(of: order) == "done\n")
      #expect(recorded.said() == "")
      // The worker may have claimed the next attempt for this slot in the moment of its death.
      #expect(try workshop.slot(link)?.attempt == nil)
      #expect(workshop.names(in: "\(workshop.store)/slots") == [link.slotName])
      try lock.removeFiles()
    }

    @Test("a worker that said goodbye leaves its attempt to the supervisor, which leaves nothing")
    func recorderAfterGoodbye() throws {
      let link = try workshop.supervisor()
      _ = try startWaiting(on: link)
      let supervisor = try #require(try workshop.slot(link)?.supervisor)
      try link.goodbye()
      hangUp(link)
      try workshop.write("go", "")
      #expect(try recorded.line() == link.slotName)
      try eventually("the supervisor's end") { try !ProcessIdentity.isAlive(supervisor) }
      #expect(workshop.names(in: "\(workshop.store)/slots") == [])
    }

    @Test("abandoned slots are those whose lock is free, and their holder is alone")
    func abandoned() throws {
      let living = try workshop.supervisor()
      let dead = try workshop.supervisor()
      hangUp(dead)
      do { _ = try workshop.lock(dead.slotName) }
      var locks: [SlotLock] = []
      // What another test starts at this moment holds our descriptors until it is executed.
      try eventually("an abandoned slot") {
        locks = try Slot.abandoned(storeFolder: workshop.store)
        return !locks.isEmpty
      }
      #expect(locks.map(\.slot) == [dead.slotName])
      #expect(try Slot.abandoned(storeFolder: workshop.store).isEmpty)
      for lock in locks { try lock.removeFiles() }
      #expect(try workshop.run(workshop.order("exit 1"), on: living).end == .exited(1))
    }

    @Test("when the recorder fails, outcome and log stay readable and the lock is free")
    func recorderFails() throws {
      try workshop.write("recorder.sh", "exit 1")
      let link = try workshop.supervisor()
      let order = try startWaiting(on: link)
      hangUp(link)
      try workshop.write("go", "")
      #expect(try recorded.line() == link.slotName)
      let lock = try workshop.lock(link.slotName)
      let contents = try #require(try workshop.slot(link))
      #expect(contents.outcome?.end == .exited(3))
      #expect(contents.outcome?.job == order.job && contents.outcome?.fence == order.fence)
      #expect(contents.attempt?.started == true && contents.storeID == "store-1")
      #expect(!contents.isCopy && contents.isOfThisBoot && contents.isOfThisNamespace)
      guard case .held = try SlotLock.tryAcquire(storeFolder: workshop.store, slot: lock.slot)
      else {
        Issue.record("two holders of one lock")
        return
      }
      try lock.removeFiles()
      #expect(workshop.names(in: "\(workshop.store)/slots") == [])
    }

    @Test("an idle supervisor whose worker says goodbye ends and leaves nothing")
    func goodbye() throws {
      let link = try workshop.supervisor()
      let supervisor = try #require(try workshop.slot(link)?.supervisor)
      _ = try workshop.run(workshop.order("exit 0"), on: link)
      try link.goodbye()
      hangUp(link)
      try eventually("the supervisor's end") { try !ProcessIdentity.isAlive(supervisor) }
      #expect(workshop.names(in: "\(workshop.store)/slots") == [])
    }

    @Test("an idle supervisor whose worker dies leaves its slot, free, to say that nothing runs")
    func idle() throws {
      let link = try workshop.supervisor()
      _ = try workshop.run(workshop.order("exit 0"), on: link)
      hangUp(link)
      let lock = try workshop.lock(link.slotName)
      #expect(try workshop.slot(link)?.attempt == nil)
      #expect(workshop.names(in: "\(workshop.store)/slots") == [link.slotName])
      try lock.removeFiles()
    }

    @Test("a handler dies with its supervisor; what it started is found by mark and stopped")
    func supervisorKilled() throws {
      let daemon = Lifeline(workshop, "daemon")
      let link = try workshop.supervisor()
      let order = try startWaiting(
        on: link,
        """
        (exec 9>&-; setsid sh -c "trap '' TERM; exec 8>ROOT/daemon; >ROOT/on; sleep 600; :" &)
        until [ -e ROOT/on ]; do sleep 0.01; done
        """)
      #expect(daemon.isHeld)
      let contents = try #require(try workshop.slot(link))
      kill(contents.supervisor.pid, SIGKILL)
      try link.isClosed()
      let lock = try workshop.lock(link.slotName)
      try lifeline.gone()
      let after = try #require(try workshop.slot(link))
      #expect(after.outcome == nil && after.attempt?.started == true)
      #expect(after.attempt?.job == order.job)
      #expect(daemon.isHeld)
      let result = try AttemptRemains.stop(
        after,
        stopSequence: [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 50))
        ])
      #expect(result.killed >= 1 && result.leftCount == 0)
      #expect(!daemon.isHeld)
      let again = try AttemptRemains.stop(after, stopSequence: [])
      #expect(again.killed == 0)
      #expect(try lock.keepLog(at: order.logPath, shared: false) == 0)
      try lock.removeFiles()
    }

    @Test("what has lost its mark is found by the session of a dead supervisor")
    func withoutMark() throws {
      let link = try workshop.supervisor()
      let plain = Lifeline(workshop, "plain")
      _ = try startWaiting(
        on: link,
        """
        exec 9>&-
        env -i /bin/sh -c "trap '' TERM; exec 8>ROOT/plain; /bin/sh -c '>ROOT/on; exec /bin/sleep 600'; :" &
        until [ -e ROOT/on ]; do sleep 0.01; done
        exec 9>ROOT/life
        """)
      let contents = try #require(try workshop.slot(link))
      kill(contents.supervisor.pid, SIGKILL)
      _ = try workshop.lock(link.slotName)
      #expect(plain.isHeld)
      let result = try AttemptRemains.stop(
        contents,
        stopSequence: [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 20))
        ])
      #expect(result.killed >= 2 && result.leftCount == 0)
      #expect(!plain.isHeld)
    }

    @Test("a supervisor that stands still gives no answer, and can be killed with its handler")
    func frozen() throws {
      let link = try workshop.supervisor()
      let order = try startWaiting(on: link)
      let contents = try #require(try workshop.slot(link))
      kill(contents.supervisor.pid, SIGSTOP)
      let other = try workshop.connect(link.slotName)
      let answer = try other.request(.ask(job: order.job, fence: order.fence), timeoutMs: 100)
      #expect(answer == nil)
      guard case .held = try SlotLock.tryAcquire(storeFolder: workshop.store, slot: link.slotName)
      else {
        Issue.record("the lock of a supervisor that stands still is free")
        return
      }
      #expect(try AttemptRemains.killHolder(contents))
      try lifeline.gone()
      _ = try workshop.lock(link.slotName)
      #expect(try !AttemptRemains.killHolder(contents))
    }

    @Test("a higher watch takes an attempt over; the earlier holder is told and not obeyed")
    func adoption() throws {
      let first = try workshop.supervisor()
      let order = try startWaiting(on: first)
      let second = try workshop.connect(first.slotName)
      let same = try second.request(
        .adopt(job: order.job, fence: order.fence, watch: 1), timeoutMs: Workshop.patienceMs)
      #expect(same == .refused(.superseded(watch: 1)))
      let answer = try second.request(
        .adopt(job: order.job, fence: order.fence, watch: 2), timeoutMs: Workshop.patienceMs)
      guard case .status(.running(let running)) = answer else {
        Issue.record("\(String(describing: answer))")
        return
      }
      #expect(running.watch == 2 && running.started && running.stopping == nil)
      let watch = try first.next("to be superseded") { reply -> Int64? in
        if case .superseded(_, _, let watch) = reply { watch } else { nil }
      }
      #expect(watch == 2)
      try first.stop(job: order.job, fence: order.fence, watch: 1, reason: .reclaim, who: "late")
      #expect(try first.refusal() == .superseded(watch: 2))
      try first.start(workshop.order("exit 0"))
      #expect(try first.refusal() == .notOwner)
      #expect(try workshop.slot(first)?.attempt?.watch == 2)
      hangUp(first)
      try workshop.write("go", "")
      let outcome = try second.ended()
      #expect(outcome.end == .exited(3) && outcome.stop == nil)
      try second.recorded(job: order.job, fence: order.fence)
      #expect(try workshop.run(workshop.order("exit 4"), on: second).end == .exited(4))
    }

    @Test("a person's order to stop needs the fence alone, also when no worker minds the attempt")
    func personStops() throws {
      let link = try workshop.supervisor()
      let order = try startWaiting(on: link)
      hangUp(link)
      let person = try workshop.connect(link.slotName)
      let wrong = try person.request(
        .stop(job: order.job, fence: order.fence + 1, watch: nil, reason: .cancel, who: "p"),
        timeoutMs: Workshop.patienceMs)
      #expect(wrong == .status(.other(job: order.job, fence: order.fence + 1)))
      let right = try person.request(
        .stop(job: order.job, fence: order.fence, watch: nil, reason: .cancel, who: "person"),
        timeoutMs: Workshop.patienceMs)
      guard case .status(.running(let running)) = right else {
        Issue.record("\(String(describing: right))")
        return
      }
      #expect(running.stopping == .cancel)
      #expect(try recorded.line() == link.slotName)
    }

    @Test("an attempt that was given back is not started by a late order")
    func disowned() throws {
      let first = try workshop.supervisor()
      let order = workshop.order("touch ROOT/ran") { $0.watch = 1 }
      let second = try workshop.connect(first.slotName)
      let answer = try second.request(
        .adopt(job: order.job, fence: order.fence, watch: 2), timeoutMs: Workshop.patienceMs)
      #expect(answer == .status(.other(job: order.job, fence: order.fence)))
      try first.start(order)
      #expect(try first.refusal() == .superseded(watch: 2))
      #expect(workshop.text("ran") == nil)
      // Other attempts are not concerned.
      #expect(try workshop.run(workshop.order("exit 0"), on: first).end == .exited(0))
    }

    @Test("whoever adopts an attempt that has ended gets its outcome, and no recorder is needed")
    func adoptEnded() throws {
      try workshop.write("recorder.sh", "exec 9>ROOT/recording; echo on >&9; exec sleep 600")
      let recording = Lifeline(workshop, "recording")
      let link = try workshop.supervisor()
      let order = try startWaiting(on: link)
      let second = try workshop.connect(link.slotName)
      hangUp(link)
      try workshop.write("go", "")
      #expect(try recorded.line() == link.slotName)
      #expect(try recording.line() == "on")
      let answer = try second.request(
        .adopt(job: order.job, fence: order.fence, watch: 2), timeoutMs: Workshop.patienceMs)
      guard case .status(.ended(let outcome, let watch)) = answer else {
        Issue.record("\(String(describing: answer))")
        return
      }
      #expect(outcome.end == .exited(3) && watch == 2)
      try recording.gone()
      try second.recorded(job: order.job, fence: order.fence)
      let asked = try second.request(
        .ask(job: order.job, fence: order.fence), timeoutMs: Workshop.patienceMs)
      #expect(asked == .status(.other(job: order.job, fence: order.fence)))
    }

    @Test("an order that was sent before its worker died is carried out")
    func orderThenDeath() throws {
      let link = try workshop.supervisor()
      let order = workshop.order("echo ran")
      try link.start(order)
      hangUp(link)
      #expect(try recorded.line() == link.slotName)
      try eventually("the log") { workshop.log(of: order) == "ran\n" }
    }

    @Test("a worker that sends half an order and dies starts nothing")
    func halfAnOrder() throws {
      let link = try workshop.supervisor()
      var bytes: [UInt8] = [0, 4, 0, 0, 1, 0, 1, 0, 1, 2, 3]
      #expect(send(link.fileDescriptor, &bytes, bytes.count, 0) == bytes.count)
      hangUp(link)
      _ = try workshop.lock(link.slotName)
      #expect(try workshop.slot(link)?.attempt == nil)
    }
  }
}

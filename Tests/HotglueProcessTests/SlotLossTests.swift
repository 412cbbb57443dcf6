import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  /// Missing evidence proves nothing: a slot that is lost, whatever part of it, is never read as one
  /// whose attempt was not started.
  @Suite struct SlotLoss {
    let workshop: Workshop
    let lifeline: Lifeline

    init() throws {
      workshop = try Workshop()
      lifeline = Lifeline(workshop, "life")
    }

    private func running() throws -> SupervisorLink {
      let link = try workshop.supervisor()
      try link.start(workshop.order("exec 9>ROOT/life; echo up >&9; exec sleep 600"))
      #expect(try lifeline.line() == "up")
      return link
    }

    private func killed() throws -> SupervisorLink {
      let link = try running()
      let contents = try #require(try workshop.slot(link))
      kill(contents.supervisor.pid, SIGKILL)
      _ = try workshop.lock(link.slotName)
      try lifeline.gone()
      return link
    }

    private func path(_ link: SupervisorLink) -> String {
      "\(workshop.store)/slots/\(link.slotName)"
    }

    @Test("the name of a slot is what its supervisor is found by, and the mark of its handlers")
    func name() throws {
      let link = try running()
      let name = try #require(SlotName(link.slotName))
      let contents = try #require(try workshop.slot(link))
      #expect(name.pid == contents.supervisor.pid)
      #expect(name.startTime == contents.supervisor.startTime)
      #expect(name.mark == contents.attempt?.mark)
      #expect(name.supervisor?.pid == contents.supervisor.pid)
      kill(contents.supervisor.pid, SIGKILL)
      _ = try workshop.lock(link.slotName)
      #expect(name.supervisor == nil)
      for other in ["", "1-2", "no-such-slot", "1-zz-0123456789abcdef", "1-2-3-4"] {
        #expect(SlotName(other) == nil)
      }
    }

    @Test("an attempt's part that is changed at any place, or zeroed, proves nothing")
    func damaged() throws {
      let link = try killed()
      let whole = try #require(try workshop.slot(link))
      #expect(whole.attempt?.started == true && !whole.isDamaged)
      let file = open(path(link), O_RDWR | O_CLOEXEC)
      defer { close(file) }
      // Job, fence, attempt, mark: what names the attempt.
      for offset in [8, 16, 32, 40, 50, 70] as [off_t] {
        var byte: UInt8 = 0
        #expect(pread(file, &byte, 1, 1024 + offset) == 1)
        var flipped = byte ^ 4
        #expect(pwrite(file, &flipped, 1, 1024 + offset) == 1)
        let contents = try #require(try workshop.slot(link))
        #expect(contents.isDamaged && contents.attempt == nil, "at \(offset)")
        #expect(pwrite(file, &byte, 1, 1024 + offset) == 1)
      }
      #expect(try workshop.slot(link)?.attempt == whole.attempt)
      let zeros = [UInt8](repeating: 0, count: 1024)
      #expect(pwrite(file, zeros, 1024, 1024) == 1024)
      let contents = try #require(try workshop.slot(link))
      #expect(contents.isDamaged && contents.attempt == nil && contents.outcome == nil)
    }

    @Test("an idle slot is whole, and says so")
    func idle() throws {
      let link = try workshop.supervisor()
      let contents = try #require(try workshop.slot(link))
      #expect(contents.attempt == nil && !contents.isDamaged)
      let order = workshop.order("exit 0")
      _ = try workshop.run(order, on: link)
      try eventually("it is idle again") { try workshop.slot(link)?.attempt == nil }
      #expect(try workshop.slot(link)?.isDamaged == false)
    }

    @Test("a slot that is empty, short, a folder or gone is no evidence, and stops nobody")
    func unreadable() throws {
      let link = try killed()
      for size in [0, 100, 4096] as [off_t] {
        #expect(truncate(path(link), size) == 0)
        #expect(Slot.evidence(storeFolder: workshop.store, slot: link.slotName) == nil)
      }
      unlink(path(link))
      #expect(Slot.evidence(storeFolder: workshop.store, slot: link.slotName) == nil)
      mkdir(path(link), 0o700)
      guard
        case .gone = try SlotLock.tryAcquire(storeFolder: workshop.store, slot: link.slotName)
      else {
        Issue.record("a folder has a lock")
        return
      }
      #expect(try Slot.abandoned(storeFolder: workshop.store).isEmpty)
    }

    @Test("the lock of a lost slot is on an empty file in its place, and is held by one")
    func renewed() throws {
      let link = try killed()
      unlink(path(link))
      let attempted = try SlotLock.renewed(
        storeFolder: workshop.store, slot: link.slotName, shared: false)
      guard case .acquired(let lock) = attempted else {
        Issue.record("no lock: \(attempted)")
        return
      }
      guard
        case .held = try SlotLock.renewed(
          storeFolder: workshop.store, slot: link.slotName, shared: false)
      else {
        Issue.record("two have it")
        return
      }
      try lock.removeFiles()
    }

    @Test("what an attempt left is found by the slot's name alone")
    func leftovers() throws {
      let daemon = Lifeline(workshop, "daemon")
      let link = try workshop.supervisor()
      try link.start(
        workshop.order(
          """
          setsid sh -c "trap '' TERM; exec 8>ROOT/daemon; >ROOT/on; sleep 600; :" &
          until [ -e ROOT/on ]; do sleep 0.01; done
          exec 9>ROOT/life; echo up >&9; exec sleep 600
          """))
      #expect(try lifeline.line() == "up")
      let contents = try #require(try workshop.slot(link))
      let whole = AttemptTrace(contents)
      #expect(!whole.mainProcessHasEnded)
      kill(contents.supervisor.pid, SIGKILL)
      _ = try workshop.lock(link.slotName)
      try lifeline.gone()
      unlink(path(link))
      let trace = AttemptTrace(
        storeFolder: workshop.store, slot: link.slotName, contents: nil, mayBeTouched: true)
      #expect(trace.supervisor == nil)
      #expect(daemon.isHeld && !trace.leftovers().isEmpty)
      let untouched = AttemptTrace(
        storeFolder: workshop.store, slot: link.slotName, contents: nil, mayBeTouched: false)
      #expect(untouched.leftovers().isEmpty)
      let remains = try AttemptRemains(
        trace,
        stopSequence: [
          StopSequence.Step(signal: Signal(number: SIGKILL), wait: Span(milliseconds: 0))
        ])
      var result: AttemptRemains.Result?
      try eventually("it is over") {
        if case .done(let found) = remains.step() { result = found }
        return result != nil
      }
      #expect((result?.killed ?? 0) >= 1 && result?.leftCount == 0)
      #expect(!daemon.isHeld && trace.leftovers().isEmpty)
    }

    @Test(
      "root signals no process that the slot of another user names: it counts as one that cannot be stopped",
      .enabled(if: geteuid() == 0, "only root could signal it"))
    func forged() throws {
      let victim = try running()
      let contents = try #require(try workshop.slot(victim))
      let pid = contents.supervisor.pid
      let slot = "\(pid)-\(String(contents.supervisor.startTime, radix: 16))-0123456789abcdef"
      let path = "\(workshop.store)/slots/\(slot)"
      try #require(close(creat(path, 0o600)) == 0 && lchown(path, 61_001, gid_t.max) == 0)
      let trace = AttemptTrace(
        storeFolder: workshop.store, slot: slot, contents: nil, mayBeTouched: true)
      #expect(throws: ProcessError.system(call: "kill", path: "\(pid)", errno: EPERM)) {
        try AttemptRemains.killHolder(trace)
      }
      let left = try AttemptRemains(
        trace,
        stopSequence: [
          StopSequence.Step(signal: Signal(number: SIGKILL), wait: Span(milliseconds: 0))
        ], boundMs: 50
      ).waitUntilDone()
      #expect(left.killed == 0 && left.left.contains { $0.pid == pid })
      #expect(SeenProcess(pid)?.startTime == contents.supervisor.startTime && lifeline.isHeld)
      // In the slot's own name the same process is stopped.
      try #require(lchown(path, 0, gid_t.max) == 0)
      #expect(try AttemptRemains.killHolder(trace))
    }

    @Test("answers that are missing are told from answers that never were")
    func answers() throws {
      let link = try workshop.supervisor()
      let contents = try #require(try workshop.slot(link))
      #expect(!contents.hadAnswers && !contents.hadGroup)
      let search = Answers.search(
        storeFolder: workshop.store, slot: link.slotName, job: 1, fence: 1)
      #expect(search == .missing)
    }
  }
}

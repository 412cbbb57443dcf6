import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  /// What is true of a stream when who minds it dies.
  @Suite struct StreamDeaths {
    private static let recorder = ["/bin/sh", "-c", "echo $0 >>ROOT/recorded; . ROOT/recorder.sh"]

    @Test("a dead worker's stream finishes the job in hand alone, and all its answers are recorded")
    func workerDies() throws {
      let yard = try StreamYard(recorder: Self.recorder)
      try yard.workshop.write("recorder.sh", "exit 1")
      try yard.feed(["answer", "up; go on; echo fine; answer", "answer"])
      #expect(try yard.lifeline.line() == "up 2")
      yard.hangUp()
      // What waits is given back at once.
      let early = try yard.wait(2)
      #expect(early.map(\.job) == [1, 3] && early[1].end == .neverStarted(errno: 0))
      try yard.workshop.write("on", "")
      try yard.lifeline.gone()
      let lock = try yard.workshop.lock(yard.link.slotName)
      // The recorder failed: the answers are there for whoever comes next.
      #expect(try yard.wait(3)[2].job == 2 && yard.read[2].end == .answered)
      #expect(yard.workshop.text("STORE.d/logs/0/2-7.log") == "fine\n")
      try lock.removeFiles()
      #expect(yard.workshop.names(in: "\(yard.workshop.store)/slots") == [])
    }

    @Test("once the answers of a dead worker's stream are recorded, nothing of it is left")
    func recorded() throws {
      let yard = try StreamYard(recorder: Self.recorder)
      try yard.workshop.write("recorder.sh", "exit 0")
      try yard.feed(["answer", "up; go on; answer"])
      #expect(try yard.lifeline.line() == "up 2")
      let supervisor = try #require(try yard.workshop.slot(yard.link)?.supervisor)
      try yard.link.goodbye()
      yard.hangUp()
      try yard.workshop.write("on", "")
      try eventually("the supervisor's end") { try !ProcessIdentity.isAlive(supervisor) }
      #expect(yard.workshop.names(in: "\(yard.workshop.store)/slots") == [])
      #expect(yard.workshop.text("recorded")?.contains(yard.link.slotName) == true)
    }

    @Test("a killed supervisor leaves what was answered, what was in hand, and nothing of the rest")
    func supervisorDies() throws {
      let yard = try StreamYard()
      try yard.feed(["echo one; answer", "echo half; up; go never", "answer"])
      #expect(try yard.lifeline.line() == "up 2")
      let before = try #require(try yard.workshop.slot(yard.link))
      #expect(before.stream?.handlerPID == before.attempt?.handlerPID)
      try eventually("its words in the log") {
        yard.workshop.text("STORE.d/slots/\(yard.link.slotName).log") == "half\n"
      }
      kill(before.supervisor.pid, SIGKILL)
      let lock = try yard.workshop.lock(yard.link.slotName)
      try yard.lifeline.gone()
      let contents = try #require(try yard.workshop.slot(yard.link))
      #expect(contents.attempt?.job == 2 && contents.attempt?.started == true)
      let answered = try Answers.find(
        storeFolder: yard.workshop.store, slot: lock.slot, job: 1, fence: 7)
      #expect(answered?.end == .answered)
      for job in Int64(2)...3 {
        #expect(
          try Answers.find(storeFolder: yard.workshop.store, slot: lock.slot, job: job, fence: 7)
            == nil)
      }
      #expect(contents.attempt?.logFrom == nil)
      #expect(try lock.keepLog(at: "logs/0/2-7.log", shared: false) == 5)
      #expect(yard.workshop.text("STORE.d/logs/0/2-7.log") == "half\n")
    }

    @Test("an adopter gets the job in hand and every answer; what waits is given back, and not fed")
    func adopted() throws {
      let yard = try StreamYard()
      try yard.feed(["answer", "up; go on; answer", "answer"])
      #expect(try yard.lifeline.line() == "up 2")
      let second = try yard.workshop.connect(yard.link.slotName)
      #expect(
        try second.request(.ask(job: 3, fence: 7), timeoutMs: Workshop.patienceMs)
          == .status(.waiting(job: 3, fence: 7)))
      guard
        case .status(.running(let running))? = try second.request(
          .adopt(job: 2, fence: 7, watch: 2), timeoutMs: Workshop.patienceMs)
      else {
        Issue.record("not adopted")
        return
      }
      #expect(running.job == 2 && running.watch == 2)
      // The first owner is told, and feeds nothing more.
      try yard.link.feed([yard.job(4, "answer")])
      #expect(try yard.link.refusal() == .notOwner)
      try yard.workshop.write("on", "")
      let answers = try yard.wait(3)
      #expect(answers.map(\.job) == [1, 3, 2])
      #expect(answers[1].end == .neverStarted(errno: 0) && answers[2].end == .answered)
      let end = try second.next("the end") { if case .closed(let end) = $0 { end } else { nil } }
      #expect(end.answered == 2)
    }

    @Test(
      "a waiting job that another watcher takes back is never given, and its late order is refused")
    func takenBack() throws {
      let yard = try StreamYard()
      try yard.feed(["up; go on; answer", "touch ROOT/second; answer"])
      #expect(try yard.lifeline.line() == "up 1")
      let other = try yard.workshop.connect(yard.link.slotName)
      #expect(
        try other.request(.adopt(job: 2, fence: 7, watch: 2), timeoutMs: Workshop.patienceMs)
          == .status(.other(job: 2, fence: 7)))
      try yard.link.feed([yard.job(2, "touch ROOT/second; answer")])
      #expect(try yard.link.refusal() == .superseded(watch: 2))
      try yard.workshop.write("on", "")
      #expect(try yard.wait(1)[0].job == 1)
      try yard.link.close()
      #expect(try yard.closed().answered == 1)
      #expect(yard.workshop.text("second") == nil)
    }

    @Test("an idle handler gets the end of its input when its worker goes")
    func idle() throws {
      let yard = try StreamYard(
        handler: "while read -r job fence script; do eval \"$script\"; done; echo bye >&9")
      try yard.feed(["answer"])
      try yard.wait(1)
      try yard.settle()
      #expect(try yard.workshop.slot(yard.link)?.attempt == nil)
      try yard.link.goodbye()
      yard.hangUp()
      #expect(try yard.lifeline.line() == "bye")
      try yard.lifeline.gone()
      try eventually("nothing of it is left") {
        yard.workshop.names(in: "\(yard.workshop.store)/slots") == []
      }
    }

    @Test("what a handler leaves behind is stopped before the job in its hand counts as over")
    func leftBehind() throws {
      let yard = try StreamYard()
      try yard.feed(["(exec sleep 1000) & up; kill -9 $$"])
      #expect(try yard.lifeline.line() == "up 1")
      let end = try yard.wait(1)[0]
      #expect(end.straysKilled == 1)
      try yard.lifeline.gone()
    }
  }
}

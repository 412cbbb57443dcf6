import Glibc
import HotglueProcess
import Testing

extension Supervision {
  /// Supervisors outlive the program's replacement by a later version, which reads what they left and
  /// speaks with those that live.
  @Suite struct EarlierVersions {
    private static let result = #"{"type":"result","outcome":"succeeded","value":7}"#

    @Test("an outcome that a supervisor of version 3 left is read whole")
    func outcome() throws {
      let workshop = try Workshop()
      let link = try workshop.supervisor()
      let script = "echo said; echo nonsense >&3; echo '\(Self.result)' >&3; exit 3"
      let order = workshop.order(script) { $0.attempt = 5 }
      try link.start(order)
      _ = try link.ended()
      shutdown(link.fileDescriptor, Int32(SHUT_RDWR))
      let lock = try workshop.lock(link.slotName)
      let before = try #require(try workshop.slot(link)?.outcome)
      #expect(before.report.result == .line(Array(Self.result.utf8)))
      #expect(before.report.badLines == 1 && before.logBytes == 5)
      try EarlierVersion.take(slot: link.slotName, of: workshop)
      #expect(try workshop.slot(link)?.outcome == before)
      // And one that is torn is none in that version either.
      let file = open("\(workshop.store)/slots/\(link.slotName)", O_RDWR | O_CLOEXEC)
      defer { close(file) }
      var byte: UInt8 = 0
      try #require(pread(file, &byte, 1, 4096 + 420) == 1)
      byte ^= 1
      try #require(pwrite(file, &byte, 1, 4096 + 420) == 1)
      let torn = try #require(try workshop.slot(link))
      #expect(torn.attempt?.job == order.job && torn.outcome == nil)
      try lock.removeFiles()
    }

    @Test("answers that a stream of version 3 left are read whole")
    func answers() throws {
      let yard = try StreamYard()
      try yard.feed(["echo nonsense >&3; answer", "answer failed", "up; go never"])
      let before = try yard.wait(2)
      #expect(before[0].report.badLines == 1)
      #expect(try yard.lifeline.line() == "up 3")
      let supervisor = try #require(try yard.workshop.slot(yard.link)?.supervisor)
      kill(supervisor.pid, SIGKILL)
      let lock = try yard.workshop.lock(yard.link.slotName)
      try EarlierVersion.take(slot: lock.slot, of: yard.workshop)
      try EarlierVersion.take(answers: 2, slot: lock.slot, of: yard.workshop)
      for number in Int64(1)...2 {
        let found = try Answers.find(
          storeFolder: yard.workshop.store, slot: lock.slot, job: number, fence: 7)
        #expect(found == before[Int(number) - 1])
      }
      let contents = try #require(try yard.workshop.slot(yard.link))
      #expect(contents.attempt?.job == 3 && contents.stream != nil)
      try lock.removeFiles()
    }

    @Test("a supervisor of version 3 is asked, heard, adopted and told in its own words")
    func talk() throws {
      let workshop = try Workshop()
      let link = try workshop.supervisor()
      let order = workshop.order("until [ -e ROOT/go ]; do sleep 0.01; done; exit 4")
      try link.start(order)
      _ = try link.started()
      _ = try EarlierVersion.Mouth(slot: link.slotName, of: workshop)
      let later = try workshop.connect(link.slotName)
      let asked = try later.request(
        .ask(job: order.job, fence: order.fence), timeoutMs: Workshop.patienceMs)
      guard case .status(.running(let running))? = asked else {
        Issue.record("\(String(describing: asked))")
        return
      }
      #expect(running.watch == 1 && running.started)
      let adopted = try later.request(
        .adopt(job: order.job, fence: order.fence, watch: 2), timeoutMs: Workshop.patienceMs)
      guard case .status(.running)? = adopted else {
        Issue.record("\(String(describing: adopted))")
        return
      }
      let heard = try later.request(
        .report(job: order.job, fence: order.fence, line: Array(Self.result.utf8)),
        timeoutMs: Workshop.patienceMs)
      guard case .status(.running)? = heard else {
        Issue.record("\(String(describing: heard))")
        return
      }
      try workshop.write("go", "")
      let outcome = try later.ended()
      #expect(outcome.end == .exited(status: 4) && outcome.attempt == order.attempt)
      #expect(outcome.report.result == .line(Array(Self.result.utf8)))
      try later.recorded(job: order.job, fence: order.fence)
      let after = try later.request(
        .ask(job: order.job, fence: order.fence), timeoutMs: Workshop.patienceMs)
      #expect(after == .status(.other(job: order.job, fence: order.fence)))
    }

    @Test("a slot of a version that nobody knows here is understood by nobody", arguments: [2, 5])
    func unknown(version: UInt8) throws {
      let workshop = try Workshop()
      let link = try workshop.supervisor()
      let file = open("\(workshop.store)/slots/\(link.slotName)", O_RDWR | O_CLOEXEC)
      defer { close(file) }
      var byte = version
      try #require(pwrite(file, &byte, 1, 8) == 1)
      #expect(throws: ProcessError.notUnderstood("slot file '\(link.slotName)'")) {
        try workshop.slot(link)
      }
      #expect(throws: ProcessError.notUnderstood("slot file '\(link.slotName)'")) {
        try SupervisorLink.connect(storeFolder: workshop.store, slot: link.slotName, timeoutMs: 100)
      }
    }
  }
}

import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Chaos {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    /// What the slot of a dead supervisor proves, as whoever takes its lock finds it out.
    private enum Verdict: Equatable {
      case ended(AttemptEnd.How)
      case neverStarted
      case unknown
    }

    private func resolve(_ slot: String, _ order: AttemptOrder) throws -> Verdict {
      let lock = try workshop.lock(slot)
      defer { withExtendedLifetime(lock) {} }
      let contents = try #require(try Slot.read(storeFolder: workshop.store, slot: slot))
      if contents.outcome?.job == order.job, let outcome = contents.outcome {
        return .ended(outcome.end)
      }
      guard let attempt = contents.attempt, attempt.job == order.job, attempt.started else {
        return .neverStarted
      }
      let result = try AttemptRemains.stop(
        contents,
        stopSequence: [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 20))
        ])
      #expect(result.leftCount == 0)
      return .unknown
    }

    /// The supervisor is killed at any point between the order and some time after the end, and
    /// the handler's own words are compared with what its slot proves.
    @Test("a supervisor killed at any point leaves the truth, and nothing alive", arguments: 0..<60)
    func killedAnywhere(round: Int) throws {
      let link = try workshop.supervisor()
      let supervisor = try #require(try workshop.slot(link)?.supervisor)
      let life = Lifeline(workshop, "life")
      let order = workshop.order(
        """
        exec 9>ROOT/life; echo start >&9
        (setsid sh -c "trap '' TERM; sleep 0.004" &)
        sleep 0.003; echo end >&9; exit 3
        """
      ) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 20))
        ]
      }
      try link.start(order)
      // 0 to 18 ms: from before the order is read until after the outcome is written.
      usleep(UInt32(round * 300))
      kill(supervisor.pid, SIGKILL)
      let verdict = try resolve(link.slotName, order)
      let said = life.said()
      switch verdict {
      case .neverStarted: #expect(said == "")
      case .ended(let end):
        #expect(end == .exited(3) && said == "start\nend\n" && !life.isHeld)
      // Nobody who has begun to speak is left.
      case .unknown: #expect(said == "" || !life.isHeld)
      }
      #expect(try !ProcessIdentity.isAlive(supervisor))
    }
  }
}

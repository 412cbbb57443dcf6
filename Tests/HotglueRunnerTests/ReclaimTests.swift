import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore
import Testing

extension Running {
  /// Every place at which worker and supervisor can be gone, and what is found there.
  @Suite struct Reclaims {
    @Test("claimed and never ordered: it goes back at once, and no budget is touched")
    func neverOrdered() throws {
      let yard = try Yard()
      let id = try yard.enqueue("true")
      let forkServer = try yard.forkServer()
      var link: SupervisorLink? = try forkServer.makeSupervisor()
      let slot = try #require(link).slotName
      _ = try yard.abandonedClaim(slot: slot)
      // The owner dies: its end of the connection closes, and nothing was ordered.
      link = nil
      try yard.eventually("it goes back") {
        _ = try yard.reclaim()
        return try yard.job(id).state == .pending
      }
      let job = try yard.job(id)
      #expect((job.attempt, job.failures, job.losses, job.fence) == (0, 0, 0, 1))
      #expect(try names(yard.place.folder + "/slots").isEmpty)
    }

    @Test("a slot that somebody took away proves nothing: the outcome is unknown")
    func slotIsGone() throws {
      let yard = try Yard()
      let id = try yard.enqueue("true")
      _ = try yard.abandonedClaim(slot: "no-such-slot")
      let lines = try yard.reclaim()
      #expect(lines.map(\.became) == [.recorded(.uncertain)])
      #expect(try yard.job(id).losses == 1)
    }

    /// What a power cut, a cleaner or a handler makes of a slot.
    enum Loss: String, CaseIterable { case removed, empty, short, zeroed, folder, fifo, copied }

    private func lose(_ slot: String, _ loss: Loss, _ yard: Yard) throws {
      let path = "\(yard.place.folder)/slots/\(slot)"
      switch loss {
      case .removed: unlink(path)
      case .empty: truncate(path, 0)
      case .short: truncate(path, 1500)
      case .zeroed:
        truncate(path, 0)
        truncate(path, 160 * 1024)
      case .folder:
        unlink(path)
        mkdir(path, 0o700)
      case .fifo:
        unlink(path)
        mkfifo(path, 0o600)
      case .copied:
        let script = "cp '\(path)' '\(path)x'; mv '\(path)x' '\(path)'"
        #expect(system(script) == 0)
      }
    }

    /// A running attempt without an owner, and its link.
    private func orphan(_ yard: Yard) throws -> (id: JobID, slot: String) {
      let id = try yard.enqueue("echo up >up; exec sleep 1000")
      let forkServer = try yard.forkServer()
      let link = try forkServer.makeSupervisor()
      let claimed = try yard.abandonedClaim(slot: link.slotName)
      try link.start(yard.order(claimed))
      try yard.eventually("it runs") { access(yard.folder.file("up"), F_OK) == 0 }
      return (id, link.slotName)
    }

    @Test(
      "a slot that is lost stops nobody, and nothing is run beside what lives",
      arguments: [
        Loss.removed, .folder, .copied,
      ])
    func lostWhileItLives(_ loss: Loss) throws {
      let yard = try Yard()
      let (id, slot) = try orphan(yard)
      try lose(slot, loss, yard)
      #expect(try yard.reclaim(dryRun: true).map(\.became) == [.unattended])
      #expect(try yard.reclaim().map(\.became) == [.unattended])
      #expect(try yard.job(id).state == .running)
      #expect(try yard.reclaim(stops: true).map(\.became) == [.stopping])
      try yard.eventually("it is uncertain") {
        _ = try yard.reclaim()
        return try yard.job(id).state == .uncertain
      }
    }

    @Test(
      "a slot that is lost with its supervisor is a lost attempt, never a stuck one",
      arguments: Loss.allCases)
    func lostWithItsSupervisor(_ loss: Loss) throws {
      let yard = try Yard()
      let (id, slot) = try orphan(yard)
      let supervisor = try #require(SlotName(slot))
      kill(supervisor.pid, SIGKILL)
      try yard.eventually("it is gone") { supervisor.supervisor == nil }
      try lose(slot, loss, yard)
      try yard.eventually("it is uncertain") {
        _ = try yard.reclaim()
        return try yard.job(id).state == .uncertain
      }
      #expect(try yard.job(id).losses == 1)
      let attempt = try #require(try yard.store.attempts(of: id, in: yard.main).last)
      #expect(attempt.reason == "lost")
    }

    @Test("the outcome of a supervisor that could not have it recorded is found and recorded")
    func outcomeIsLeft() throws {
      let yard = try Yard()
      let id = try yard.enqueue("echo said; exit 7")
      let forkServer = try yard.forkServer()
      var link: SupervisorLink? = try forkServer.makeSupervisor()
      let claimed = try yard.abandonedClaim(slot: try #require(link).slotName)
      try link?.start(yard.order(claimed))
      link = nil
      try yard.eventually("it is recorded") {
        _ = try yard.reclaim()
        return try yard.job(id).state == .failed
      }
      #expect(try yard.job(id).exitStatus == 7)
      #expect(try yard.log(id) == "said\n")
      #expect(try yard.job(id).losses == 0)
    }

    @Test("an attempt that lives is left running and printed as unattended; --stop stops it")
    func unattended() throws {
      let yard = try Yard()
      let id = try yard.enqueue("echo up >up; exec sleep 1000")
      let forkServer = try yard.forkServer()
      var link: SupervisorLink? = try forkServer.makeSupervisor()
      let claimed = try yard.abandonedClaim(slot: try #require(link).slotName)
      try link?.start(yard.order(claimed))
      try yard.eventually("it runs") { access(yard.folder.file("up"), F_OK) == 0 }
      link = nil
      #expect(try yard.reclaim(dryRun: true).map(\.became) == [.unattended])
      #expect(try yard.reclaim().map(\.became) == [.unattended])
      #expect(try yard.job(id).state == .running)
      #expect(try yard.reclaim(stops: true).map(\.became) == [.stopping])
      try yard.eventually("it is uncertain") {
        _ = try yard.reclaim()
        return try yard.job(id).state == .uncertain
      }
      let attempt = try #require(try yard.store.attempts(of: id, in: yard.main).last)
      #expect(attempt.reason == "reclaim")
    }

    @Test(
      "supervisor and handler killed: the attempt is unknown, and what it left is stopped first")
    func everythingIsGone() throws {
      let yard = try Yard()
      let id = try yard.enqueue(
        "setsid sh -c 'echo $$ >stray; exec sleep 1000' & echo up >up; wait")
      let forkServer = try yard.forkServer()
      let link = try forkServer.makeSupervisor()
      let claimed = try yard.abandonedClaim(slot: link.slotName)
      try link.start(yard.order(claimed))
      try yard.eventually("the stray is there") {
        guard access(yard.folder.file("stray"), F_OK) == 0 else { return false }
        return try !yard.text(yard.folder.file("stray")).isEmpty
      }
      let stray = try #require(
        Int32(try yard.text(yard.folder.file("stray")).split(separator: "\n").first ?? ""))
      let contents = try #require(
        try Slot.read(storeFolder: yard.place.folder, slot: link.slotName))
      #expect(try yard.reclaim(dryRun: true).map(\.became) == [.unattended])
      kill(contents.supervisor.pid, SIGKILL)
      try yard.eventually("it is uncertain") {
        _ = try yard.reclaim()
        return try yard.job(id).state == .uncertain
      }
      #expect(try isGone(stray))
      let attempt = try #require(try yard.store.attempts(of: id, in: yard.main).last)
      #expect(attempt.reason == "lost")
      #expect(attempt.warnings.contains { $0.contains("left behind and stopped") })
    }

    @Test("the attempts of a copied store are not touched by a reclaim of the copy")
    func copiedStore() throws {
      let yard = try Yard()
      try yard.enqueue("echo $$ >up; exec sleep 1000") { $0.policy.replay = .safe }
      let forkServer = try yard.forkServer()
      let link = try forkServer.makeSupervisor()
      let claimed = try yard.abandonedClaim(slot: link.slotName)
      try link.start(yard.order(claimed))
      try yard.eventually("it runs") {
        guard access(yard.folder.file("up"), F_OK) == 0 else { return false }
        return try !yard.text(yard.folder.file("up")).isEmpty
      }
      let handler = try #require(
        Int32(try yard.text(yard.folder.file("up")).split(separator: "\n").first ?? ""))
      let copy = try yard.copied()
      let lines = try copy.reclaim()
      #expect(lines.map(\.became) == [.recorded(.pending)])
      #expect(try !isGone(handler), "the original's handler lives")
      #expect(try yard.reclaim().map(\.became) == [.unattended])
      #expect(try yard.reclaim(stops: true).map(\.became) == [.stopping])
    }

    private func isGone(_ pid: Int32) throws -> Bool {
      let path = "/proc/\(pid)/stat"
      guard access(path, F_OK) == 0, let file = fopen(path, "re") else { return true }
      defer { fclose(file) }
      var bytes: [UInt8] = []
      while true {
        let byte = fgetc(file)
        if byte == EOF { break }
        bytes.append(UInt8(byte))
      }
      let state = String(decoding: bytes, as: UTF8.self).split(separator: ")").last ?? ""
      return state.hasPrefix(" Z")
    }
  }
}

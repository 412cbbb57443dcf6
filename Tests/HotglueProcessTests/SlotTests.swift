import Glibc
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Slots {
    let workshop: Workshop
    let lifeline: Lifeline

    init() throws {
      workshop = try Workshop()
      lifeline = Lifeline(workshop, "life")
    }

    /// A slot whose supervisor has ended without its outcome being recorded.
    private func unrecorded(_ script: String = "exit 3") throws -> SupervisorLink {
      let link = try workshop.supervisor()
      try link.start(workshop.order(script))
      _ = try link.ended()
      shutdown(link.fileDescriptor, Int32(SHUT_RDWR))
      _ = try workshop.lock(link.slotName)
      return link
    }

    private func copyFile(_ from: String, _ to: String) throws {
      let source = try #require(fopen(from, "re"))
      let target = try #require(fopen(to, "we"))
      defer {
        fclose(source)
        fclose(target)
      }
      var block = [UInt8](repeating: 0, count: 65536)
      while true {
        let count = fread(&block, 1, block.count, source)
        if count == 0 { return }
        fwrite(block, 1, count, target)
      }
    }

    @Test("a torn outcome is none")
    func tornOutcome() throws {
      let link = try unrecorded()
      #expect(try workshop.slot(link)?.outcome?.end == .exited(3))
      let path = "\(workshop.store)/slots/\(link.slotName)"
      let file = open(path, O_RDWR | O_CLOEXEC)
      defer { close(file) }
      var byte: UInt8 = 0
      #expect(pread(file, &byte, 1, 4096 + 40) == 1)
      byte ^= 1
      #expect(pwrite(file, &byte, 1, 4096 + 40) == 1)
      let contents = try #require(try workshop.slot(link))
      #expect(contents.outcome == nil && contents.attempt != nil)
    }

    @Test("a slot whose attempt was being written holds no attempt")
    func tornAttempt() throws {
      let link = try unrecorded()
      let file = open("\(workshop.store)/slots/\(link.slotName)", O_RDWR | O_CLOEXEC)
      defer { close(file) }
      var sequence: UInt64 = 0
      #expect(pread(file, &sequence, 8, 1024) == 8)
      sequence += 1
      #expect(pwrite(file, &sequence, 8, 1024) == 8)
      let contents = try #require(try workshop.slot(link))
      #expect(contents.attempt == nil && contents.outcome == nil)
    }

    @Test("a file that is no slot, or is cut short, is told apart from one that is gone")
    func notASlot() throws {
      try workshop.write("STORE.d/slots/short", "short")
      #expect(throws: ProcessError.self) {
        try Slot.read(storeFolder: workshop.store, slot: "short")
      }
      #expect(try Slot.read(storeFolder: workshop.store, slot: "gone") == nil)
      guard case .gone = try SlotLock.tryAcquire(storeFolder: workshop.store, slot: "gone") else {
        Issue.record("a lock on a file that is not there")
        return
      }
    }

    @Test(
      "a slot of another version is refused by name, and nothing of it is read", arguments: [0, 99])
    func otherVersion(version: UInt8) throws {
      let link = try unrecorded()
      let file = open("\(workshop.store)/slots/\(link.slotName)", O_RDWR | O_CLOEXEC)
      defer { close(file) }
      var byte = version
      try #require(pwrite(file, &byte, 1, 8) == 1)
      let refusal = ProcessError.otherVersion(slot: link.slotName, version: UInt32(version))
      #expect(throws: refusal) { try workshop.slot(link) }
      #expect(throws: refusal) {
        try SupervisorLink.connect(storeFolder: workshop.store, slot: link.slotName, timeoutMs: 100)
      }
      #expect(Slot.evidence(storeFolder: workshop.store, slot: link.slotName) == nil)
    }

    @Test("a supervisor that answers in another version is refused by name")
    func otherReply() throws {
      let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      defer { close(listener) }
      // Its slot is lost, so that only the answer can say which version it is.
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let path = "\(workshop.store)/slots/other.sock"
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(bound == 0 && listen(listener, 1) == 0)
      let link = try workshop.connect("other")
      let supervisor = accept(listener, nil, nil)
      defer { close(supervisor) }
      let frame: [UInt8] = [0, 0, 0, 0, 99, 0, 70, 0]
      try #require(send(supervisor, frame, frame.count, 0) == frame.count)
      #expect(throws: ProcessError.otherVersion(slot: "other", version: 99)) {
        try link.receive()
      }
    }

    @Test("a copied store says so, and nothing outside is touched because of it")
    func copy() throws {
      let link = try workshop.supervisor()
      try link.start(workshop.order("exec 9>ROOT/life; echo up >&9; exec sleep 600"))
      #expect(try lifeline.line() == "up")
      let copy = try Workshop()
      try copyFile(
        "\(workshop.store)/slots/\(link.slotName)", "\(copy.store)/slots/\(link.slotName)")
      let contents = try #require(try Slot.read(storeFolder: copy.store, slot: link.slotName))
      #expect(contents.isCopy && contents.attempt?.started == true)
      guard
        case .acquired = try SlotLock.tryAcquire(storeFolder: copy.store, slot: link.slotName)
      else {
        Issue.record("the lock of a copy is not free")
        return
      }
      #expect(try AttemptRemains.stop(contents, stopSequence: []).killed == 0)
      #expect(try !AttemptRemains.killHolder(contents))
      #expect(lifeline.isHeld)
      let attempt = try #require(contents.attempt)
      try link.stop(job: attempt.job, fence: attempt.fence, reason: .cancel, who: "test")
      _ = try link.ended()
    }

    @Test("a slot of another boot or namespace leads to nobody here")
    func otherBoot() throws {
      let link = try workshop.supervisor()
      try link.start(workshop.order("exec 9>ROOT/life; echo up >&9; exec sleep 600"))
      #expect(try lifeline.line() == "up")
      let here = try #require(try workshop.slot(link))
      var elsewhere = here
      elsewhere.isOfThisBoot = false
      #expect(try AttemptRemains.stop(elsewhere, stopSequence: []).killed == 0)
      elsewhere = here
      elsewhere.isOfThisNamespace = false
      #expect(try !AttemptRemains.killHolder(elsewhere))
      // A process ID that means another process by now is nobody either.
      elsewhere = here
      elsewhere.supervisor.startTime += 1
      elsewhere.attempt?.handlerStart += 1
      #expect(try !AttemptRemains.killHolder(elsewhere))
      #expect(lifeline.isHeld)
      #expect(try AttemptRemains.killHolder(here))
      try lifeline.gone()
    }

    @Test("files are for the owner alone, whatever the umask", arguments: [false, true])
    func modes(shared: Bool) throws {
      let before = umask(0o777)
      defer { umask(before) }
      let workshop = try Workshop(shared: shared)
      chmod(workshop.root, 0o700)
      chmod(workshop.store, 0o700)
      let link = try workshop.supervisor()
      let order = workshop.order("echo x") { $0.contextFile = [0x7b, 0x7d] }
      #expect(try workshop.run(order, on: link).end == .exited(0))
      func mode(_ path: String) -> UInt32 {
        var status = stat()
        return stat("\(workshop.store)/\(path)", &status) == 0 ? status.st_mode & 0o7777 : 0
      }
      #expect(mode("slots") == (shared ? 0o2770 : 0o700))
      #expect(mode("slots/\(link.slotName)") == (shared ? 0o660 : 0o600))
      #expect(mode("slots/\(link.slotName).sock") == (shared ? 0o660 : 0o600))
      #expect(mode("slots/\(link.slotName).idle.json") == (shared ? 0o660 : 0o600))
      #expect(mode(order.logPath) == (shared ? 0o660 : 0o600))
      let folder = order.logPath.split(separator: "/").dropLast().joined(separator: "/")
      #expect(mode(folder) == (shared ? 0o2770 : 0o700))
    }

    @Test("a store's folder may have a longer path than a socket address")
    func longPath() throws {
      let deep = workshop.root + "/" + String(repeating: "d", count: 150)
      mkdir(deep, 0o700)
      let forkServer = try ForkServer.start(
        storeFolder: deep, storeID: "s", shared: false, recorder: ["/bin/false"])
      let link = try forkServer.makeSupervisor()
      let other = try SupervisorLink.connect(
        storeFolder: deep, slot: link.slotName, timeoutMs: Workshop.patienceMs)
      let answer = try other?.request(.ask(job: 1, fence: 1), timeoutMs: Workshop.patienceMs)
      #expect(answer == .status(.other(job: 1, fence: 1)))
    }

    @Test(
      "a fork server that is gone makes nothing; what it made goes on, and another takes its place")
    func forkServerGone() throws {
      let link = try workshop.supervisor()
      let supervisor = try #require(try workshop.slot(link)?.supervisor)
      kill(try #require(workshop.parent(of: supervisor.pid)), SIGKILL)
      try eventually("the fork server's end") {
        do {
          _ = try workshop.supervisor()
          return false
        } catch ProcessError.forkServerGone {
          return true
        } catch ProcessError.supervisorGone {
          // Asked just before it died.
          return false
        }
      }
      #expect(try workshop.run(workshop.order("exit 2"), on: link).end == .exited(2))
      let another = try ForkServer.start(
        storeFolder: workshop.store, storeID: "store-1", shared: false, recorder: [])
      let fresh = try another.makeSupervisor()
      #expect(try workshop.run(workshop.order("exit 4"), on: fresh).end == .exited(4))
    }

    @Test("a fork server that is stopped is given up in bounded time, and what it made goes on")
    func forkServerFrozen() throws {
      let link = try workshop.supervisor()
      let supervisor = try #require(try workshop.slot(link)?.supervisor)
      let forkServer = try #require(workshop.parent(of: supervisor.pid))
      kill(forkServer, SIGSTOP)
      defer { kill(forkServer, SIGCONT) }
      let begun = BootClock.now()
      #expect(throws: ProcessError.forkServerFrozen(pid: forkServer)) { try workshop.supervisor() }
      let waited = BootClock.now() - begun
      #expect((500..<8000).contains(waited), "\(waited) ms")
      #expect(try workshop.run(workshop.order("exit 2"), on: link).end == .exited(2))
    }

    @Test("a fork server without a store's folder is refused")
    func noFolder() throws {
      let missing = "\(workshop.root)/no/such/store"
      #expect(
        throws: ProcessError.system(call: "start the fork server", path: missing, errno: ENOENT)
      ) {
        try ForkServer.start(storeFolder: missing, storeID: "s", shared: false, recorder: [])
      }
    }

    @Test("a supervisor that cannot be made says why")
    func cannotBeMade() throws {
      rename("\(workshop.store)/slots", "\(workshop.store)/elsewhere")
      #expect(
        throws: ProcessError.system(
          call: "make a supervisor", path: workshop.store, errno: ENOENT)
      ) {
        try workshop.supervisor()
      }
    }
  }
}

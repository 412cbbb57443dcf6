import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Ends {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test("a handler's exit status is the outcome", arguments: [0, 1, 75, 127, 255] as [Int32])
    func exitStatus(status: Int32) throws {
      let outcome = try workshop.run("exit \(status)")
      #expect(outcome.end == .exited(status))
      #expect(outcome.stop == nil && !outcome.killReached && outcome.straysKilled == 0)
      #expect(outcome.startedMs > 0 && outcome.endedMs >= outcome.startedMs)
      #expect(outcome.peakBytes > 0)
    }

    @Test("a signal is told apart from a status", arguments: [SIGKILL, SIGTERM, SIGUSR1])
    func signal(signal: Int32) throws {
      let outcome = try workshop.run("kill -\(signal) $$; sleep 60")
      #expect(outcome.end == .signaled(Signal(number: signal)))
    }

    @Test("a command that is not there was never executed")
    func missingCommand() throws {
      let link = try workshop.supervisor()
      for name in ["no-such-command-of-hotglue", "/no/such/file", ""] {
        try link.start(workshop.order([name]))
        let outcome = try link.ended()
        #expect(outcome.end == .notExecutable(errno: ENOENT))
        #expect(try workshop.slot(link)?.attempt?.started == false)
        #expect(AttemptEnd(how: outcome.end).exitStatus == 127)
      }
    }

    @Test("a command that may not be executed is 126, also when it was found in PATH")
    func notExecutable() throws {
      let outcome = try workshop.run(
        workshop.order(["plain"]) { order in
          makeFile("plain", "echo no", mode: 0o644)
          order.environment = ["PATH=/no/such/folder:\(workshop.root)"]
        }, on: workshop.supervisor())
      // Root may read it, but nobody may execute it.
      #expect(outcome.end == .notExecutable(errno: EACCES))
      #expect(AttemptEnd(how: outcome.end).exitStatus == 126)
    }

    @Test("a text without #! is run by the shell, with its arguments")
    func textFile() throws {
      makeFile("script", "echo \"$0 $1 $2\"", mode: 0o755)
      let order = workshop.order(["script", "one", "two"]) {
        $0.environment = ["PATH=\(workshop.root):/usr/bin:/bin"]
      }
      let outcome = try workshop.run(order, on: workshop.supervisor())
      #expect(outcome.end == .exited(0))
      #expect(workshop.log(of: order) == "\(workshop.root)/script one two\n")
    }

    @Test("a folder that is gone is an outcome of its own, and nothing is run")
    func missingFolder() throws {
      let link = try workshop.supervisor()
      let order = workshop.order("touch ROOT/ran") { $0.directory = "\(workshop.root)/gone" }
      try link.start(order)
      #expect(try link.ended().end == .directoryGone(errno: ENOENT))
      #expect(try workshop.slot(link)?.attempt?.started == false)
      #expect(workshop.text("ran") == nil)
    }

    @Test("the payload is standard input, and without one that is empty", arguments: [true, false])
    func payload(isThere: Bool) throws {
      let payload = isThere ? String(repeating: "payload ", count: 100_000) : nil
      let order = workshop.order("cat; echo .") { $0.payload = payload.map { Array($0.utf8) } }
      let outcome = try workshop.run(order, on: workshop.supervisor())
      #expect(outcome.end == .exited(0))
      #expect(workshop.log(of: order) == (payload ?? "") + ".\n")
    }

    @Test("a handler has the order's environment and a mark, and nothing else")
    func environment() throws {
      let order = workshop.order(["/usr/bin/env"]) {
        $0.environment = ["A=1", "HOTGLUE_MARK=inherited", "B=ü ="]
      }
      let link = try workshop.supervisor()
      try link.start(order)
      _ = try link.ended()
      let mark = try #require(try workshop.slot(link)?.attempt?.mark)
      #expect(SlotName(link.slotName)?.mark == mark)
      #expect(workshop.log(of: order) == "A=1\nB=ü =\nHOTGLUE_MARK=\(mark)\n")
    }

    @Test("a handler starts clean: own group, no signal blocked or ignored, umask 022, file 0-3")
    func cleanStart() throws {
      let order = workshop.order(
        """
        umask
        for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
          if [ -e /proc/self/fd/$n ]; then echo open $n; fi
        done
        grep -E 'SigBlk|SigIgn' /proc/self/status
        cut -d' ' -f5 /proc/$$/stat | grep -x $$ >/dev/null && echo own group
        pwd
        """)
      _ = try workshop.run(order, on: workshop.supervisor())
      #expect(
        workshop.log(of: order) == """
          0022
          open 3
          SigBlk:\t0000000000000000
          SigIgn:\t0000000000000000
          own group
          \(workshop.root)

          """)
    }

    @Test("the pinned context file is there while its attempt lives and gone when it has ended")
    func contextFile() throws {
      let link = try workshop.supervisor()
      for text in ["{\"a\":\"a long first one\"}", "{}"] {
        let order = workshop.order("cat \"$HOTGLUE_CONTEXT\"") {
          let path = link.contextPath(job: $0.job, fence: $0.fence)
          $0.environment.append("HOTGLUE_CONTEXT=\(path)")
          $0.contextFile = Array(text.utf8)
        }
        _ = try workshop.run(order, on: link)
        #expect(workshop.log(of: order) == text)
        #expect(access(link.contextPath(job: order.job, fence: order.fence), F_OK) != 0)
      }
    }

    @Test("200 attempts through one supervisor leave no file behind")
    func manyAttempts() throws {
      let link = try workshop.supervisor()
      let pid = try #require(try workshop.slot(link)?.supervisor)
      for _ in 0..<200 {
        let order = workshop.order(["/bin/true"]) { $0.contextFile = [0x7b, 0x7d] }
        #expect(try workshop.run(order, on: link).end == .exited(0))
      }
      #expect(workshop.names(in: "\(workshop.store)/logs") == [])
      try close(link, pid)
      #expect(workshop.names(in: "\(workshop.store)/slots") == [])
    }

    @Test("an order without its end is not carried out")
    func brokenOrder() throws {
      let link = try workshop.supervisor()
      // Two frames' worth of nonsense: another version, then nothing.
      var bytes: [UInt8] = [16, 0, 0, 0, 99, 0, 1, 0] + [UInt8](repeating: 0, count: 16)
      #expect(send(link.fileDescriptor, &bytes, bytes.count, 0) == bytes.count)
      try link.isClosed()
    }

    private func close(_ link: SupervisorLink, _ supervisor: ProcessIdentity) throws {
      try link.goodbye()
      shutdown(link.fileDescriptor, Int32(SHUT_RDWR))
      try eventually("the supervisor's end") { try !ProcessIdentity.isAlive(supervisor) }
    }

    private func makeFile(_ name: String, _ text: String, mode: mode_t) {
      let path = "\(workshop.root)/\(name)"
      guard let file = fopen(path, "we") else { return }
      fputs(text, file)
      fclose(file)
      chmod(path, mode)
    }
  }
}

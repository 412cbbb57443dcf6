import Glibc
import HotglueCore
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Logs {
    let workshop: Workshop
    let lifeline: Lifeline

    init() throws {
      workshop = try Workshop()
      lifeline = Lifeline(workshop, "life")
    }

    private func readAll(_ reader: LogReader) throws -> (text: String, leftOut: [Int64]) {
      var bytes: [UInt8] = []
      var leftOut: [Int64] = []
      while true {
        switch try reader.read(limit: 10_000) {
        case .bytes(let more): bytes += more
        case .leftOut(let count): leftOut.append(count)
        case .end: return (String(decoding: bytes, as: UTF8.self), leftOut)
        }
      }
    }

    @Test("standard output and error are one log, in the order they were written")
    func order() throws {
      let order = workshop.order("echo a; echo b >&2; echo c")
      let outcome = try workshop.run(order, on: workshop.supervisor())
      #expect(workshop.log(of: order) == "a\nb\nc\n")
      #expect(outcome.logBytes == 6 && outcome.logPlace == .inPlace)
    }

    @Test("an attempt that writes nothing leaves no file")
    func empty() throws {
      let order = workshop.order("exit 0")
      let outcome = try workshop.run(order, on: workshop.supervisor())
      #expect(workshop.log(of: order) == nil && outcome.logPlace == .none)
      #expect(outcome.logBytes == 0)
    }

    @Test(
      "past the cap the middle goes; head and tail stay to the byte, and a line says how much is gone",
      arguments: [
        (Int64(10_000), 200_000), (9_999, 10_000), (10_000, 10_000), (1, 3), (65_536, 5_000_000),
      ])
    func cap(cap: Int64, bytes: Int) throws {
      let order = workshop.order("head -c \(bytes) ROOT/wanted") { $0.logCap = cap }
      var wanted: [UInt8] = []
      while wanted.count < bytes { wanted += Array("line \(wanted.count)\n".utf8) }
      wanted.removeLast(wanted.count - bytes)
      try workshop.write("wanted", String(decoding: wanted, as: UTF8.self))
      let outcome = try workshop.run(order, on: workshop.supervisor())
      let gone = max(0, Int64(bytes) - cap)
      #expect(outcome.logBytes == bytes && outcome.logLeftOutBytes == gone)
      var expected = wanted
      if gone > 0 {
        expected = Array(wanted.prefix(Int(cap / 2)))
        if let last = expected.last, last != UInt8(ascii: "\n") {
          expected.append(UInt8(ascii: "\n"))
        }
        expected += Array("[\(gone) bytes left out]\n".utf8) + wanted.suffix(Int(cap - cap / 2))
      }
      #expect(workshop.log(of: order) == String(decoding: expected, as: UTF8.self))
    }

    @Test("a handler that opens its output anew, truncating it, loses nothing")
    func reopened() throws {
      let order = workshop.order(
        "echo a; echo b >/dev/stderr; echo c >&2; echo d | tee /dev/stderr; echo e >/dev/stdout; echo f"
      )
      _ = try workshop.run(order, on: workshop.supervisor())
      #expect(workshop.log(of: order) == "a\nb\nc\nd\nd\ne\nf\n")
    }

    @Test("what a handler wrote last is there, however much it was, whoever else holds its output")
    func drained() throws {
      let order = workshop.order(
        "setsid sleep 600 & head -c 300000 /dev/zero | tr '\\0' x; echo end"
      ) {
        $0.stopSequence = [
          StopSequence.Step(signal: Signal(number: SIGKILL), wait: Span(milliseconds: 0))
        ]
      }
      let outcome = try workshop.run(order, on: workshop.supervisor())
      #expect(outcome.logBytes == 300_004)
      #expect(workshop.log(of: order)?.hasSuffix("xend\n") == true)
    }

    @Test("a handler that closes its output does not keep its supervisor awake")
    func closed() throws {
      let link = try workshop.supervisor()
      let order = workshop.order("exec 9>ROOT/life >&- 2>&-; echo up >&9; exec sleep 600")
      try link.start(order)
      #expect(try lifeline.line() == "up")
      let pid = try #require(try workshop.slot(link)?.supervisor.pid)
      let before = try #require(workshop.processTicks(pid))
      usleep(300_000)
      #expect(try #require(workshop.processTicks(pid)) - before < 10)
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "test")
      _ = try link.ended()
    }

    @Test("of each part of a log is known when it was written, also behind a cut")
    func times() throws {
      let order = workshop.order(
        "echo one; sleep 0.05; echo two; head -c 100000 /dev/zero; sleep 0.05; echo three"
      ) { $0.logCap = 4096 }
      let before = WallClock.now()
      _ = try workshop.run(order, on: workshop.supervisor())
      let after = WallClock.now()
      let reader = try #require(try LogReader.open(path: "\(workshop.store)/\(order.logPath)"))
      let log = try readAll(reader).text
      let times = try [0, 4, Int64(log.utf8.count) - 6].map { try #require(reader.writtenAtMs($0)) }
      #expect(times[0] >= before && times[2] <= after)
      #expect(times[1] - times[0] >= 50 && times[2] - times[1] >= 50)
    }

    @Test("a log that was written at one moment has no file of times, and has the time of its file")
    func oneTime() throws {
      let order = workshop.order("echo one")
      let before = WallClock.now()
      _ = try workshop.run(order, on: workshop.supervisor())
      let path = "\(workshop.store)/\(order.logPath)"
      #expect(access(path.replacing(".log", with: ".times"), F_OK) != 0)
      let reader = try #require(try LogReader.open(path: path))
      let time = try #require(reader.writtenAtMs(0))
      // The file's clock is that of the last tick.
      #expect(time >= before - 20 && time <= WallClock.now())
    }

    @Test("a handler whose children are kept writes into the file itself, and they go on doing so")
    func direct() throws {
      let link = try workshop.supervisor()
      let order = workshop.order(
        "(until [ -e ROOT/go ]; do sleep 0.01; done; echo later; echo up >ROOT/life) & echo now"
      ) { $0.keepChildren = true }
      _ = try workshop.run(order, on: link)
      #expect(workshop.log(of: order) == "now\n")
      try workshop.write("go", "")
      #expect(try lifeline.line() == "up")
      #expect(workshop.log(of: order) == "now\nlater\n")
    }

    @Test("the cap holds while the handler runs")
    func capWhileRunning() throws {
      let link = try workshop.supervisor()
      let order = workshop.order(
        "exec 9>ROOT/life; head -c 1000000 /dev/zero | tr '\\\\0' x; echo up >&9; exec sleep 600"
      ) { $0.logCap = 65536 }
      try link.start(order)
      #expect(try lifeline.line() == "up")
      let path = "\(workshop.store)/slots/\(link.slotName).log"
      try eventually("a hole in the log") {
        var status = stat()
        return stat(path, &status) == 0 && status.st_size >= 1_000_000
          && status.st_blocks * 512 < 200_000
      }
      try link.stop(job: order.job, fence: order.fence, reason: .cancel, who: "test")
      #expect(try link.ended().logBytes == 1_000_000)
    }

    @Test("a reader follows a log that is moved to its place while it is read")
    func moved() throws {
      let link = try workshop.supervisor()
      let order = workshop.order(
        "exec 9>ROOT/life; echo one; echo up >&9; until [ -e ROOT/go ]; do sleep 0.01; done; echo two"
      )
      try link.start(order)
      #expect(try lifeline.line() == "up")
      let origin = LogReader.Origin(
        storeFolder: workshop.store, slot: link.slotName, job: order.job, fence: order.fence)
      let reader = try #require(try LogReader.open(origin, finalPath: order.logPath))
      // The supervisor takes it out of a pipe.
      var first = ""
      try eventually("the first line is in the log") {
        first += try readAll(reader).text
        return first == "one\n"
      }
      try workshop.write("go", "")
      _ = try link.ended()
      try link.recorded(job: order.job, fence: order.fence)
      #expect(try workshop.run(workshop.order("echo other"), on: link).end == .exited(0))
      #expect(try readAll(reader).text == "two\n")
      let later = try #require(try LogReader.open(origin, finalPath: order.logPath, offset: 4))
      #expect(try readAll(later).text == "two\n")
    }

    @Test("a reader of an attempt that wrote nothing is not shown the next attempt's words")
    func nextAttempt() throws {
      let link = try workshop.supervisor()
      let silent = workshop.order(
        "exec 9>ROOT/life; echo up >&9; until [ -e ROOT/go ]; do sleep 0.01; done")
      try link.start(silent)
      #expect(try lifeline.line() == "up")
      let reader = try #require(
        try LogReader.open(
          LogReader.Origin(
            storeFolder: workshop.store, slot: link.slotName, job: silent.job, fence: silent.fence),
          finalPath: silent.logPath))
      try workshop.write("go", "")
      _ = try link.ended()
      let loud = workshop.order("echo secret; exec 9>ROOT/life; echo up >&9; exec sleep 600")
      try link.start(loud)
      #expect(try lifeline.line() == "up")
      #expect(try reader.read() == .end)
      try link.stop(job: loud.job, fence: loud.fence, reason: .cancel, who: "test")
      _ = try link.ended()
    }

    @Test("a log that cannot be moved stays in its slot and is kept later")
    func cannotMove() throws {
      let link = try workshop.supervisor()
      // A file is in the way of the folder.
      try workshop.write("STORE.d/logs/blocked", "")
      let order = workshop.order("echo words") { $0.logPath = "logs/blocked/x.log" }
      try link.start(order)
      let outcome = try link.ended()
      #expect(outcome.logPlace == .inSlot && outcome.supervisorRetires)
      let bytes = try Slot.keepLog(
        storeFolder: workshop.store, slot: link.slotName, at: "logs/free/x.log", shared: false)
      #expect(bytes == 6)
      #expect(workshop.text("STORE.d/logs/free/x.log") == "words\n")
    }

    private var dots: String { String(repeating: ".", count: 78) }
  }
}

import Glibc
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

    @Test("past the cap the middle goes; head and tail stay, and the reader says how much is gone")
    func cap() throws {
      let order = workshop.order(
        "echo first; i=0; while [ $i -lt 4000 ]; do echo 'a line of 100 bytes \(dots)'; i=$((i+1)); done; echo last"
      ) { $0.logCap = 65536 }
      let outcome = try workshop.run(order, on: workshop.supervisor())
      let reader = try #require(
        try LogReader.open(path: "\(workshop.store)/\(order.logPath)"))
      let (text, leftOut) = try readAll(reader)
      #expect(text.hasPrefix("first\n") && text.hasSuffix("\nlast\n"))
      #expect(leftOut == [outcome.logLeftOutBytes])
      #expect(Int64(text.utf8.count) + outcome.logLeftOutBytes == outcome.logBytes)
      #expect((60_000...75_000).contains(text.utf8.count))
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
      #expect(try readAll(reader).text == "one\n")
      try workshop.write("go", "")
      _ = try link.ended()
      try link.recorded(job: order.job, fence: order.fence)
      #expect(try workshop.run(workshop.order("echo other"), on: link).end == .exited(status: 0))
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

import CSupervisor
import Glibc
public import HotglueCore

/// A connection to one supervisor.
///
/// The one that `ForkServer.makeSupervisor` gives is the owner's: only over it attempts are started.
/// Closing it (also by dying) lets an idle supervisor end, and a busy one go on alone. A connection
/// made with `connect` becomes the owner's by `adopt`.
public final class SupervisorLink {
  /// For a poll loop: readable when `receive` has something to say.
  public let fileDescriptor: Int32
  public private(set) var slotName: String
  public let storeFolder: String
  private var input: [UInt8] = []
  private var hasEnded = false
  /// Replies that came while the answer to a request was waited for.
  private var waiting: [SupervisorReply] = []

  init(fileDescriptor: Int32, slotName: String, storeFolder: String) {
    self.fileDescriptor = fileDescriptor
    self.slotName = slotName
    self.storeFolder = storeFolder
  }

  deinit { Glibc.close(fileDescriptor) }

  /// Reaches a supervisor by its slot's name; nil when it is gone or does not answer the call in
  /// time (its lock tells which).
  public static func connect(
    storeFolder: String, slot: String, timeoutMs: Int64
  ) throws(ProcessError) -> SupervisorLink? {
    let deadline = BootClock.now() + timeoutMs
    try Slot.requireThisVersion(storeFolder: storeFolder, slot: slot)
    while true {
      var descriptor: Int32 = -1
      let error = hg_connect(storeFolder, slot, &descriptor)
      switch error {
      case 0:
        return SupervisorLink(
          fileDescriptor: descriptor, slotName: slot, storeFolder: storeFolder)
      case ENOENT, ECONNREFUSED:
        return nil
      case EAGAIN, EINTR:
        // Its queue is full: it may be frozen.
        if BootClock.now() >= deadline { return nil }
        usleep(2000)
      default:
        throw .system(call: "connect", path: slot, errno: error)
      }
    }
  }

  /// Where the pinned context file of an attempt is while the attempt lives: what the handler gets
  /// as `HOTGLUE_CONTEXT`.
  public func contextPath(job: Int64, fence: Int64) -> String {
    "\(storeFolder)/slots/\(slotName).\(job)-\(fence).json"
  }

  // MARK: orders

  /// Orders an attempt. The answer is `started` and later `ended`, or straight `ended`, or
  /// `refused`. Says at the same time that the attempt before it is recorded.
  ///
  /// Should the worker die after this, the attempt may have been started; its slot knows.
  public func start(_ order: AttemptOrder) throws(ProcessError) {
    let body = order.encoded(mark: slotName)
    guard body.count <= Int(HG_FRAME_MAX) else { throw .orderTooLarge(bytes: body.count) }
    try send(type: HG_START, body: body)
  }

  /// The outcome is in the store: the supervisor forgets it.
  public func recorded(job: Int64, fence: Int64) throws(ProcessError) {
    try send(type: HG_RECORDED, body: request(job: job, fence: fence))
  }

  /// The owner leaves in order and owes no order: once idle, the supervisor ends and leaves nothing
  /// behind. Without this an idle supervisor leaves its slot, for its owner may have died between
  /// a claim and the order.
  public func goodbye() throws(ProcessError) {
    try send(type: HG_GOODBYE, body: request(job: 0, fence: 0))
  }

  /// Asks how the attempt is; a `status` follows.
  public func ask(job: Int64, fence: Int64) throws(ProcessError) {
    try send(type: HG_ASK, body: request(job: job, fence: fence))
  }

  /// Takes the attempt over: with a higher watch than the highest seen this connection becomes
  /// the owner's. A `status` follows, or `refused`. `other` says that the attempt is not there and
  /// will be refused under this and lower watches.
  public func adopt(job: Int64, fence: Int64, watch: Int64) throws(ProcessError) {
    try send(type: HG_ADOPT, body: request(job: job, fence: fence, watch: watch))
  }

  /// Has the handler stopped by the order's stop sequence; a `status` follows at once. The first reason
  /// stays. Without a watch it is a person's order, which needs the current fence alone.
  public func stop(
    job: Int64, fence: Int64, watch: Int64? = nil, reason: AttemptEnd.StopReason, who: String
  ) throws(ProcessError) {
    try send(
      type: HG_STOP,
      body: request(job: job, fence: fence, watch: watch ?? 0, reason: reason, who: who))
  }

  /// Says a line for the attempt, as its handler could have written it to descriptor 3; a `status`
  /// follows when it counts, else `refused`. What was written to the descriptor before is heard
  /// before. Saying the same result again is no error.
  public func report(job: Int64, fence: Int64, line: [UInt8]) throws(ProcessError) {
    try send(type: HG_REPORT, body: request(job: job, fence: fence) + line)
  }

  // MARK: replies

  /// Takes what is there, without waiting. `endOfFile` is the last reply ever.
  public func receive() throws(ProcessError) -> [SupervisorReply] {
    try fill()
    let replies = waiting
    waiting = []
    return replies
  }

  /// A question and its answer; nil when none came in time. Other replies that come meanwhile are
  /// kept for `receive`, which a poll loop therefore calls after this.
  public func request(
    _ question: Question, timeoutMs: Int64
  ) throws(ProcessError) -> Answer? {
    let deadline = BootClock.now() + timeoutMs
    switch question {
    case .ask(let job, let fence): try ask(job: job, fence: fence)
    case .adopt(let job, let fence, let watch): try adopt(job: job, fence: fence, watch: watch)
    case .stop(let job, let fence, let watch, let reason, let who):
      try stop(job: job, fence: fence, watch: watch, reason: reason, who: who)
    case .report(let job, let fence, let line):
      try report(job: job, fence: fence, line: line)
    }
    while true {
      try fill()
      for (index, reply) in waiting.enumerated() {
        switch reply {
        case .status(let status):
          waiting.remove(at: index)
          return .status(status)
        case .refused(_, _, let refusal):
          waiting.remove(at: index)
          return .refused(refusal)
        case .endOfFile:
          throw .supervisorGone
        default: continue
        }
      }
      if try !waitFor(Int16(POLLIN), until: deadline) { return nil }
    }
  }

  public enum Question: Sendable {
    case ask(job: Int64, fence: Int64)
    case adopt(job: Int64, fence: Int64, watch: Int64)
    case stop(job: Int64, fence: Int64, watch: Int64?, reason: AttemptEnd.StopReason, who: String)
    case report(job: Int64, fence: Int64, line: [UInt8])
  }

  public enum Answer: Equatable, Sendable {
    case status(AttemptStatus)
    case refused(Refusal)
  }

  /// Waits for the greeting of a new supervisor, which names its slot; false when it has not come
  /// by then (boot-clock milliseconds).
  func isGreeted(until deadline: Int64) throws(ProcessError) -> Bool {
    while true {
      let isOpen = try read()
      if let frame = try nextFrame() {
        guard Int(frame.type) == Int(HG_HELLO) else {
          throw .notUnderstood("a greeting of type \(frame.type)")
        }
        let hello = record(frame.body, as: hg_hello())
        try ProcessError.check(hello.error, "make a supervisor", storeFolder)
        slotName = text(of: hello.name)
        return true
      }
      if !isOpen { throw .supervisorGone }
      if try !waitFor(Int16(POLLIN), until: deadline) { return false }
    }
  }

  // MARK: frames

  private func request(
    job: Int64, fence: Int64, watch: Int64 = 0, reason: AttemptEnd.StopReason? = nil,
    who: String = ""
  ) -> [UInt8] {
    var body = hg_request()
    body.job = job
    body.fence = fence
    body.watch = watch
    body.reason = reason?.number ?? 0
    write(who, into: &body.who)
    return bytes(of: body)
  }

  /// How long a supervisor may leave an order unread. It reads at once, unless it is frozen.
  private static let sendTimeoutMs: Int64 = 5000

  func send(type: Int, body: [UInt8]) throws(ProcessError) {
    let head = hg_frame(
      length: UInt32(body.count), version: UInt16(HG_VERSION), type: UInt16(type))
    let frame = bytes(of: head) + body
    let deadline = BootClock.now() + Self.sendTimeoutMs
    var sent = 0
    while sent < frame.count {
      let count = frame.withUnsafeBytes { bytes in
        Glibc.send(
          fileDescriptor, bytes.baseAddress?.advanced(by: sent), frame.count - sent,
          Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno == EAGAIN {
        if try !waitFor(Int16(POLLOUT), until: deadline) { throw .noAnswer }
      } else if errno == EPIPE || errno == ECONNRESET {
        throw .supervisorGone
      } else if errno != EINTR {
        throw .system(call: "send", path: slotName, errno: errno)
      }
    }
  }

  private func fill() throws(ProcessError) {
    if hasEnded { return }
    let isOpen = try read()
    while let frame = try nextFrame() {
      waiting.append(
        try SupervisorReply(
          type: frame.type, body: frame.body,
          from: SlotPlace(storeFolder: storeFolder, slot: slotName)))
    }
    if !isOpen {
      hasEnded = true
      waiting.append(.endOfFile)
    }
  }

  /// Reads what is there; false at the end of the file.
  private func read() throws(ProcessError) -> Bool {
    while true {
      var block = [UInt8](repeating: 0, count: 4096)
      let count = recv(fileDescriptor, &block, block.count, Int32(MSG_DONTWAIT))
      if count > 0 {
        input.append(contentsOf: block.prefix(count))
        if count < block.count { return true }
      } else if count == 0 || errno == ECONNRESET {
        return false
      } else if errno == EAGAIN {
        return true
      } else if errno != EINTR {
        throw .system(call: "recv", path: slotName, errno: errno)
      }
    }
  }

  private func nextFrame() throws(ProcessError) -> (type: UInt16, body: ArraySlice<UInt8>)? {
    let headBytes = MemoryLayout<hg_frame>.size
    guard input.count >= headBytes else { return nil }
    let head = record(input[...], as: hg_frame())
    guard head.version == HG_VERSION else {
      throw .otherVersion(slot: slotName, version: UInt32(head.version))
    }
    let end = headBytes + Int(head.length)
    guard input.count >= end else { return nil }
    let body = input[headBytes..<end]
    input.removeFirst(end)
    return (head.type, body)
  }

  private func waitFor(_ events: Int16, until deadline: Int64) throws(ProcessError) -> Bool {
    while true {
      let rest = deadline - BootClock.now()
      if rest <= 0 { return false }
      var entry = pollfd(fd: fileDescriptor, events: events, revents: 0)
      let ready = poll(&entry, 1, Int32(min(rest, 60_000)))
      if ready > 0 { return true }
      if ready < 0 && errno != EINTR {
        throw .system(call: "poll", path: slotName, errno: errno)
      }
    }
  }
}

import CSupervisor
public import HotglueCore

/// What a supervisor needs to start the handler of a stream: a command that is fed many jobs.
public struct StreamOrder: Sendable {
  public var arguments: [String]
  /// All of the handler's environment, as `KEY=VALUE`; `HOTGLUE_MARK` is added.
  public var environment: [String]
  public var directory: String
  public var umask = FileMask.standard
  /// Stops a handler that does not end when it is told to.
  public var stopSequence: [StopSequence.Step]
  public var keepChildren: Bool
  /// Content of its context file, which names no job and lives at `SupervisorLink.streamContextPath`
  /// until the handler and all that it left have ended; nil: none.
  public var contextFile: [UInt8]?

  public init(
    arguments: [String], environment: [String], directory: String,
    umask: FileMask = .standard, stopSequence: [StopSequence.Step] = [], keepChildren: Bool = false,
    contextFile: [UInt8]? = nil
  ) {
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.umask = umask
    self.stopSequence = stopSequence
    self.keepChildren = keepChildren
    self.contextFile = contextFile
  }

  func encoded(mark: String) -> [UInt8] {
    AttemptOrder(
      job: 0, fence: 0, watch: 0, attempt: 0, arguments: arguments, environment: environment,
      directory: directory, umask: umask, stopSequence: stopSequence, logPath: "",
      keepChildren: keepChildren,
      contextFile: contextFile
    ).encoded(mark: mark)
  }
}

/// One job for a stream's handler.
public struct StreamJob: Sendable {
  public var job: Int64
  public var fence: Int64
  public var watch: Int64
  public var attempt: Int64
  /// What the handler reads, without a newline in it or after it.
  public var line: [UInt8]
  public var stopSequence: [StopSequence.Step]
  /// From when the handler is given the job; 0: none.
  public var timeoutMs: Int64
  /// Bytes; 0: none.
  public var logCap: Int64
  /// Where what is written while it has the job goes, relative to the store's folder.
  public var logPath: String

  public init(
    job: Int64, fence: Int64, watch: Int64, attempt: Int64, line: [UInt8],
    stopSequence: [StopSequence.Step] = [], timeoutMs: Int64 = 0, logCap: Int64 = 0, logPath: String
  ) {
    self.job = job
    self.fence = fence
    self.watch = watch
    self.attempt = attempt
    self.line = line
    self.stopSequence = stopSequence
    self.timeoutMs = timeoutMs
    self.logCap = logCap
    self.logPath = logPath
  }

  /// The job with its log path and line, as a part of a frame.
  func append(to body: inout [UInt8]) {
    let path = Array(logPath.utf8.prefix(Int(HG_PATH_BYTES) - 1))
    var head = hg_job()
    head.job = job
    head.fence = fence
    head.watch = watch
    head.attempt = attempt
    head.timeout_ms = timeoutMs
    head.log_cap = logCap
    head.line_bytes = UInt32(line.count + 1)
    head.log_path_bytes = UInt32(path.count)
    head.stop_sequence_count = UInt32(stopSequence.count)
    withUnsafeMutableBytes(of: &head.stop_sequence) { room in
      let room = room.bindMemory(to: hg_step.self)
      for (index, step) in stopSequence.prefix(Int(HG_STOP_SEQUENCE_MAX)).enumerated() {
        room[index] = hg_step(step)
      }
    }
    withUnsafeBytes(of: head) { body.append(contentsOf: $0) }
    body += path
    body += line
    body.append(UInt8(ascii: "\n"))
  }

  /// How many jobs a supervisor holds at the most.
  public static let most = Int(HG_QUEUE_MAX)
}

extension SupervisorLink {
  /// Where the context file of a stream's handler is while the stream is open. It names no job; what
  /// `contextPath(job:fence:)` names for a job that it is fed is no file, and means that job while it
  /// is in hand: see `Slot.holds`.
  public var streamContextPath: String { "\(storeFolder)/slots/\(slotName).stream.json" }

  /// Opens a stream: its handler is started with the first job that is fed. Says at the same time
  /// that the attempt before it is recorded. The end of the stream is told by `closed`.
  public func open(_ order: StreamOrder) throws(ProcessError) {
    let body = order.encoded(mark: slotName)
    guard body.count <= Int(HG_FRAME_MAX) else { throw .orderTooLarge(bytes: body.count) }
    try send(type: HG_OPEN, body: body)
  }

  /// Feeds the open stream. Each of the jobs ends as one answer, also one that is never given to the
  /// handler, or is `refused`.
  ///
  /// Should the worker die after this, the slot and its answers know what became of each.
  public func feed(_ jobs: [StreamJob]) throws(ProcessError) {
    var rest = jobs[...]
    while !rest.isEmpty {
      var body: [UInt8] = []
      var head = hg_feed()
      withUnsafeBytes(of: head) { body.append(contentsOf: $0) }
      while let job = rest.first, head.count == 0 || body.count < Int(HG_FRAME_MAX) / 4 {
        job.append(to: &body)
        rest.removeFirst()
        head.count += 1
      }
      withUnsafeBytes(of: head) { body.replaceSubrange(0..<$0.count, with: $0) }
      guard body.count <= Int(HG_FRAME_MAX) else { throw .orderTooLarge(bytes: body.count) }
      try send(type: HG_FEED, body: body)
    }
  }

  /// Nothing more is fed: what waits is given back, and the handler gets the end of its input when it
  /// has answered. `closed` follows.
  public func close() throws(ProcessError) {
    try send(type: HG_CLOSE, body: bytes(of: hg_request()))
  }

  /// These answers are recorded; `seen` is the position behind the last one that was read. Answers
  /// that came since are told again.
  public func settled(_ positions: [UInt64], seen: UInt64) throws(ProcessError) {
    var head = hg_settled()
    head.seen = seen
    head.count = UInt32(positions.count)
    var body = bytes(of: head)
    for position in positions { withUnsafeBytes(of: position) { body.append(contentsOf: $0) } }
    try send(type: HG_SETTLED, body: body)
  }
}

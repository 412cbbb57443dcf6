import CSupervisor
public import HotglueCore

/// What a supervisor needs to run one attempt.
public struct AttemptOrder: Sendable {
  public var job: Int64
  public var fence: Int64
  public var watch: Int64
  public var attempt: Int64
  public var arguments: [String]
  /// All of the handler's environment, as `KEY=VALUE`; `HOTGLUE_MARK` is added.
  public var environment: [String]
  public var directory: String
  public var umask = FileMask.standard
  /// Standard input; nil is `/dev/null`.
  public var payload: [UInt8]?
  /// At most `HG_STOP_SEQUENCE_MAX` steps, the KILL at the end included: the supervisor refuses more.
  public var stopSequence: [StopSequence.Step]
  /// 0: none.
  public var timeoutMs: Int64
  /// Bytes; 0: none.
  public var logCap: Int64
  /// Where the log goes at the end if anything was written, relative to the store's folder; its
  /// folders are made.
  public var logPath: String
  public var keepChildren: Bool
  /// Content of the pinned context file, which lives at `SupervisorLink.contextPath` until the
  /// attempt ends; nil: none.
  public var contextFile: [UInt8]?

  public init(
    job: Int64, fence: Int64, watch: Int64, attempt: Int64, arguments: [String],
    environment: [String], directory: String, umask: FileMask = .standard,
    payload: [UInt8]? = nil,
    stopSequence: [StopSequence.Step] = [], timeoutMs: Int64 = 0, logCap: Int64 = 0,
    logPath: String,
    keepChildren: Bool = false, contextFile: [UInt8]? = nil
  ) {
    self.job = job
    self.fence = fence
    self.watch = watch
    self.attempt = attempt
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.umask = umask
    self.payload = payload
    self.stopSequence = stopSequence
    self.timeoutMs = timeoutMs
    self.logCap = logCap
    self.logPath = logPath
    self.keepChildren = keepChildren
    self.contextFile = contextFile
  }
}

extension AttemptOrder {
  /// The order's frame body. The mark is the slot's name, which the attempt's row holds.
  func encoded(mark: String) -> [UInt8] {
    let environment =
      environment.filter { !$0.hasPrefix("HOTGLUE_MARK=") } + ["HOTGLUE_MARK=\(mark)"]
    var strings: [UInt8] = []
    for string in [directory, logPath] + arguments + environment {
      // A NUL cannot be in an argument; what follows one is cut, as everywhere in the system.
      strings.append(contentsOf: string.utf8.prefix { $0 != 0 })
      strings.append(0)
    }
    let others = InheritedBytes.besides(environment)
    for entry in others { strings += entry.map { UInt8(bitPattern: $0) } }
    var head = hg_start()
    head.job = job
    head.fence = fence
    head.watch = watch
    head.attempt = attempt
    head.timeout_ms = timeoutMs
    head.log_cap = logCap
    head.umask = UInt32(umask.bits)
    head.keep_children = keepChildren ? 1 : 0
    head.argc = UInt32(arguments.count)
    head.envc = UInt32(environment.count + others.count)
    head.stop_sequence_count = UInt32(stopSequence.count)
    withUnsafeMutableBytes(of: &head.stop_sequence) { room in
      let room = room.bindMemory(to: hg_step.self)
      for (index, step) in stopSequence.prefix(Int(HG_STOP_SEQUENCE_MAX)).enumerated() {
        room[index] = hg_step(step)
      }
    }
    write(mark, into: &head.mark)
    head.strings_bytes = UInt64(strings.count)
    head.payload_bytes = payload.map { Int64($0.count) } ?? -1
    head.context_bytes = contextFile.map { Int64($0.count) } ?? -1
    return bytes(of: head) + strings + (payload ?? []) + (contextFile ?? [])
  }
}

extension hg_step {
  /// A step as it stands in orders.
  init(_ step: StopSequence.Step) {
    self.init(signal: step.signal.number, reserved: 0, wait_ms: step.wait.milliseconds)
  }
}

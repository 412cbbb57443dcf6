/// How a handler is stopped: signals with waits between them, always ending in KILL.
///
/// Written as `TERM,10s,KILL`.
public struct StopSequence: Hashable, Sendable {
  public struct Step: Hashable, Sendable {
    public let signal: Signal
    /// How long to wait for the end before the next step; of no meaning for the last.
    public let wait: Span
    public init(signal: Signal, wait: Span) {
      self.signal = signal
      self.wait = wait
    }
  }

  public let steps: [Step]
  /// Steps at most, the last KILL among them: what an order to a supervisor has room for.
  public static let mostSteps = 16
  public static let standard = StopSequence(steps: [
    Step(signal: .term, wait: .seconds(10)), Step(signal: .kill, wait: .zero),
  ])

  private init(steps: [Step]) { self.steps = steps }

  /// Reads a stop sequence. A last KILL is added when it is missing, after ten seconds if no wait
  /// precedes it. A KILL anywhere but at the end, two waits in a row, or a bare number where a wait
  /// may have been meant, is refused; so are more than `mostSteps`.
  public init?(_ text: String) {
    var steps: [Step] = []
    var signal: Signal?
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if let wait = Span(String(part)) {
        guard let waiting = signal, waiting != .kill else { return nil }
        steps.append(Step(signal: waiting, wait: wait))
        signal = nil
      } else {
        guard let next = Signal(name: String(part)) else { return nil }
        // 'TERM,5,KILL' means five seconds, and would send signal 5.
        if signal != nil, Int32(part) != nil { return nil }
        if let earlier = signal {
          guard earlier != .kill else { return nil }
          steps.append(Step(signal: earlier, wait: .zero))
        }
        signal = next
      }
    }
    if let last = signal, last != .kill {
      steps.append(Step(signal: last, wait: .seconds(10)))
    }
    guard !steps.isEmpty || signal == .kill else { return nil }
    guard steps.count < Self.mostSteps else { return nil }
    self.steps = steps + [Step(signal: .kill, wait: .zero)]
  }

  public var text: String {
    steps.map { step in
      step.wait == .zero ? step.signal.name : "\(step.signal.name),\(step.wait.text)"
    }.joined(separator: ",")
  }
}

/// A signal of Linux, by number and by name without `SIG`.
public struct Signal: Hashable, Sendable {
  public let number: Int32
  public init(number: Int32) { self.number = number }
  /// A number that was stored; what is no signal's shows as it is, as far as it fits.
  public init(stored number: Int) { self.number = Int32(clamping: number) }

  public static let kill = Signal(number: 9)
  public static let term = Signal(number: 15)

  private static let names: [(Int32, String)] = [
    (1, "HUP"), (2, "INT"), (3, "QUIT"), (4, "ILL"), (5, "TRAP"), (6, "ABRT"), (7, "BUS"),
    (8, "FPE"), (9, "KILL"), (10, "USR1"), (11, "SEGV"), (12, "USR2"), (13, "PIPE"), (14, "ALRM"),
    (15, "TERM"), (16, "STKFLT"), (17, "CHLD"), (18, "CONT"), (19, "STOP"), (20, "TSTP"),
    (21, "TTIN"), (22, "TTOU"), (23, "URG"), (24, "XCPU"), (25, "XFSZ"), (26, "VTALRM"),
    (27, "PROF"), (28, "WINCH"), (29, "IO"), (30, "PWR"), (31, "SYS"),
  ]

  /// Reads `TERM`, `SIGTERM` or `15`.
  public init?(name: String) {
    let bare = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
    if let known = Self.names.first(where: { $0.1 == bare }) {
      number = known.0
    } else if let value = Int32(name), (1...64).contains(value) {
      number = value
    } else {
      return nil
    }
  }

  public var name: String {
    Self.names.first { $0.0 == number }?.1 ?? String(number)
  }
}

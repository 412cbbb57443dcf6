import CSupervisor
import Glibc
public import HotglueCore

/// A tap, a target, and this process between them: what the tap writes is looked at before the target
/// gets it, and what the target says is heard as it comes.
///
/// What waits for the target is bounded: the tap is not read while the target has enough to do, so a
/// slow target slows the tap. Both die with this process.
public final class DeliveryPipe {
  public enum Part: Sendable { case tap, target }

  public enum Piece {
    /// Valid during the call.
    case output(Part, UnsafeBufferPointer<UInt8>)
    case errors(Part, UnsafeBufferPointer<UInt8>)
    /// The tap has ended, and all that it wrote was given; what is sent now is sent last.
    case endOfTap(ChildEnd)
    /// Nothing came for a tenth of a second.
    case pause
  }

  /// Why they were stopped from here, if they were.
  public enum Stop: Equatable, Sendable {
    /// The tap wrote nothing for the idle time-out, although it was listened to.
    case tapIdle
    /// The target neither read nor wrote anything for it, although it had work.
    case targetIdle
    case signal(Int32)
    /// Whoever looks at what they write wants no more.
    case refused
  }

  public struct Ends: Equatable, Sendable {
    public var tap: ChildEnd
    public var target: ChildEnd
    public var stop: Stop?
    /// The target ended, or read no more, before it was given everything.
    public var targetLeftEarly: Bool
  }

  private let tap: TapProcess
  private let target: TapProcess
  /// What the target has not been given yet, from `given` on.
  private var waiting: [UInt8] = []
  private var given = 0
  private var reader = PipeReader()
  /// Bytes that may wait for the target before the tap is not read any more.
  private static let most = 1 << 20

  public init(tap: TapProcess, target: TapProcess) {
    self.tap = tap
    self.target = target
  }

  /// Puts bytes behind what waits for the target.
  public func send(_ bytes: UnsafeBufferPointer<UInt8>) { waiting.append(contentsOf: bytes) }

  private var backlog: Int { waiting.count - given }

  /// Runs both to their ends. `grace`: how long after a signal or a refusal the target may take to
  /// finish what it was given. A stopped tap is stopped by `stopSequence`, and so is a target after its grace.
  public func run(
    idle: Span?, grace: Span, stopSequence: StopSequence, stoppingOn signals: LeavingSignals,
    take: (Piece) -> Bool
  ) throws(ProcessError) -> Ends {
    var state = State(stopSequence, now: BootClock.now())
    defer { if state.reader >= 0 { close(state.reader) } }
    while true {
      let now = BootClock.now()
      if state.stop != nil, state.tapSteps == nil { state.tapSteps = StopSteps(stopSequence, now) }
      if state.tapEnd == nil { state.tapSteps?.take(now) { kill(-tap.pid, $0) } }
      if state.targetSteps == nil, let until = state.graceUntil, now >= until {
        state.targetSteps = StopSteps(stopSequence, now)
      }
      if state.targetEnd == nil { state.targetSteps?.take(now) { kill(-target.pid, $0) } }

      var entries = self.entries(state, signals)
      let ready = poll(&entries, nfds_t(entries.count), Int32(TapProcess.pauseMs))
      if ready < 0, errno != EINTR { throw .system(call: "poll", path: nil, errno: errno) }
      if ready == 0, !take(.pause) { refuse(&state, grace) }
      if entries[7].revents != 0, let signal = signals.take().first {
        if state.stop == nil { state.stop = .signal(signal) }
        state.limit(grace)
      }
      judgeSilence(entries, &state, idle, now)
      try hearTarget(entries, &state, grace, take)
      try hearTap(entries, &state, grace, take)
      if target.input >= 0 { feed(entries[6].revents, &state, grace) }
      if let tapEnd = state.tapEnd, let targetEnd = state.targetEnd {
        return Ends(
          tap: tapEnd, target: targetEnd, stop: state.stop, targetLeftEarly: state.leftEarly)
      }
    }
  }

  // MARK: A turn

  private struct State {
    let stopSequence: StopSequence
    var stop: Stop?
    var tapEnd: ChildEnd?
    var targetEnd: ChildEnd?
    var tapSteps: StopSteps?
    var targetSteps: StopSteps?
    var graceUntil: Int64?
    var silenceOfTap = Silence()
    var silenceOfTarget = Silence()
    /// When they were looked at last.
    var looked: Int64
    var isOpen = (tapOutput: true, tapErrors: true, targetOutput: true, targetErrors: true)
    var leftEarly = false
    /// Tells what the target has not read once its input is closed.
    var reader: Int32 = -1

    init(_ stopSequence: StopSequence, now: Int64) {
      self.stopSequence = stopSequence
      looked = now
    }

    mutating func limit(_ grace: Span) {
      graceUntil = min(graceUntil ?? .max, BootClock.now() + grace.milliseconds)
    }
  }

  private func refuse(_ state: inout State, _ grace: Span) {
    if state.stop == nil { state.stop = .refused }
    state.limit(grace)
  }

  private func listensToTap(_ state: State) -> Bool {
    state.isOpen.tapOutput && (backlog < Self.most || state.targetEnd != nil)
  }

  /// `now`: when the look began that has made these entries.
  private func judgeSilence(
    _ entries: [pollfd], _ state: inout State, _ idle: Span?, _ now: Int64
  ) {
    let passed = now - state.looked
    state.looked = now
    func isQuiet(_ part: ClosedRange<Int>) -> Bool { entries[part].allSatisfy { $0.revents == 0 } }
    if isQuiet(0...2) { state.silenceOfTap.goOn(passed) }
    if isQuiet(3...6) { state.silenceOfTarget.goOn(passed) }
    // Whoever is not listened to, or has nothing to do, is not idle.
    if !listensToTap(state) { state.silenceOfTap.end() }
    if backlog == 0, target.input >= 0 { state.silenceOfTarget.end() }
    guard let idle, state.stop == nil else { return }
    if state.tapEnd == nil, state.silenceOfTap.isAtLeast(idle) {
      state.stop = .tapIdle
    } else if state.targetEnd == nil, state.silenceOfTarget.isAtLeast(idle) {
      state.stop = .targetIdle
      state.graceUntil = now
    }
  }

  private func entries(_ state: State, _ signals: LeavingSignals) -> [pollfd] {
    func entry(_ descriptor: Int32, _ isWanted: Bool, _ events: Int32 = POLLIN) -> pollfd {
      pollfd(fd: isWanted ? descriptor : -1, events: Int16(events), revents: 0)
    }
    return [
      entry(tap.pidDescriptor, state.tapEnd == nil), entry(tap.output, listensToTap(state)),
      entry(tap.errors, state.isOpen.tapErrors),
      entry(target.pidDescriptor, state.targetEnd == nil),
      entry(target.output, state.isOpen.targetOutput),
      entry(target.errors, state.isOpen.targetErrors),
      entry(target.input, target.input >= 0, backlog > 0 ? POLLOUT : 0),
      entry(signals.fileDescriptor, true),
    ]
  }

  private func hearTap(
    _ entries: [pollfd], _ state: inout State, _ grace: Span, _ take: (Piece) -> Bool
  ) throws(ProcessError) {
    let hasEnded = entries[0].revents != 0
    if entries[2].revents != 0 || (hasEnded && state.isOpen.tapErrors) {
      state.isOpen.tapErrors = try reader.read(tap.errors, takesAll: hasEnded) {
        state.silenceOfTap.end()
        _ = take(.errors(.tap, $0))
      }
    }
    if entries[1].revents != 0 || (hasEnded && state.isOpen.tapOutput) {
      var isRefused = false
      let isDeaf = state.stop == .refused || state.targetEnd != nil || target.input < 0
      state.isOpen.tapOutput = try reader.read(tap.output, takesAll: hasEnded) {
        state.silenceOfTap.end()
        if !isDeaf, !isRefused { isRefused = !take(.output(.tap, $0)) }
      }
      if isRefused { refuse(&state, grace) }
    }
    guard hasEnded else { return }
    let end = try tap.reap()
    state.tapEnd = end
    state.isOpen.tapOutput = false
    state.isOpen.tapErrors = false
    if state.targetEnd == nil, target.input >= 0, !take(.endOfTap(end)) { refuse(&state, grace) }
  }

  private func hearTarget(
    _ entries: [pollfd], _ state: inout State, _ grace: Span, _ take: (Piece) -> Bool
  ) throws(ProcessError) {
    let hasEnded = entries[3].revents != 0
    if entries[5].revents != 0 || (hasEnded && state.isOpen.targetErrors) {
      state.isOpen.targetErrors = try reader.read(target.errors, takesAll: hasEnded) {
        state.silenceOfTarget.end()
        _ = take(.errors(.target, $0))
      }
    }
    if entries[4].revents != 0 || (hasEnded && state.isOpen.targetOutput) {
      var isRefused = false
      state.isOpen.targetOutput = try reader.read(target.output, takesAll: hasEnded) {
        state.silenceOfTarget.end()
        if !isRefused { isRefused = !take(.output(.target, $0)) }
      }
      if isRefused { refuse(&state, grace) }
    }
    guard hasEnded else { return }
    state.targetEnd = try target.reap()
    state.isOpen.targetOutput = false
    state.isOpen.targetErrors = false
    if target.input >= 0 || (state.reader >= 0 && hg_pipe_unread(state.reader) > 0) {
      state.leftEarly = true
    }
    endInput(&state)
    // Nobody wants what the tap has still to say.
    if state.tapEnd == nil, state.tapSteps == nil {
      state.tapSteps = StopSteps(state.stopSequence, BootClock.now())
    }
  }

  /// Gives the target what it takes at the moment, and ends its input behind the last of it.
  private func feed(_ events: Int16, _ state: inout State, _ grace: Span) {
    if events & Int16(POLLERR) != 0 { return targetReadsNoMore(&state, grace) }
    while backlog > 0 {
      let count = waiting.withUnsafeBytes { bytes in
        write(target.input, bytes.baseAddress.map { $0 + given }, bytes.count - given)
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EAGAIN { break }
        return targetReadsNoMore(&state, grace)
      }
      given += count
      state.silenceOfTarget.end()
    }
    if given == waiting.count {
      waiting.removeAll(keepingCapacity: waiting.capacity <= 4 * Self.most)
      given = 0
    } else if given > Self.most {
      waiting.removeFirst(given)
      given = 0
    }
    if state.tapEnd != nil, backlog == 0 {
      state.reader = hg_pipe_reader(target.input)
      endInput(&state)
    }
  }

  private func endInput(_ state: inout State) {
    target.closeInput()
    waiting.removeAll()
    given = 0
    state.silenceOfTarget.end()
  }

  /// It may still finish what it has; the tap is not needed any more.
  private func targetReadsNoMore(_ state: inout State, _ grace: Span) {
    state.leftEarly = true
    endInput(&state)
    state.limit(grace)
    if state.tapEnd == nil, state.tapSteps == nil {
      state.tapSteps = StopSteps(state.stopSequence, BootClock.now())
    }
  }
}

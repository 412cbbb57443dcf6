import HotglueCore
import HotglueProcess
import HotglueStore

/// Speaks for the attempt whose handler runs the command, to the attempt's supervisor.
///
/// The supervisor and not the store is told: it alone knows whether the attempt still runs, keeps what
/// is said beside the outcome, and lives when no worker does. The pinned context file names it, and
/// lies in the store's own folder; the store is opened only for what comes too late.
struct HandlerVoice {
  private let environment: CommandEnvironment
  /// The store's folder.
  private let folder: String
  /// `nil`: the attempt is over.
  private let slot: String?
  private let pin: ContextFile.Pin

  /// A supervisor answers within a millisecond, unless it is frozen or the machine is overloaded.
  private static let patienceMs: Int64 = 10_000

  static func open(
    for command: CommandRecord, _ flags: QuickGlobals, in environment: CommandEnvironment
  ) throws -> HandlerVoice {
    let context: ResolvedContext
    do {
      context = try ContextLoader(environment).resolve(flags)
    } catch ContextError.attemptEnded(let path) {
      // Where the file was tells whose it was: enough to keep what is said.
      guard let place = AttemptPlace(contextPath: path) else {
        throw ContextError.attemptEnded(path: path)
      }
      try environment.requireSpeaker(of: place.pin)
      return HandlerVoice(
        environment: environment, folder: place.folder, slot: nil, pin: place.pin)
    }
    try context.requireJob(for: command, in: environment)
    guard let source = context.source, let pin = source.file.pinned,
      let workspace = source.file.workspace
    else {
      throw CommandError(
        "no_attempt", .badContext,
        "'\(command.name)' speaks for an attempt, and there is none here",
        hint: "it works inside a handler, which has HOTGLUE_CONTEXT from its worker")
    }
    try environment.requireSpeaker(of: pin)
    guard context.origins.store != .flag, context.workspace == workspace else {
      throw CommandError(
        "context_mismatch", .contextMismatch,
        "job \(pin.job) runs in workspace '\(workspace)', but the context is "
          + "'\(context.workspace?.text ?? "")' (\(context.workspaceProvenance))",
        hint: "leave out -w and --store: a handler speaks for its own job alone",
        facts: [
          JSON.Member("job", .integer(pin.job)),
          JSON.Member("workspace", .string(workspace.text)),
          JSON.Member("context_workspace", .text(context.workspace?.text)),
        ])
    }
    if let place = AttemptPlace(contextPath: source.realPath), place.pin == pin {
      return HandlerVoice(
        environment: environment, folder: place.folder, slot: place.slot, pin: pin)
    }
    // A copy of the file: the store knows where the attempt is.
    let store = try environment.stores.open(context.store, context.storeID)
    let running = try store.runningAttempt(of: pin.job, in: workspace)
    return HandlerVoice(
      environment: environment, folder: try store.info().folder,
      slot: running.flatMap { $0.reference.fence == pin.fence ? $0.slot : nil }, pin: pin)
  }

  /// Returns when the supervisor has it: it survives every worker.
  func say(_ line: HandlerLine) throws -> ExitStatus {
    let bytes = Array(line.json.text.utf8)
    let longest = EndedAttempt.Report.longestLine
    guard bytes.count <= longest else {
      throw CommandError.badInput(
        "this is \(bytes.count) bytes as a line, and \(longest) is the most",
        hint: "write it to a file, and report the file's name")
    }
    guard let slot else { return try keepLate(line) }
    switch try ask(bytes, at: slot) {
    case .heard: return .done
    case .late: return try keepLate(line)
    case .spoken:
      throw CommandError(
        "already_reported", .refused,
        "the attempt of job \(pin.job) has reported another result already",
        hint: "an attempt has one result; nothing was changed", facts: facts)
    case .silent:
      throw CommandError(
        "no_answer", .tryLater, "the supervisor of job \(pin.job) does not answer",
        hint: "try again", facts: facts)
    }
  }

  /// A result was declared with words that are refused: the attempt's end is no success then, unless
  /// it is said better. Whoever declared it is told of the refusal; an attempt that is over, or cannot
  /// be asked, has nothing to learn from it.
  static func tellRefusal(of command: CommandRecord, in environment: CommandEnvironment) {
    do {
      let voice = try open(for: command, QuickGlobals(), in: environment)
      guard let slot = voice.slot else { return }
      _ = try voice.ask(Array(HandlerLine.unclear.json.text.utf8), at: slot)
    } catch {
      return
    }
  }

  private enum Answer { case heard, late, spoken, silent }

  private func ask(_ line: [UInt8], at slot: String) throws -> Answer {
    do throws(ProcessError) {
      guard
        let link = try SupervisorLink.connect(
          storeFolder: folder, slot: slot, timeoutMs: Self.patienceMs)
      else { return SlotName(slot)?.supervisor == nil ? .late : .silent }
      switch try link.request(
        .report(job: pin.job, fence: pin.fence, line: line), timeoutMs: Self.patienceMs)
      {
      case .status?: return .heard
      case .refused(.spoken)?: return .spoken
      case .refused?: return .late
      case nil: return .silent
      }
    } catch .supervisorGone {
      return .late
    } catch .noAnswer {
      return .silent
    }
  }

  /// What comes too late changes nothing, and is kept for people.
  private func keepLate(_ line: HandlerLine) throws -> ExitStatus {
    let store = try environment.stores.open(String(folder.dropLast(2)), nil)
    let owner = try store.owner(ofJob: pin.job)
    var kept = false
    if let owner {
      kept = try store.keepLateReport(
        line.json, of: AttemptReference(workspace: owner, job: pin.job, fence: pin.fence),
        at: environment.now())
    }
    throw CommandError(
      "attempt_ended", .refused, "attempt \(pin.fence) of job \(pin.job) is over",
      hint: kept
        ? "what it said is kept as a late report: 'hotglue job show \(pin.job)'"
        : "nothing was changed",
      facts: facts + [JSON.Member("kept", .bool(kept))])
  }

  private var facts: [JSON.Member] {
    [JSON.Member("job", .integer(pin.job)), JSON.Member("fence", .integer(pin.fence))]
  }
}

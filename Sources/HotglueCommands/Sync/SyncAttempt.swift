import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// The handler of sync jobs: runs the source's tap and takes in what it sends.
///
/// It begins its run as the attempt that it is, so a late one can neither stage nor publish. Killed at
/// any point it leaves what was published last; the next attempt goes on from there. The tap dies
/// with it.
struct SyncAttempt: WorkspaceCommand {
  static let record = CommandRecord(
    "__sync", .changesWorkspace, requires: .role(.operator), loggedAs: SyncRunCommand.record.name,
    answersWithChange: false)
  static let configuration = CommandConfiguration(
    commandName: "__sync",
    abstract: "the handler of sync jobs; 'hotglue sync run' is for people", shouldDisplay: false)

  @OptionGroup var global: GlobalOptions
  /// For people who look at the job; what counts is the payload.
  @Argument var name: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard let attempt = session.pinnedAttempt else {
      throw CommandError.usage(
        "'hotglue __sync' is the handler of sync jobs, and runs inside one only",
        hint: "to sync a source: 'hotglue sync run \(Shell.quoted(name))'")
    }
    let voice = AttemptVoice()
    // From here on a signal waits until what came before it is in the store.
    let signals = try LeavingSignals()
    let order = try readOrder(session)
    guard let owner = try session.store.owner(ofSource: order.source),
      owner.workspace == session.workspace
    else {
      return declare(
        voice, .failed, "unknown_source", "source '\(name)' was removed", status: .notFound)
    }
    let source = try session.store.source(owner.name, in: session.workspace)
    do {
      if let retry = order.retry {
        let work = RetryWork(
          session: session, source: source, order: retry, attempt: attempt, voice: voice,
          signals: signals)
        return try tell(voice, work.run(), session)
      }
      if let target = order.target {
        let work = DeliveryWork(
          session: session, source: source, order: order, target: target, attempt: attempt,
          voice: voice, signals: signals)
        return try tell(voice, work.run(), session)
      }
      let work = SyncWork(
        session: session, source: source, order: order, attempt: attempt, voice: voice,
        signals: signals)
      return try tell(voice, work.run(), session)
    } catch SyncError.store(let error) {
      return tell(voice, error, session)
    } catch let error as StoreError {
      return tell(voice, error, session)
    }
  }

  private func readOrder(_ session: WorkspaceSession) throws -> SyncOrder {
    var bytes: [UInt8] = []
    while true {
      let more = try session.environment.readInput(1 << 16)
      if more.isEmpty { break }
      bytes += more
    }
    guard let order = SyncOrder(try JSON.parse(bytes)) else {
      throw CommandError.badInput("the payload is not that of a sync job")
    }
    return order
  }

  private func tell(
    _ voice: AttemptVoice, _ result: SyncWork.Result, _ session: WorkspaceSession
  ) throws -> ExitStatus {
    switch result {
    case .done(let run):
      voice.say(
        .result(
          HandlerResult(outcome: .succeeded, value: SyncTold(runs: [run]).value), problems: []))
      return .done
    case .failed(let failure, let status):
      session.output.note("hotglue: \(failure.message)")
      let outcome = AttemptOutcome(rawValue: failure.kind) ?? .retry
      voice.say(
        .result(
          HandlerResult(
            outcome: outcome, errorCode: failure.code, errorMessage: failure.message),
          problems: []))
      return status
    case .told(let signal, let leavesDoubt):
      // Why it was stopped is recorded by who stopped it.
      session.output.note("hotglue: the sync was stopped by signal \(signal)")
      return leavesDoubt ? .outcomeUnknown : .tryLater
    }
  }

  private func declare(
    _ voice: AttemptVoice, _ outcome: AttemptOutcome, _ code: String, _ message: String,
    status: ExitStatus
  ) -> ExitStatus {
    voice.say(
      .result(
        HandlerResult(outcome: outcome, errorCode: code, errorMessage: message), problems: []))
    return status
  }

  /// A store that is busy or full may be had later; a run that another has taken the place of is late.
  private func tell(
    _ voice: AttemptVoice, _ error: StoreError, _ session: WorkspaceSession
  ) -> ExitStatus {
    let words = CommandError(error, in: session)
    session.output.warning(words)
    switch error {
    case .busy, .diskFull, .inputOutput, .readOnly:
      return declare(voice, .retry, words.code, words.message, status: .tryLater)
    case .stale, .staleSync: return .refused
    default: return declare(voice, .failed, words.code, words.message, status: words.exit)
    }
  }
}

import HotglueCore
import HotglueProcess
import HotglueStore

/// Streams: handlers that are fed many jobs.
///
/// A stream that has jobs counts as one attempt against `--concurrency`, however many they are; one
/// that has none counts as nothing, and is kept for a while, so that the next job of its kind finds a
/// handler that is up.
extension Worker {
  /// How long a handler without a job is kept.
  private static let idleFor = Span.seconds(10)
  /// How many such handlers are kept at the most, where `--concurrency` is not more.
  private static let mostIdle = 8

  /// The streams that take jobs.
  var openStreams: [StreamPlace] {
    seats.compactMap { seat in
      guard let stream = seat.stream, !stream.isClosing, !seat.isAdopted, !seat.isRetiring else {
        return nil
      }
      return StreamPlace(
        slot: seat.link.slotName, key: stream.key, room: stream.pace.depth - seat.attempts.count,
        isIdle: seat.attempts.isEmpty)
    }
  }

  /// Types of which nothing is claimed for now.
  var closedTypes: Set<TypePlace> { Set(pauses.filter { !$0.value.isOver }.keys) }

  /// Whether the claim used every place it had, so that there may be more for another.
  func isFilled(_ claim: ClaimRequest, by claimed: [ClaimedJob]) -> Bool {
    var taken: [String: Int] = [:]
    for job in claimed { taken[job.slot, default: 0] += 1 }
    let isFull = claim.streams.allSatisfy { stream in
      let took = taken[stream.slot] ?? 0
      return stream.isIdle && took == 0 || took >= stream.room
    }
    let begun =
      claim.slots.count { taken[$0] != nil }
      + claim.streams.count { $0.isIdle && taken[$0.slot] != nil }
    return isFull && (begun >= claim.seats || claim.slots.allSatisfy { taken[$0] != nil })
  }

  func feed(_ jobs: [ClaimedJob], to seat: Seat) {
    guard let key = jobs.first?.stream, let command = jobs.first?.job.request.command else {
      return
    }
    do throws(ProcessError) {
      if seat.stream == nil {
        try seat.link.open(
          StreamOrder(
            arguments: command,
            environment: HandlerEnvironment(
              inherited: place.environment, binaryFolder: place.binaryFolder
            ).variables(for: key, contextPath: seat.link.streamContextPath),
            directory: key.directory, umask: key.umask,
            stopSequence: jobs[0].job.request.policy.stop.steps,
            keepChildren: key.keepsChildren,
            contextFile: PinnedContext(storePath: place.storePath, storeID: place.storeID)
              .bytes(for: key, slot: seat.link.slotName)))
        seat.stream = OpenStream(key)
        closeOlder(than: key)
      }
      seat.stream?.idleSince = nil
      let words = StreamLine(seat.link)
      try seat.link.feed(jobs.map { streamJob($0, words) })
    } catch {
      loseSeat(seat)
    }
  }

  private func streamJob(_ claimed: ClaimedJob, _ words: StreamLine) -> StreamJob {
    let job = claimed.job
    let policy = job.request.policy
    return StreamJob(
      job: job.id, fence: job.fence, watch: job.watch, attempt: Int64(job.attempt),
      line: words.line(of: claimed), stopSequence: policy.stop.steps,
      timeoutMs: policy.timeout?.milliseconds ?? 0, logCap: policy.logCap,
      logPath: LogPath.of(job: job.id, fence: job.fence))
  }

  func takeAnswers(from seat: Seat) throws(RunnerError) {
    seat.owesWord = true
    var count = 0
    var spent: Int64 = 0
    while let answer = try processStep({ () throws(ProcessError) in try seat.nextAnswer() }) {
      let outcome = answer.outcome
      if outcome.end == .answered {
        count += 1
        spent += outcome.endedMs - outcome.startedMs
      } else if case .neverStarted(let error) = outcome.end {
        // Without an error it was given back, since the one before it took long.
        if error == 0 { seat.stream?.pace.noteSlow() } else { seat.stream?.notTaken += 1 }
      }
      if let minded = seat.release(outcome.job, outcome.fence) {
        end(minded, by: outcome, at: seat, position: answer.position)
      } else if seat.isAdopted, let minded = try runningAttempt(outcome) {
        end(minded, by: outcome, at: seat, position: answer.position)
      } else {
        // Somebody else has it.
        seat.recorded.append(answer.position)
      }
    }
    seat.stream?.pace.note(answers: count, milliseconds: spent)
    if count > 0, let key = seat.stream?.key {
      pauses[TypePlace(workspace: key.workspace, type: key.type)] = nil
    }
  }

  /// What an adopted stream answered before it was adopted: its jobs are in the store alone.
  private func runningAttempt(
    _ outcome: EndedAttempt
  ) throws(RunnerError) -> MindedAttempt? {
    if endings.contains(where: { $0.reference.job == outcome.job }) { return nil }
    let running = try storeStep { () throws(StoreError) -> RunningAttempt? in
      guard let workspace = try store.owner(ofJob: outcome.job) else { return nil }
      return try store.runningAttempt(of: outcome.job, in: workspace)
    }
    guard let running, running.reference.fence == outcome.fence else { return nil }
    return MindedAttempt(running, watch: running.watch, now: place.bootNow())
  }

  /// Tells the supervisors which answers are in the store; one that was adopted, or that takes no
  /// more, is left when nothing of it is open.
  func tellRecorded() throws(RunnerError) {
    for seat in seats where seat.owesWord {
      do throws(ProcessError) {
        try seat.tellRecorded()
        guard !seat.isBusy, seat.isAdopted || seat.isRetiring && seat.stream == nil else {
          continue
        }
        try seat.link.goodbye()
        drop(seat)
      } catch {
        loseSeat(seat)
      }
    }
  }

  /// The stream's handler has ended; what was fed and has no answer was refused.
  func streamEnded(_ end: StreamEnd, at seat: Seat) {
    seat.isRetiring = seat.isRetiring || end.supervisorRetires
    guard let stream = seat.stream else { return }
    seat.stream = nil
    var tookNothing = stream.notTaken > 0
    if case .neverStarted? = end.end { tookNothing = true }
    guard end.answered == 0, tookNothing, !stream.isClosing else { return }
    let type = TypePlace(workspace: stream.key.workspace, type: stream.key.type)
    let count = (pauses[type]?.count ?? 0) + 1
    let pause = TypePause.length(count)
    pauses[type] = TypePause(count: count, until: place.bootNow().advanced(by: pause))
    observe(
      .problem(
        .handlerTakesNothing(
          type: type.type, type.workspace, end: Self.words(end.end), pause: pause)))
  }

  private static func words(_ end: AttemptEnd.How?) -> String {
    switch end {
    case .exited(let status)?: "ended with status \(status)"
    case .signaled(let signal)?: "was ended by SIG\(signal.name)"
    default: "could not be started"
    }
  }

  /// Once a turn: ends handlers that have had nothing to do, and pauses that are over.
  func tendStreams() {
    let now = place.bootNow()
    for (type, pause) in pauses where pause.until.hasPassed(at: now) && !pause.isOver {
      pauses[type]?.isOver = true
      mayClaim = options.only == nil
    }
    var idle: [Seat] = []
    for seat in seats {
      guard let stream = seat.stream, !stream.isClosing, seat.attempts.isEmpty else { continue }
      if let since = stream.idleSince {
        if since.advanced(by: Self.idleFor).hasPassed(at: now) {
          close(seat)
        } else {
          idle.append(seat)
        }
      } else {
        seat.stream?.idleSince = now
        idle.append(seat)
      }
    }
    let excess = idle.count - max(Self.mostIdle, options.concurrency)
    guard excess > 0 else { return }
    let oldestFirst = idle.sorted {
      ($0.stream?.idleSince?.milliseconds ?? 0) < ($1.stream?.idleSince?.milliseconds ?? 0)
    }
    for seat in oldestFirst.prefix(excess) { close(seat) }
  }

  /// A newer revision of the type is there: handlers of the older ones end when they have answered.
  private func closeOlder(than key: StreamKey) {
    for seat in seats {
      guard let other = seat.stream?.key, other.workspace == key.workspace,
        other.type == key.type, other.revision < key.revision, seat.stream?.isClosing == false
      else { continue }
      close(seat)
    }
  }

  private func close(_ seat: Seat) {
    do throws(ProcessError) {
      try seat.link.close()
      seat.stream?.isClosing = true
    } catch {
      loseSeat(seat)
    }
  }

  /// When `tendStreams` has something to do.
  var streamDeadlines: [Int64] {
    seats.compactMap { seat in
      guard let since = seat.stream?.idleSince, seat.stream?.isClosing == false else { return nil }
      return since.advanced(by: Self.idleFor).milliseconds
    } + pauses.values.filter { !$0.isOver }.map(\.until.milliseconds)
  }
}

/// Nothing of a type is claimed for a while, because its handler ended without taking a job: such an
/// attempt uses up no budget, so that without a pause it would be begun again for ever.
struct TypePause {
  /// Handlers in a row that took nothing.
  var count: Int
  var until: BootTime
  /// The next handler may be tried.
  var isOver = false

  /// A drain ends after so many.
  static let patience = 3

  static func length(_ count: Int) -> Span {
    Span(milliseconds: min(60_000, 1000 << Int64(min(count, 7) - 1)))
  }
}

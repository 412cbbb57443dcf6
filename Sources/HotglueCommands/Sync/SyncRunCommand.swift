import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct SyncRunCommand: HotglueCommand {
  static let record = CommandRecord(
    "sync run", .changesWorkspace, requires: .role(.operator), answersWithChange: false)
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "sync a source: take in what its tap sends",
    usage: "hotglue sync run SOURCE [--full [STREAM]] [flags] [-- TARGET COMMAND…]",
    discussion: """
      The sync is a job like any other, and runs here: killed with this command or without it, it \
      goes on under its supervisor. A sync of the source that has not ended is taken up and never \
      doubled. A tap that fails in a way that may pass is run again with a back-off, from the last \
      bookmark that was published.

      With a target behind '--' the records go to that program instead of the store. It has a bookmark \
      of its own, which is what it says itself; each record reaches it at least once.

      Ends with 0 when the sync succeeded, 1 when it did not, 81 when the key of a stream has changed \
      and '--full' was not given, and 83 when a target was sent records \
      that it has not confirmed and it is not known to be safe to send them again. INT or TERM cancels it; a second one \
      leaves it to its supervisor. See hotglue-sync(7).
      """)

  enum IfRunning: String, ExpressibleByArgument, CaseIterable {
    case follow, wait, refuse
  }

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only enqueue the job, for a worker; prints its ID.")
  var detach = false

  @Flag(
    help:
      "Start without a bookmark, and take streams under another key than before; with STREAM only that one."
  )
  var full = false

  @Flag(help: "Run the tap to its end and count what it sends; nothing is stored.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Stop a tap that sends nothing for so long (default: as the source says).",
      valueName: "duration|none"), transform: Arguments.value)
  var idleTimeout: SourceOptions.Bound?

  @Option(
    help: ArgumentHelp(
      "Set aside as many records that break their schema, or 'fail' (default: as the source says).",
      valueName: "n|fail"), transform: Arguments.value)
  var onReject: RejectRule?

  @Option(
    help: ArgumentHelp(
      "Attempts that may fail before the sync does (default: 5).", valueName: "n"))
  var maxAttempts: Int?

  @Option(
    help: ArgumentHelp(
      "When one runs already: follow it, wait for its end and sync then, or refuse.",
      valueName: "follow|wait|refuse"))
  var ifRunning = IfRunning.follow

  @Option(
    help: ArgumentHelp(
      "With a target: whether it may be sent records again without a person (default: unsafe).",
      valueName: "safe|keyed|unsafe"), completion: .list(Replay.allCases.map(\.rawValue)))
  var replay: String?

  @Option(
    help: ArgumentHelp(
      "With a target: how long it may take to finish when the sync is stopped (default: 30s).",
      valueName: "duration"), transform: Arguments.value)
  var grace: Span?

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  @Argument(help: ArgumentHelp("With --full: the stream that begins anew.", valueName: "stream"))
  var stream: String?

  @Argument(parsing: .postTerminator, help: "The target and its own arguments, behind '--'.")
  var target: [String] = []

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    guard !detach || !dryRun else {
      throw CommandError.usage("'--detach' and '--dry-run' cannot both be given")
    }
    if let maxAttempts, maxAttempts < 1 {
      throw CommandError.usage(
        "invalid value '\(maxAttempts)' for '--max-attempts': expected 1 or more")
    }
    guard stream == nil || full else {
      throw CommandError.usage(
        "a stream is named, but not what to do with it",
        hint: "to sync it from its beginning: 'hotglue sync run \(Shell.quoted(source)) --full "
          + "\(Shell.quoted(stream ?? ""))'; to choose streams: 'hotglue source select "
          + "\(Shell.quoted(source)) PATTERN'")
    }
    try checkTarget()
    if detach || dryRun {
      let session = try WorkspaceSession.open(for: Self.record, global, in: environment)
      return try session.telling { detach ? try enqueue(in: session) : try tryOut(in: session) }
    }
    let host = try WorkerHost.open(for: Self.record, global, in: environment)
    let session = try host.session.entering(host.session.requireWorkspace())
    return try session.telling { try run(in: session, at: host) }
  }

  private func checkTarget() throws {
    if !target.isEmpty {
      try TargetWords.check(target)
      guard onReject == nil else {
        throw CommandError.usage(
          "'--on-reject' has no meaning with a target", hint: "a target judges records itself")
      }
    } else if replay != nil || grace != nil {
      throw CommandError.usage(
        "'\(replay != nil ? "--replay" : "--grace")' is for a sync into a target",
        hint: "name the target behind '--'; a sync into the store may always be run again")
    }
    _ = try replayRule()
  }

  private func replayRule() throws -> Replay {
    guard let replay else { return .unsafe }
    guard let rule = Replay(rawValue: replay) else {
      throw CommandError.usage(
        "'--replay' cannot be '\(replay)'", hint: "give safe, keyed or unsafe")
    }
    return rule
  }

  private func order(of source: Source, in session: WorkspaceSession) throws -> SyncOrder {
    if let stream { try requireStream(stream, of: source, in: session) }
    var order = SyncOrder(source: source.id)
    order.isFull = full && stream == nil
    order.fullStreams = stream.map { [$0] } ?? []
    order.idleTimeout = idleTimeout
    order.rejects = onReject
    order.maxAttempts = maxAttempts
    if !target.isEmpty {
      order.target = target
      order.replay = try replayRule()
      order.grace = grace ?? SyncOrder.standardGrace
    }
    return order
  }

  private func requireStream(
    _ stream: String, of source: Source, in session: WorkspaceSession
  ) throws {
    let stored = try session.store.recordStreams(of: source.id, in: session.workspace).map(\.name)
    let known = stored + (source.definition.knownCatalog?.streams ?? []).flatMap(\.names)
    guard !known.contains(stream) else { return }
    throw StoreError.unknownStream(
      stream, source: source.id, near: NearMatch.among(Set(known), to: stream))
  }

  // MARK: In the foreground

  private func run(in session: WorkspaceSession, at host: WorkerHost) throws -> ExitStatus {
    let source = try session.source(source)
    let foreground = foreground(of: source, in: session, at: host)
    while true {
      let taken = try SyncTaking(session: session, source: source).take(
        order(of: source, in: session))
      switch taken {
      case .uncertain(let job): throw CommandError.syncUncertain(source, job)
      case .new(let job), .pending(let job):
        return try work(job, foreground, isOurs: true)
      case .running(let job, let isSame):
        switch ifRunning {
        case .refuse: throw CommandError.syncRuns(source, job)
        case .follow where !isSame: throw CommandError.otherSyncRuns(source, job)
        case .follow:
          session.output.note("job \(job) syncs source '\(source.name)' already; following it")
          return try work(job, foreground, isOurs: false)
        case .wait:
          session.output.note("job \(job) syncs source '\(source.name)' already; waiting for it")
          let waited = try foreground.follow(job, isOurs: false)
          if let signal = waited.signal { return ExitStatus(rawValue: 128 + signal) }
        }
      }
    }
  }

  private func work(
    _ job: JobID, _ foreground: SyncForeground, isOurs: Bool
  ) throws -> ExitStatus {
    try foreground.work(job, isOurs: isOurs) { standing in
      let session = foreground.session
      SyncSummary(output: session.output).show(standing, session.now)
    }
  }

  private func foreground(
    of source: Source, in session: WorkspaceSession, at host: WorkerHost
  ) -> SyncForeground {
    SyncForeground(session: session, source: source, host: host, isVerbose: global.verbose)
  }

  // MARK: Without a worker

  private func enqueue(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let taken = try SyncTaking(session: session, source: source).take(
      order(of: source, in: session), mindsOthers: false)
    let id: JobID
    switch taken {
    case .uncertain(let job): throw CommandError.syncUncertain(source, job)
    case .new(let job): id = job
    case .pending(let job):
      session.output.note("job \(job) was enqueued before and has not begun")
      id = job
    case .running(let job, let isSame):
      guard ifRunning == .follow else {
        throw CommandError.syncRuns(
          source, job,
          hint: "'--if-running follow' takes it for this one; without '--detach', '--if-running "
            + "wait' syncs after it")
      }
      guard isSame else { throw CommandError.otherSyncRuns(source, job) }
      session.output.note("job \(job) syncs source '\(source.name)' already")
      id = job
    }
    session.environment.output.stored = String(id)
    if session.output.isJSON {
      session.output.object(
        JobJSON.object(
          try session.store.job(id, in: session.workspace), at: session.now))
    } else {
      session.output.rawLine(String(id))
    }
    return .done
  }

  private func tryOut(in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let bookmark =
      target.isEmpty
      ? try session.store.syncPosition(of: source.id, in: session.workspace)?.bookmark
      : try session.store.syncTargets(of: source.id, in: session.workspace)
        .first { $0.command == target }?.bookmark
    let counted = try TapTrial(source, in: session).run(
      bookmark: stream.map { bookmark?.without(source.definition.names(of: [$0])) }
        ?? (full ? nil : bookmark), until: nil,
      idleTimeout: idleTimeout.map(\.span) ?? source.definition.idleTimeout)
    session.output.result(json: counted.json(of: source), id: source.name) {
      "source '\(source.name)' would send \(counted.text); "
        + (target.isEmpty ? "nothing was stored" : "the target was not started")
    }
    counted.tell(session.output)
    return .done
  }
}

/// Finds the sync of a source that has not ended, or makes one, in one step of the store.
struct SyncTaking {
  enum Taken {
    case new(JobID)
    case pending(JobID)
    /// `isSame`: it was asked for with the same options.
    case running(JobID, isSame: Bool)
    /// Whether what it sent to its target may be sent again has to be decided first.
    case uncertain(JobID)
  }

  let session: WorkspaceSession
  let source: Source

  /// `mindsOthers`: a sync of the source into another place that runs is told, else this one is to wait
  /// for its turn.
  func take(_ order: SyncOrder, mindsOthers: Bool = true) throws -> Taken {
    for found in try session.unfinishedSyncs(of: source.id) where found.state == .running {
      // What has ended without anybody to record it is not running.
      try CancelOrder.resolveIfUnminded(found.id, session)
      guard mindsOthers, SyncJob.order(of: found)?.place != order.place else { continue }
      if try session.store.job(found.id, in: session.workspace).state == .running {
        return .running(found.id, isSame: false)
      }
    }
    let request = SyncJob.request(order, of: source)
    do {
      let enqueued = try session.store.enqueue(
        [request], in: session.workspace, by: session.actor, at: session.now)
      guard let job = enqueued.first else {
        throw StoreError.unexpected("an enqueue gave no job")
      }
      if job.isNew { return .new(job.id) }
      return try taken(job.id, isSame: true)
    } catch StoreError.keyConflict(_, let job, _) {
      return try taken(job, isSame: false)
    }
  }

  private func taken(_ id: JobID, isSame: Bool) throws -> Taken {
    let job = try session.store.job(id, in: session.workspace)
    if job.state == .running { return .running(id, isSame: isSame) }
    if job.state == .uncertain { return .uncertain(id) }
    guard isSame else { throw CommandError.otherSyncWaits(source, id) }
    return .pending(id)
  }
}

extension CommandError {
  static func syncRuns(
    _ source: Source, _ job: JobID, hint: Hint? = nil
  ) -> CommandError {
    CommandError(
      "sync_runs", .refused, "job \(job) syncs source '\(source.name)' already",
      hint: hint ?? "--if-running follow or wait; or 'hotglue job cancel \(job)'",
      facts: [JSON.Member("job", .integer(job)), JSON.Member("source", .string(source.name))])
  }

  static func syncUncertain(_ source: Source, _ job: JobID) -> CommandError {
    CommandError(
      "sync_uncertain", .outcomeUnknown,
      "job \(job) has sent records of source '\(source.name)' to this target that it has not "
        + "confirmed",
      hint: "look at the target, then 'hotglue job resolve \(job) --as retry --reason TEXT' sends "
        + "them again; '--as failed' lets the next sync do that",
      facts: [JSON.Member("job", .integer(job)), JSON.Member("source", .string(source.name))])
  }

  static func otherSyncRuns(_ source: Source, _ job: JobID) -> CommandError {
    CommandError(
      "sync_runs", .refused,
      "job \(job) syncs source '\(source.name)' already, with other options than these",
      hint: "--if-running wait syncs after it; 'hotglue job show \(job)' tells its options",
      facts: [JSON.Member("job", .integer(job)), JSON.Member("source", .string(source.name))])
  }

  static func otherSyncWaits(_ source: Source, _ job: JobID) -> CommandError {
    CommandError(
      "sync_waits", .refused,
      "job \(job) is to sync source '\(source.name)' already, with other options than these",
      hint: "leave the options out to run it now, or cancel it: 'hotglue job cancel \(job)'",
      facts: [JSON.Member("job", .integer(job)), JSON.Member("source", .string(source.name))])
  }
}

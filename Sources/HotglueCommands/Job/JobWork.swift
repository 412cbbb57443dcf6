import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct JobWork: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "work", abstract: "claim jobs and run them",
    discussion: """
      Stays until it is told to go, and wakes within milliseconds of an enqueue. Two workers on the
      same jobs are normal and safe. On TERM or INT it claims nothing more, lets attempts finish for
      --grace, and leaves the rest to their supervisors: nothing is interrupted. A second signal makes
      it leave at once. It exits 0 whatever its jobs did.

      Off a terminal the workspace must be named (-w or --all-workspaces): a person's switch does not
      redirect a cron job. Nothing is printed there but errors; -v says more.
      """)
  static let record = CommandRecord(
    "job work", .changesWorkspace, requires: .role(.operator), repeatsWorkspace: true,
    answersWithChange: false)

  @OptionGroup var global: GlobalOptions
  @OptionGroup(title: "What to take") var selection: WorkSelection
  @OptionGroup(title: "When to go") var ending: WorkEnding

  func validate() throws {
    if selection.allWorkspaces, !global.workspaces.isEmpty {
      throw ValidationError("--all-workspaces and -w exclude each other")
    }
    if ending.once, ending.maxJobs != nil {
      throw ValidationError("--once and --max-jobs exclude each other")
    }
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    try refuseSilentContext(environment)
    let host = try WorkerHost.open(for: Self.record, global, in: environment)
    let session = host.session
    var options = WorkerOptions(scope: try scope(session))
    options.queues = selection.queues
    options.types = try selection.types.map { try typeName($0, options.scope, session) }
    options.concurrency = selection.concurrency
    options.freeSpaceFloor = selection.freeSpaceFloor
    options.drain = ending.drain
    options.drainWait = ending.drainWait
    options.maxJobs = ending.maxJobs
    options.once = ending.once
    options.maxTime = ending.maxTime
    options.grace = ending.grace
    options.stopRunning = ending.stopRunning
    let story = WorkStory(session.output, isTold: global.verbose || environment.isTerminal(.error))
    let leftOut = try leftOut(session, story)
    let service = ServiceStory(variables: environment.variables)
    let worker = try host.worker(options) { event in
      story.tell(event)
      service?.tell(event)
    }
    if let service { worker.eachTurn = service.step }
    let summary = try worker.run()
    if session.output.isJSON {
      if summary.ended > 0 {
        environment.output.stored = Count.of(summary.ended, "outcome")
      }
      session.output.object(
        .object((summary.json.members ?? []) + [JSON.Member("left_out", .integer(leftOut))]))
    }
    if summary.couldNotClaim { return .tryLater }
    return ending.failOnJobs && summary.endedBadly > 0 ? .unsuccessful : .done
  }

  /// Off a terminal nobody sees which workspace the context names at this moment.
  private func refuseSilentContext(_ environment: CommandEnvironment) throws {
    guard global.workspaces.isEmpty, !selection.allWorkspaces,
      !environment.isTerminal(.error), !environment.isTerminal(.output)
    else { return }
    let context = try ContextLoader(environment).resolve(global)
    guard !context.isOfHandler else { return }
    throw CommandError.needsConfirmation(
      "off a terminal 'job work' needs its workspace named",
      hint: context.workspace.map { "\(again: .workspace($0))" }
        ?? "\(again: .flag("--all-workspaces")), or name one with -w ID")
  }

  /// How many of all workspaces a worker leaves out, since its user may not work there: told once, to
  /// whoever watches it. Where there is none to work in, that is no work to wait for.
  private func leftOut(_ session: StoreSession, _ story: WorkStory) throws -> Int {
    guard selection.allWorkspaces else { return 0 }
    let (allowed, others) = try session.allowedWorkspaces(onlyActive: true)
    if others > 0, allowed.isEmpty {
      throw CommandError(
        "role_needed", .notPermitted,
        "user '\(session.user)' may work in no workspace of the store",
        hint: "ask an owner: hotglue -w ID workspace member add \(Shell.quoted(session.user)) "
          + "--role operator",
        facts: [
          JSON.Member("user", .string(session.user)),
          JSON.Member("needed", .string(Role.operator.rawValue)),
        ])
    }
    if others > 0, story.isTold {
      session.output.note(
        "note: left out: \(others) of \(allowed.count + others) workspaces, where this user may "
          + "not work")
    }
    return others
  }

  private func scope(_ session: StoreSession) throws -> WorkerOptions.Scope {
    if selection.allWorkspaces { return .all }
    let names =
      global.workspaces.isEmpty ? [try session.requireWorkspace().text] : global.workspaces
    var scope: [WorkspaceID] = []
    for name in names {
      guard let id = WorkspaceID(name) else {
        throw CommandError.usage("'\(name)' is not a workspace ID", hint: Hint(WorkspaceID.rule))
      }
      _ = try session.entering(id)
      if !scope.contains(id) { scope.append(id) }
    }
    return .workspaces(scope)
  }

  /// The name that an argument is, or that a link names: which is a type of one workspace.
  private func typeName(
    _ text: String, _ scope: WorkerOptions.Scope, _ session: StoreSession
  ) throws -> String {
    guard EntityLink.isMeant(by: text) else { return text }
    guard case .workspaces(let all) = scope, all.count == 1, let only = all.first else {
      throw CommandError.usage(
        "'\(text)' names a type of one workspace, and the worker has others",
        hint: "give the type's name, or one workspace: hotglue job work -w ID --type \(text)")
    }
    return try session.entering(only).name(text, of: .type)
  }
}

/// What a worker takes.
struct WorkSelection: ParsableArguments {
  @Flag(name: .customLong("all-workspaces"), help: "Work in every workspace that is not archived.")
  var allWorkspaces = false

  @Option(
    name: .customLong("queue"),
    help: ArgumentHelp("Claim only from this queue; may be repeated.", valueName: "name"))
  var queues: [String] = []

  @Option(
    name: .customLong("type"),
    help: ArgumentHelp("Claim only jobs of this type; may be repeated.", valueName: "name"))
  var types: [String] = []

  @Option(help: ArgumentHelp("Run at most this many attempts at once.", valueName: "n"))
  var concurrency = 1

  @Option(
    name: .customLong("free-space-floor"),
    help: ArgumentHelp(
      "Claim nothing while the store's file system has fewer free bytes.", valueName: "bytes"))
  var freeSpaceFloor: Int64 = 64 << 20

  func validate() throws {
    guard (1...1000).contains(concurrency) else {
      throw ValidationError("--concurrency is a number from 1 to 1000")
    }
    guard freeSpaceFloor >= 0 else { throw ValidationError("--free-space-floor is not negative") }
  }
}

/// When a worker goes.
struct WorkEnding: ParsableArguments {
  @Flag(help: "End when nothing is due and no attempt runs.")
  var drain = false

  @Option(
    name: .customLong("drain-wait"),
    help: ArgumentHelp(
      "With --drain: wait for back-offs of its own jobs that end within this time (default: 60s).",
      valueName: "duration"), transform: Arguments.value)
  var drainWait = Span.seconds(60)

  @Flag(help: "Make one claim, and end when that attempt has ended.")
  var once = false

  @Option(
    name: .customLong("max-jobs"),
    help: ArgumentHelp("End after this many claims.", valueName: "n"))
  var maxJobs: Int?

  @Option(
    name: .customLong("max-time"),
    help: ArgumentHelp(
      "Leave after this time; what runs goes on under its supervisors.", valueName: "duration"),
    transform: Arguments.value)
  var maxTime: Span?

  @Option(
    help: ArgumentHelp(
      "How long attempts may go on after a signal (default: 30s).", valueName: "duration"),
    transform: Arguments.value)
  var grace = Span.seconds(30)

  @Flag(
    name: .customLong("stop-running"),
    help: "At the end of the grace stop the attempts instead of leaving them.")
  var stopRunning = false

  @Flag(name: .customLong("fail-on-jobs"), help: "Exit 1 if a job ended badly.")
  var failOnJobs = false

  func validate() throws {
    if let maxJobs, maxJobs < 1 { throw ValidationError("--max-jobs is at least 1") }
  }
}

/// What a worker does, told to a person; off a terminal only what is wrong.
struct WorkStory {
  let output: Output
  let isTold: Bool

  init(_ output: Output, isTold: Bool) {
    self.output = output
    self.isTold = isTold
  }

  func tell(_ event: WorkerEvent) {
    if case .problem(let error) = event {
      output.warning(CommandError(from: error))
      return
    }
    guard isTold else { return }
    switch event {
    case .ready(let worker): output.note("worker \(worker) is ready")
    case .claimed(let job, let workspace, let attempt):
      output.note("\(workspace) job \(job): attempt \(attempt) starts")
    case .adopted(let job, let workspace):
      output.note("\(workspace) job \(job): its attempt is taken over")
    case .progress(let job, let workspace, let progress):
      output.note("\(workspace) job \(job): \(ProgressText.of(progress))")
    case .rescued(let job, let workspace, let why, let state):
      output.note("\(workspace) job \(job): \(why); now \(state.rawValue)")
    case .ended(let job, let workspace, let verdict, let state):
      output.note("\(workspace) job \(job): \(verdict.message); now \(state.rawValue)")
    case .superseded(let job, let workspace):
      output.note("\(workspace) job \(job): somebody else minds it now")
    case .left(let jobs):
      let list = jobs.map(String.init).joined(separator: ", ")
      output.note("left to their supervisors, and going on: \(list)")
    case .ticked(let automation, let workspace, let fired):
      output.note("\(workspace) automation \(automation): fired \(fired)")
    case .finishing, .problem: break
    }
  }
}

extension WorkerSummary {
  var json: JSON {
    .object([
      JSON.Member("claimed", .integer(claimed)), JSON.Member("adopted", .integer(adopted)),
      JSON.Member("ended", .integer(ended)), JSON.Member("ended_badly", .integer(endedBadly)),
      JSON.Member("left", .array(left.map(JSON.integer))),
      JSON.Member("signal", .optional(signal)),
    ])
  }
}

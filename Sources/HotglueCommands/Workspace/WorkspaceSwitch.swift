import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceSwitch: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "switch", abstract: "make another workspace the one of this context",
    discussion: """
      Writes the context file that counts here, and says which. Killed at any point, the context is in \
      the old workspace or in the new one, never between. Drafts that were begun here in the workspace \
      that is left are reset, which moves them to the bin, when they are untouched or of a job whose \
      payload was not edited; any other stops the switch until somebody decides about it.
      """)
  static let record = CommandRecord(
    "workspace switch", .changesStore, requires: .role(.viewer), contextFlags: .context)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace, or '-' for the previous one.")
  var id: String

  @Flag(name: .customLong("dry-run"), help: "Print what the switch would do, and do nothing.")
  var dryRun = false

  @Option(
    name: .customLong("if-generation"),
    help: ArgumentHelp("Refuse unless the context is at this generation.", valueName: "n"))
  var ifGeneration: Int64?

  @Flag(
    name: .customLong("discard-drafts"),
    help: "Put drafts that need a confirmation into the bin.")
  var discardDrafts = false

  @Flag(
    name: .customLong("keep-drafts"),
    help: "Leave drafts that need a confirmation open in the workspace that is left.")
  var keepDrafts = false

  func validate() throws {
    guard !(discardDrafts && keepDrafts) else {
      throw ValidationError("--discard-drafts and --keep-drafts cannot both be given")
    }
    guard global.workspaces.isEmpty else {
      throw ValidationError("-w names a workspace for one command, so it says nothing to 'switch'")
    }
    guard global.store == nil else {
      throw ValidationError("'switch' takes no --store: a context keeps the store it was made with")
    }
  }

  func run(in session: StoreSession) throws -> ExitStatus {
    guard let source = session.context.source else { throw ContextError.nothingFound }
    if let pin = source.file.pinned {
      throw CommandError(
        "context_pinned", .contextMismatch,
        "the context '\(source.shownPath)' is pinned to job \(pin.job) and does not switch",
        hint: "name the other workspace for one command with -w \(id)",
        facts: [
          JSON.Member("job", .integer(pin.job)),
          JSON.Member("context_file", .string(source.realPath)),
        ])
    }
    if case .command(let name, _)? = source.file.tenant {
      throw CommandError(
        "context_fixed", .contextMismatch,
        "the context is fixed for 'hotglue-\(name)' and does not switch",
        hint: "name the other workspace for one command with -w \(id)",
        facts: [JSON.Member("context_file", .string(source.realPath))])
    }
    try DraftRescue(session).run()
    if let type = session.context.streamType {
      throw CommandError(
        "context_fixed", .contextMismatch,
        "the context is that of a stream handler of type '\(type)' and does not switch",
        hint: "name the other workspace for one command with -w \(id)",
        facts: [JSON.Member("context_file", .string(source.realPath))])
    }
    let transition = SwitchTransition(
      session: session.naming, source: source, target: id, ifGeneration: ifGeneration)
    if dryRun {
      let plan = try transition.plan().decided(decision)
      show(plan, happened: false, session.output, refusal: try refusal(of: plan, by: transition))
      return .done
    }
    let question = SwitchQuestion(output: session.output)
    var answer = decision
    // A flag holds for whatever is there; an answer holds for the drafts that were asked about.
    var answered: Set<DraftStamp>? = decision == nil ? [] : nil
    while true {
      do {
        switch try transition.carryOut(answer, on: answered) {
        case .switched(let plan, let unconfirmed):
          show(plan, happened: true, session.output)
          if let unconfirmed { warn(of: plan, unconfirmed, session.output) }
          return .done
        case .alreadyThere(let plan):
          show(plan, happened: false, session.output)
          return .done
        case .undecided(let plan):
          answer = try question.ask(plan)
          answered = Set(plan.undecided.map(\.stamp))
        }
      } catch StoreError.draftsChanged {
        // Somebody saved or discarded one since the plan was made: it is made anew.
        continue
      }
    }
  }

  private var decision: DraftFate.Decision? {
    discardDrafts ? .discard : keepDrafts ? .keep : nil
  }

  private func warn(of plan: SwitchPlan, _ error: StoreError, _ output: Output) {
    let problem = CommandError(error)
    output.warning(
      CommandError(
        "switch_unconfirmed", .done,
        "the context is in '\(plan.to)', but the store cannot record that yet: "
          + problem.message,
        hint: "nothing is lost: the next command that can write there records it",
        facts: problem.facts))
  }

  /// What the switch itself would end with; `nil` when it would be done.
  private func refusal(
    of plan: SwitchPlan, by transition: SwitchTransition
  ) throws -> CommandError? {
    if plan.isAlreadyThere { return nil }
    if plan.toState == .archived { return CommandError(StoreError.archivedWorkspace(plan.to)) }
    if !plan.undecided.isEmpty {
      return .needsConfirmation(
        plan.undecided.count == 1
          ? "1 draft needs a decision" : "\(plan.undecided.count) drafts need a decision",
        hint: "add --keep-drafts or --discard-drafts")
    }
    do {
      try transition.requireLeaveToMove(plan)
      return nil
    } catch let error as CommandError {
      return error
    } catch let error as StoreError {
      return CommandError(error)
    }
  }

  private func show(
    _ plan: SwitchPlan, happened: Bool, _ output: Output, refusal: CommandError? = nil
  ) {
    if output.isJSON {
      var done = [JSON.Member("switched", .bool(happened)), JSON.Member("dry_run", .bool(dryRun))]
      if dryRun {
        done.append(JSON.Member("would_exit", .integer(refusal?.exit.rawValue ?? 0)))
      }
      output.object(.object((plan.json.members ?? []) + done))
      return
    }
    if output.isQuiet {
      output.line(plan.to.text)
      return
    }
    let left = plan.from.map { " (from '\($0)')" } ?? ""
    let place = "generation \(plan.nextGeneration) of '\(plan.contextFile)'"
    if plan.isAlreadyThere {
      output.line("already in '\(plan.to)': \(place) is as it was")
    } else if dryRun {
      output.line("would switch to '\(plan.to)'\(left): \(place)")
    } else {
      output.line("switched to '\(plan.to)'\(left): \(place)")
    }
    showDrafts(of: plan, output)
    if let refusal {
      output.note("would be refused with status \(refusal.exit.rawValue): \(refusal.message)")
    }
    if let roles = plan.roles, roles.from != roles.to {
      output.note("your role: \(roles.from?.word ?? "none") here, \(roles.to.word) there")
    }
    guard let from = plan.from, !plan.isAlreadyThere else { return }
    if plan.fromState == .unknown { output.note("the store has no workspace '\(from)'") }
    for watch in plan.staleWatches { output.note("\(watch.words) ends") }
    let goesOn = plan.goesOn
    if goesOn.running + goesOn.pending > 0 {
      output.note("\(goesOn.running) running and \(goesOn.pending) pending jobs of '\(from)' go on")
    }
    if goesOn.shells > 0 {
      output.note(
        goesOn.shells == 1
          ? "1 shell in '\(from)' goes on" : "\(goesOn.shells) shells in '\(from)' go on")
    }
    for watch in goesOn.watches { output.note("\(watch.words) goes on in '\(from)'") }
  }

  private func showDrafts(of plan: SwitchPlan, _ output: Output) {
    guard plan.hidesDrafts else {
      for draft in plan.drafts { output.line("\(draft.words): \(draft.fate.words)") }
      return
    }
    var counts: [DraftFate: Int] = [:]
    for draft in plan.drafts { counts[draft.fate, default: 0] += 1 }
    for (fate, count) in counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      output.line("\(Count.of(count, "draft")): \(fate.words)")
    }
  }
}

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
  static let kind = CommandKind.workspaceSwitch

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
      show(try transition.plan().decided(decision), happened: false, session.output)
      return .done
    }
    let question = SwitchQuestion(output: session.output)
    var answer = decision
    // A flag holds for whatever is there; an answer holds for the drafts that were asked about.
    var answered: Set<DraftStamp>? = decision == nil ? [] : nil
    while true {
      do {
        switch try transition.carryOut(answer, on: answered) {
        case .switched(let plan):
          show(plan, happened: true, session.output)
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

  private func show(_ plan: SwitchPlan, happened: Bool, _ output: Output) {
    if output.isJSON {
      let done = [JSON.Member("switched", .bool(happened)), JSON.Member("dry_run", .bool(dryRun))]
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
    for draft in plan.drafts { output.line("\(draft.words): \(draft.fate.words)") }
    if let roles = plan.roles, roles.from != roles.to {
      output.note("your role: \(roles.from?.word ?? "none") here, \(roles.to.word) there")
    }
    if let from = plan.from, !plan.isAlreadyThere, plan.goesOn.running + plan.goesOn.pending > 0 {
      output.note(
        "\(plan.goesOn.running) running and \(plan.goesOn.pending) pending jobs of '\(from)' go on")
    }
  }
}

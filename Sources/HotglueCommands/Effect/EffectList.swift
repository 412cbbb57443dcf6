import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueStore

struct EffectList: WorkspaceCommand {
  static let record = CommandRecord("effect list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the effects of the workspace and its jobs, newest first",
    discussion: """
      An effect that was begun and is not carried out any more is 'unknown': it may have happened. So is \
      one begun by 'effect begin' outside of any job, from the start until it is confirmed or abandoned. \
      Confirmed effects of the workspace are kept for 366 days, effects of a job as long as the job.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Only effects in this state; repeat it or separate states by commas.", valueName: "state"))
  var state: [String] = []

  @Option(
    help: ArgumentHelp(
      "Only those of this job, and those of the workspace that it began.", valueName: "job"))
  var job: String?

  @Option(help: ArgumentHelp("At most so many (default: all).", valueName: "n"))
  var limit = 0

  @Option(help: ArgumentHelp("Go on where an earlier page ended.", valueName: "cursor"))
  var cursor: String?

  private static let page = 1000

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard limit >= 0 else {
      throw CommandError.usage("'--limit' cannot be '\(limit)'", hint: "give 0 for all, or more")
    }
    let wanted = try states()
    // What is stored as intended may be shown as unknown.
    let stored = wanted.contains(.unknown) ? wanted.union([.intended]) : wanted
    let owner = try job.map { try session.jobID($0) }
    let list = PagedList(
      session.base, in: session.workspace,
      filters: wanted.map { "state=\($0.rawValue)" } + [owner.map { "job=\($0)" } ?? ""])
    var before = try list.start(at: cursor)?.before
    session.output.breadcrumb(session.workspace.text, "effects")
    var shown = 0
    while true {
      let effects = try session.store.effects(
        in: session.workspace, of: owner, states: stored, before: before, limit: Self.page)
      let marked = try MarkedProcesses.ifNeeded(for: effects)
      var rows: [ShownEffect] = []
      for effect in effects {
        let row = try ShownEffect(effect, store: session.store, marked: marked)
        guard wanted.isEmpty || wanted.contains(row.state) else {
          before = effect.id
          continue
        }
        if limit != 0, shown == limit {
          show(rows, session)
          if let before { try list.tellNext(before: before, since: nil) }
          return .done
        }
        rows.append(row)
        shown += 1
        before = effect.id
      }
      show(rows, session)
      if effects.count < Self.page || session.environment.output.isClosed { return .done }
    }
  }

  private func show(_ rows: [ShownEffect], _ session: WorkspaceSession) {
    let output = session.output
    if output.isJSON {
      for row in rows { output.jsonLine(EffectJSON.object(row)) }
    } else if output.isQuiet {
      for row in rows { output.line(row.effect.name.key) }
    } else {
      output.table(EffectTable.headings, rows.map(EffectTable.row))
    }
  }

  private func states() throws(CommandError) -> Set<EffectState> {
    var states: Set<EffectState> = []
    for word in state.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
      guard let state = EffectState(rawValue: String(word)) else {
        let names = EffectState.allCases.map(\.rawValue)
        let near = NearMatch.among(names, to: String(word))
        throw .usage(
          "'--state' cannot be '\(word)'",
          hint: near.isEmpty
            ? "one of \(names.joined(separator: ", "))"
            : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
      }
      states.insert(state)
    }
    return states
  }
}

import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationAdd: WorkspaceCommand {
  static let record = CommandRecord(
    "automation add", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add a schedule that enqueues a job at each of its times",
    usage: """
      hotglue automation add NAME (--cron EXPR | --every D) [flags] (TYPE | sync SOURCE | -- COMMAND…)
      """,
    discussion: """
      Workers and 'automation tick' enqueue the job at each occurrence, exactly once however many of \
      them there are. The first occurrence is the next one after now. The command runs without a \
      shell, in this directory. '--jitter D' delays the job by a stable offset below D. \
      See hotglue-automation(7) for the syntax, daylight saving, late occurrences and overlap.

      EXAMPLES
        hotglue automation add backup --cron '30 2 * * *' --timezone Europe/Berlin -- ./backup.sh
        hotglue automation add crm --every 15m sync crm
        hotglue automation add report --cron '0 7 * * MON#1' --missed skip report
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup(title: "Schedule") var options: AutomationOptions
  @OptionGroup(title: "Policy") var policy: PolicyOptions
  @OptionGroup(title: "Job") var job: AutomationJobOptions

  @Argument(help: ArgumentHelp("The automation's name.", valueName: "name"))
  var name: String

  @Argument(help: ArgumentHelp("A job type, or the word 'sync'.", valueName: "type"))
  var type: String?

  @Argument(help: ArgumentHelp("After 'sync': the source to sync.", valueName: "source"))
  var source: String?

  @Argument(parsing: .postTerminator, help: "The command and its arguments, after '--'.")
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try AutomationWords.check(name)
    var settings = AutomationSettings(name, in: session.workspace, session.environment)
    for (setting, text) in options.given { try settings.set(setting, to: text) }
    let (policy, jitter) = policy.givenToAutomation
    if let jitter { try settings.set(.jitter, to: jitter) }
    let (definition, zone) = try settings.definition()
    guard
      let request = try AutomationJobWords(
        policy: policy, job: job, type: type, source: source, command: command
      ).request(in: session)
    else {
      throw CommandError.usage(
        "nothing is named that automation '\(name)' enqueues", hint: AutomationJobWords.usage)
    }
    let contract = AutomationContract(definition: definition, job: request)
    try AutomationWords.checkTurns(contract)
    let next = definition.next(after: session.now, in: zone).first
    let automation = try session.store.setAutomation(
      AutomationSetting(name: name, contract: contract, next: next?.at), in: session.workspace,
      expecting: .absent, by: session.actor, at: session.now
    ).after
    let output = session.output
    output.result(
      json: AutomationJSON.object(automation, next: next), id: automation.name
    ) {
      "automation '\(name)' is added to workspace '\(session.workspace)'"
        + (next.map { ": next at \(AutomationWords.moment($0, in: zone))" } ?? ": it never fires")
    }
    AutomationWords.note(definition, in: zone, session)
    try session.noteWithoutTicker()
    if request.overrides != nil { try session.noteUndefined([request.type]) }
    return .done
  }
}

import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationEdit: WorkspaceCommand {
  static let record = CommandRecord(
    "automation edit", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "edit", abstract: "Change what is named of an automation",
    usage: "hotglue automation edit NAME [flags] [TYPE | sync SOURCE | -- COMMAND…]",
    discussion: """
      Settings that are not named stay as they are. A new command, type or source replaces the job with \
      its policy. A changed schedule starts at now: earlier occurrences do not fire. Without any flag \
      your editor opens on the automation, as for 'draft edit automation NAME'.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup(title: "Schedule") var options: AutomationOptions
  @OptionGroup(title: "Policy") var policy: PolicyOptions
  @OptionGroup(title: "Job") var job: AutomationJobOptions

  @Option(
    name: .customLong("if-revision"),
    help: ArgumentHelp("Refuse unless it is at this revision.", valueName: "n"))
  var ifRevision: Int?

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  @Argument(help: ArgumentHelp("A job type, or the word 'sync'.", valueName: "type"))
  var type: String?

  @Argument(help: ArgumentHelp("After 'sync': the source to sync.", valueName: "source"))
  var source: String?

  @Argument(parsing: .postTerminator, help: "The command and its arguments, after '--'.")
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let before = try session.automation(automation)
    var settings = AutomationSettings(before.name, in: session.workspace, session.environment)
    for (setting, text) in options.given { try settings.set(setting, to: text) }
    let (policy, jitter) = policy.givenToAutomation
    if let jitter { try settings.set(.jitter, to: jitter) }
    let request = try AutomationJobWords(
      policy: policy, job: job, type: type, source: source, command: command
    ).request(in: session)
    if settings.isEmpty, request == nil {
      guard policy.isEmpty, job.isEmpty else {
        throw CommandError.usage(
          "the policy belongs to the job, and no job is named",
          hint: "repeat what it enqueues: hotglue automation edit NAME [flags] -- COMMAND…")
      }
      guard ifRevision == nil else {
        throw CommandError.usage(
          "nothing is named to be changed", hint: "hotglue automation edit NAME [flags]")
      }
      return try EntityEditing(kind: .automation, name: before.name).run(in: session)
    }
    let (definition, zone) = try settings.definition(over: before.definition)
    let contract = AutomationContract(
      definition: definition, job: request ?? before.contract.job)
    try AutomationWords.checkTurns(contract)
    let next = definition.next(after: session.now, in: zone).first
    let after = try session.store.setAutomation(
      AutomationSetting(name: before.name, contract: contract, next: next?.at),
      in: session.workspace, expecting: .revision(ifRevision ?? before.revision),
      by: session.actor, at: session.now
    ).after
    session.output.result(json: AutomationJSON.object(after, next: next), id: after.name) {
      before.revision == after.revision
        ? "automation '\(after.name)' of workspace '\(session.workspace)' is as it was"
        : "automation '\(after.name)' of workspace '\(session.workspace)' is changed "
          + "(revision \(after.revision))"
    }
    if definition.schedulesOtherwise(than: before.definition) {
      AutomationWords.note(definition, in: zone, session)
    }
    return .done
  }
}

struct AutomationRemove: WorkspaceCommand {
  static let record = CommandRecord(
    "automation remove", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove an automation",
    discussion: "Its jobs stay. Jobs that wait still run: 'job cancel' cancels them.")

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only show what would be removed.")
  var dryRun = false

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let automation = try session.automation(automation)
    if !dryRun {
      _ = try session.store.removeAutomation(
        automation.name, in: session.workspace, by: session.actor, at: session.now)
    }
    session.output.result(
      json: .object([
        JSON.Member("id", .integer(automation.id)), JSON.Member("name", .string(automation.name)),
        JSON.Member("workspace", .string(session.workspace.text)),
        JSON.Member("removed", .bool(!dryRun)), JSON.Member("dry_run", .bool(dryRun)),
      ]), id: automation.name
    ) {
      "automation '\(automation.name)' \(dryRun ? "would be" : "is") removed from workspace "
        + "'\(session.workspace)'"
    }
    return .done
  }
}

import HotglueCore
import HotglueStore

/// The draft of an automation: one table `[automation.NAME]`, as `type apply` reads it.
struct AutomationDraftForm: DraftForm {
  var kind: DraftKind { .automation }

  func template(of name: String?, in session: WorkspaceSession) throws -> String {
    if let name { try AutomationWords.check(name) }
    let folder = try session.environment.recordedDirectory(DraftWords.elsewhere)
    return """
      # An automation of workspace '\(session.workspace)'. Nothing changes before 'hotglue draft submit'.
      # Lines that begin with '#' say nothing. A key is the flag of 'hotglue automation add', its dashes as '_'.
      \(name.map { "[automation.\(TOMLFile.key($0))]" } ?? "# [automation.backup]")
      # When it fires: five fields as in crontab(5), or every = "15m".
      # cron = "30 2 * * *"
      # timezone = "Europe/Berlin"

      # What it enqueues: a command without a shell, a job type, or a source to sync.
      # command = ["./backup.sh"]
      # cwd = \(TOMLFile.quoted(folder))
      # type = "report"
      # sync = "crm"

      # missed = "one"
      # missed_within = "2h"
      # overlap = "skip"
      # jitter = "5m"
      # pause_after = 3

      """
  }

  func existing(_ name: String, in session: WorkspaceSession) throws -> DraftStart {
    let automation = try session.automation(name)
    let text = """
      # Automation '\(automation.name)' of workspace '\(session.workspace)', from revision \(automation.revision).
      # Settings that are left out become the default. A changed schedule starts at now.
      \(try session.table(of: automation))
      """
    return DraftStart(name: automation.name, text: text, revision: automation.revision)
  }

  func name(in file: TOMLFile) -> String? {
    guard let table = file.tables.first, file.tables.count == 1, table.path.count == 2,
      table.path[0] == AutomationTable.noun
    else { return nil }
    return table.path[1]
  }

  func read(
    _ file: TOMLFile, of draft: Draft, in session: WorkspaceSession
  ) throws(CommandError) -> DraftSubmission {
    guard let table = file.tables.first else {
      throw AutomationTable.wrong(
        1, "there is no [automation.NAME]", "begin with [automation.NAME]")
    }
    guard table.path != [] else {
      throw AutomationTable.wrong(
        table.entries.first?.line ?? 1, "a setting stands before the automation",
        "begin with [automation.NAME]")
    }
    guard file.tables.count == 1 else {
      throw AutomationTable.wrong(
        file.tables[1].line, "a draft is of one automation", "begin another draft for it")
    }
    let setting = try AutomationTable(session: session, folder: draft.directory).read(table)
    if draft.baseRevision != nil, let name = draft.name, name != setting.name {
      throw AutomationTable.wrong(
        table.line, "the draft is of automation '\(name)', and is called '\(setting.name)' now",
        "automations are not renamed: begin a new draft, 'hotglue draft new automation "
          + "\(setting.name)'")
    }
    return .automation(setting)
  }
}

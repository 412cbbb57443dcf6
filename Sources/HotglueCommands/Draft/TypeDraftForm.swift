import HotglueCore
import HotglueStore

/// The draft of a job type: one table `[type.NAME]`, as `type apply` reads it.
struct TypeDraftForm: DraftForm {
  var kind: DraftKind { .type }

  func template(of name: String?, in session: WorkspaceSession) throws -> String {
    if let name {
      do {
        try JobTypeWords.check(name)
      } catch {
        throw CommandError.usage(error.problem, hint: error.hint)
      }
    }
    let folder = try session.environment.recordedDirectory(DraftWords.elsewhere)
    return """
      # A job type of workspace '\(session.workspace)'. Nothing changes before 'hotglue draft submit'.
      # Lines that begin with '#' say nothing. A key is the flag of 'hotglue type set', its dashes as '_'.
      \(name.map { "[type.\(TOMLFile.key($0))]" } ?? "# [type.mail]")
      # What its jobs run, without a shell; they get their payload on standard input.
      # command = ["./handler"]
      # cwd = \(TOMLFile.quoted(folder))

      # timeout = "5m"
      # max_attempts = 5
      # backoff = "exponential:10s:1h"
      # replay = "unsafe"
      # limit = 4
      # queue = "default"
      # priority = 0

      """
  }

  func existing(_ name: String, in session: WorkspaceSession) throws -> DraftStart {
    let type = try session.store.type(
      session.name(name, of: .type), in: session.workspace)
    let text = """
      # Job type '\(type.name)' of workspace '\(session.workspace)', from revision \(type.revision).
      # What is not said becomes the default. Nothing changes before 'hotglue draft submit'.
      \(TypeFile.text([(type.name, type.definition)]))
      """
    return DraftStart(name: type.name, text: text, revision: type.revision)
  }

  func name(in file: TOMLFile) -> String? {
    guard file.tables.count == 1, file.tables[0].path.count == 2, file.tables[0].path[0] == "type"
    else { return nil }
    return file.tables[0].path[1]
  }

  func read(
    _ file: TOMLFile, of draft: Draft, in session: WorkspaceSession
  ) throws(CommandError) -> DraftSubmission {
    let types = try TypeFile(
      file, folder: draft.directory, umask: session.environment.umask, now: session.now
    ).types
    guard let type = types.first else {
      throw .badInput("there is no [type.NAME]", hint: "begin with [type.NAME]")
    }
    guard types.count == 1 else {
      throw .badInput(
        "line \(file.tables[1].line): a draft is of one type", hint: "begin another draft for it",
        facts: [JSON.Member("line", .integer(file.tables[1].line))])
    }
    if draft.baseRevision != nil, let name = draft.name, name != type.name {
      throw .badInput(
        "line \(file.tables[0].line): the draft is of type '\(name)', and is called "
          + "'\(type.name)' now",
        hint: "types are not renamed: begin a new draft, 'hotglue draft new type \(type.name)'",
        facts: [JSON.Member("line", .integer(file.tables[0].line))])
    }
    return .type(name: type.name, definition: type.definition)
  }
}

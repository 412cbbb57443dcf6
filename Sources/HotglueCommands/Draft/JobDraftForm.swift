import HotglueCore
import HotglueStore

/// The draft of a job: a table `[job]` with the keys of a line of `job enqueue --jsonl`.
struct JobDraftForm: DraftForm {
  var kind: DraftKind { .job }

  func template(of name: String?, in session: WorkspaceSession) throws -> String {
    if let name { try Self.check(name) }
    let folder = try session.environment.recordedDirectory(DraftWords.elsewhere)
    let runs =
      name.map { "type = \(TOMLFile.quoted($0))" }
        ?? """
        # What it runs, without a shell; or the job type whose command it is.
        # command = ["sh", "-c", "echo hello"]
        # type = "mail"
        """
    return """
      # A job of workspace '\(session.workspace)'. Nothing runs before 'hotglue draft submit'.
      # Lines that begin with '#' say nothing. A key is the flag of 'hotglue job enqueue', its dashes as '_'.
      [job]
      \(runs)

      # The handler's standard input: JSON between quotes, or over several lines between three.
      # payload = '{"to": "you@example.com"}'

      # The folder it runs in\(name == nil ? "" : "; its type's where nothing is said").
      \(name == nil ? "" : "# ")cwd = \(TOMLFile.quoted(folder))
      # env = ["NAME=VALUE"]

      # queue = "default"
      # priority = 0
      # run_at = "2026-03-01T08:30:00Z"
      # delay = "10m"
      # expires = "2h"
      # key = "order-17"
      # timeout = "5m"
      # max_attempts = 1
      # replay = "unsafe"

      """
  }

  func existing(_ name: String, in session: WorkspaceSession) throws -> DraftStart {
    throw CommandError.usage(
      "a job does not change once it is enqueued, so there is nothing of '\(name)' to edit",
      hint: "write a new one: 'hotglue draft new job'")
  }

  func name(in file: TOMLFile) -> String? {
    guard let entries = file.tables.first(where: { $0.path == [JobForm.table] })?.entries else {
      return nil
    }
    let type = entries.first { $0.key == "type" }?.value.stringValue
    return type ?? entries.first { $0.key == "command" }?.value.stringArray?.first
  }

  func read(
    _ file: TOMLFile, of draft: Draft, in session: WorkspaceSession
  ) throws(CommandError) -> DraftSubmission {
    let table = try Self.table(of: file)
    guard table.entries.contains(where: { $0.key == "command" || $0.key == "type" }) else {
      // A key that is misspelled may be the one that is missing.
      do throws(UnusableRequest) {
        try JobLine.refuseUnknown(table.entries.map(\.key))
      } catch {
        throw Self.wrong(error, in: table)
      }
      throw Self.wrong(
        table.line, "the job has neither a 'command' nor a 'type'",
        "say what it runs, as command = [\"echo\", \"hello\"]")
    }
    let reader = JobLine(
      defaults: JobSettings(), directory: draft.directory, umask: session.environment.umask,
      chosenDirectory: nil, environment: [], now: session.now, zone: session.environment.localZone,
      variable: session.environment.recordedValue)
    do {
      var members: [JSON.Member] = []
      for entry in table.entries {
        members.append(JSON.Member(entry.key, try Self.value(of: entry)))
      }
      return .job(try reader.request(.object(members)))
    } catch let error as BadSetting {
      let key = error.setting.key
      let entry = table.entries.first { $0.key == key }
      throw Self.wrong(
        entry?.line ?? table.line, error.message(for: key),
        Hint(error.hint { "\(key) = \($0.text)" }))
    } catch let error as UnusableRequest {
      throw Self.wrong(error, in: table)
    } catch let error as CommandError {
      throw error
    } catch {
      throw Self.wrong(table.line, "\(error)", nil)
    }
  }

  /// A payload is JSON in a string; what is no string is itself JSON.
  private static func value(of entry: TOMLFile.Entry) throws(CommandError) -> JSON {
    guard entry.key == JobForm.payloadKey, let text = entry.value.stringValue else {
      return entry.value
    }
    do {
      guard text.utf8.count <= Payload.longest else { throw Payload.tooLong(text.utf8.count) }
      return try JSON.parse(Array(text.utf8))
    } catch let error as UnusableRequest {
      throw wrong(entry.line, error.problem, error.hint)
    } catch let error as JSONError {
      // A payload over several lines begins behind the quotes, mostly on the next line.
      throw wrong(
        entry.line,
        "the payload is not JSON: \(error.reason) (line \(error.line) of it, "
          + "column \(error.column))",
        "a text needs quotes of its own: payload = '\"text\"'")
    } catch {
      throw wrong(entry.line, "\(error)", nil)
    }
  }

  private static func table(of file: TOMLFile) throws(CommandError) -> TOMLFile.Table {
    if let other = file.tables.first(where: { $0.path != [JobForm.table] }) {
      let line = other.path.isEmpty ? other.entries.first?.line ?? 1 : other.line
      throw wrong(
        line,
        other.path.isEmpty
          ? "a setting stands before [job]"
          : "[\(other.path.map(TOMLFile.key).joined(separator: "."))] is no part of a job",
        "write [job], then a line for each setting")
    }
    guard let table = file.tables.first else {
      throw wrong(1, "there is no [job]", "write [job], then a line for each setting")
    }
    return table
  }

  private static func check(_ name: String) throws(CommandError) {
    do {
      try JobTypeWords.check(name)
    } catch {
      throw .usage(error.problem, hint: error.hint)
    }
  }

  /// The words name the keys they are about, between quotes; the last one is one too many.
  private static func wrong(_ error: UnusableRequest, in table: TOMLFile.Table) -> CommandError {
    let entry = table.entries.last { error.problem.contains("'\($0.key)'") }
    return wrong(entry?.line ?? table.line, error.problem, error.hint)
  }

  private static func wrong(_ line: Int, _ problem: String, _ hint: Hint?) -> CommandError {
    .badInput(
      "line \(line): \(problem)", hint: hint, facts: [JSON.Member("line", .integer(line))])
  }
}

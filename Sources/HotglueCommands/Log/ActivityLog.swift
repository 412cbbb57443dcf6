import ArgumentParser
import HotglueCore
import HotglueStore

struct ActivityLog: HotglueCommand {
  static let record = CommandRecord("log", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "tell who changed what, and where they thought they were",
    discussion: """
      A row for every command that changed something, newest first: when, who, the command, the \
      workspace and where that came from (flag, context_file), the terminal or the job that it ran \
      in, and what it was done to. Payloads and arguments are not in it. What workers do to jobs is \
      in each job's history. Rows are kept for 90 days.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(
    name: .customLong("all-workspaces"),
    help: "Of every workspace, and what was done to the store as a whole.")
  var allWorkspaces = false

  @Option(help: ArgumentHelp("Only what this user did.", valueName: "name"))
  var user: String?

  @Option(
    help: ArgumentHelp(
      "Only this command, as 'job cancel', or all of a noun, as 'job'.", valueName: "words"))
  var command: String?

  @Option(
    help: ArgumentHelp(
      "Only what was done to this job, and what its handler did; by ID or link.",
      valueName: "job"))
  var job: String?

  @Option(
    help: ArgumentHelp("Only rows since: 2h (ago), or a time.", valueName: "duration|time"))
  var since: String?

  @OptionGroup var pages: PageOptions

  func validate() throws {
    if allWorkspaces, !global.workspaces.isEmpty {
      throw ValidationError("--all-workspaces and -w exclude each other")
    }
  }

  /// What no command is called was never logged: a misspelled one would find nothing without a word.
  private func checkCommand() throws(CommandError) {
    guard let command else { return }
    let names = CommandRegistry.records.map(\.name)
    guard !names.contains(where: { "\($0) ".hasPrefix("\(command) ") }) else { return }
    let near = NearMatch.among(names + CommandRegistry.verbs(of: []), to: command)
    throw .usage(
      "'--command' cannot be '\(command)': no command is called so",
      hint: near.isEmpty
        ? "give one as 'job cancel', or a noun as 'job'"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    try checkCommand()
    let session = try StoreSession.open(for: Self.record, global, in: environment)
    if allWorkspaces {
      let (allowed, others) = try session.allowedWorkspaces()
      if others > 0 {
        session.output.note(
          "note: left out: \(others) of \(allowed.count + others) workspaces, which this user may "
            + "not read")
      }
      let filter = ActivityFilter(workspaces: others > 0 ? allowed.map(\.id) : nil)
      session.output.breadcrumb("log")
      return try show(filter, session, job: jobOfAny)
    }
    let there = try session.entering(session.requireWorkspace())
    return try there.telling {
      there.output.breadcrumb(there.workspace.text, "log")
      return try show(
        ActivityFilter(workspaces: [there.workspace]), session, in: there.workspace,
        job: { try there.jobNumber($0) })
    }
  }

  private func jobOfAny(_ text: String) throws -> JobID {
    if EntityLink.isMeant(by: text) { return try EntityLink(argument: text).number(of: .job) }
    guard let id = JobID(text), id > 0 else {
      throw CommandError.usage(
        "'\(text)' is not a job ID", hint: "give a number like 42, or a link")
    }
    return id
  }

  private func show(
    _ base: ActivityFilter, _ session: StoreSession, in workspace: WorkspaceID? = nil,
    job number: (String) throws -> JobID
  ) throws -> ExitStatus {
    var filter = base
    filter.user = user
    filter.command = command
    filter.job = try job.map(number)
    let list = PagedList(
      session, in: workspace,
      filters: [
        "user=\(user ?? "")", "command=\(command ?? "")", "job=\(filter.job ?? 0)",
        "since=\(since ?? "")",
      ])
    let limit = try pages.most(session.output)
    let start = try list.start(at: pages.cursor)
    filter.since =
      try start?.since
      ?? since.map {
        try Moment.since(
          $0, now: session.now, zone: session.environment.localZone)
      }
    var before = start?.before
    var shown = 0
    let table = ActivityTable(output: session.output)
    while true {
      let wanted = limit == 0 ? Self.page : min(Self.page, limit - shown)
      let page = try session.store.activity(matching: filter, before: before, limit: wanted)
      table.add(page.entries)
      shown += page.entries.count
      guard let next = page.next, !session.environment.output.isClosed else { return .done }
      before = next
      if limit != 0, shown >= limit {
        if try hasMore(filter, below: next, session) {
          try list.tellNext(before: next, since: filter.since)
        }
        return .done
      }
    }
  }

  private func hasMore(
    _ filter: ActivityFilter, below start: ActivityID, _ session: StoreSession
  ) throws(StoreError) -> Bool {
    var before: ActivityID? = start
    while before != nil {
      let page = try session.store.activity(matching: filter, before: before, limit: 1)
      if !page.entries.isEmpty { return true }
      before = page.next
    }
    return false
  }

  /// Rows that are read in one snapshot.
  private static let page = 1000
}

/// Rows of the log below each other.
private struct ActivityTable {
  let output: Output

  func add(_ entries: [ActivityEntry]) {
    if output.isJSON {
      for entry in entries { output.jsonLine(Self.json(entry)) }
    } else if output.isQuiet {
      for entry in entries { output.line(entry.subject ?? "-") }
    } else {
      output.table(
        ["when", "user", "command", "workspace", "from", "terminal", "job", "subject"],
        entries.map { entry in
          [
            Cell(entry.at), Cell(Self.user(entry.actor)), Cell(entry.actor.command),
            Cell(entry.workspace?.text), Cell(entry.actor.workspaceOrigin),
            Cell(entry.actor.terminal), Cell(entry.actor.job.map { String($0) }),
            Cell(entry.subject),
          ]
        })
    }
  }

  /// Who did it, and who recorded it later, where that was another command.
  private static func user(_ actor: Actor) -> String {
    actor.user + (actor.repairedBy.map { " (ended by \($0))" } ?? "")
  }

  private static func json(_ entry: ActivityEntry) -> JSON {
    .object([
      JSON.Member("at", .string(entry.at.rfc3339)), JSON.Member("user", .string(entry.actor.user)),
      JSON.Member("command", .string(entry.actor.command)),
      JSON.Member("workspace", .text(entry.workspace?.text)),
      JSON.Member("origin", .string(entry.actor.workspaceOrigin)),
      JSON.Member("terminal", .text(entry.actor.terminal)),
      JSON.Member("job", .optional(entry.actor.job)), JSON.Member("subject", .text(entry.subject)),
      JSON.Member("repaired_by", .text(entry.actor.repairedBy)),
    ])
  }
}

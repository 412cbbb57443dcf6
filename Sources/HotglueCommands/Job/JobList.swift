import ArgumentParser
import HotglueCore
import HotglueStore

struct JobList: WorkspaceCommand {
  static let kind = CommandKind.jobList
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the jobs of the workspace, newest first",
    discussion: """
      A pending job is shown as 'scheduled' or 'retrying' while its time has not come, as \
      'undefined' while its type is not defined, and as 'limited' while others with its limit key \
      run. 'attempt' is the number of the last attempt, and how many there can be.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var filters: JobFilterOptions

  @Option(help: ArgumentHelp("At most so many; 0 for all.", valueName: "n"))
  var limit = 50

  @Option(help: ArgumentHelp("Go on where an earlier page ended.", valueName: "cursor"))
  var cursor: String?

  /// Rows that are read in one snapshot.
  private static let page = 1000

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard limit >= 0 else {
      throw CommandError.usage("'--limit' cannot be '\(limit)'", hint: "give 0 for all, or more")
    }
    let now = session.now
    var filter = try filters.filter(at: now)
    let query = filters.queryHash(filter)
    var before: JobID?
    if let cursor {
      let start = try start(at: cursor, query, session)
      before = start.before
      filter.since = start.since
    }
    session.output.breadcrumb(session.workspace.text, "jobs")
    let list = JobTable(output: session.output, now: now)
    var shown = 0
    while limit == 0 || shown < limit {
      let wanted = limit == 0 ? Self.page : min(Self.page, limit - shown)
      var jobs = try session.store.jobs(
        in: session.workspace, matching: filter, before: before, limit: wanted + 1)
      let hasMore = jobs.count > wanted
      if hasMore { jobs.removeLast() }
      list.add(jobs)
      shown += jobs.count
      before = jobs.last?.id
      if !hasMore || session.environment.output.isClosed { return .done }
    }
    if let before {
      let next = PageCursor(
        workspace: session.workspace, query: query, before: before, since: filter.since)
      try session.environment.output.flush()
      session.output.note("next page: --cursor \(next.text)")
    }
    return .done
  }

  private func start(
    at text: String, _ query: UInt64, _ session: WorkspaceSession
  ) throws(CommandError) -> PageCursor {
    guard let cursor = PageCursor(text) else {
      throw .usage("'--cursor' cannot be '\(text)'", hint: "give one that 'job list' printed")
    }
    guard cursor.workspace == session.workspace else {
      throw CommandError(
        "context_mismatch", .contextMismatch,
        "the cursor belongs to workspace '\(cursor.workspace)', but the context is "
          + "'\(session.workspace)' (\(session.context.workspaceProvenance))",
        hint: "hotglue -w \(cursor.workspace) job list --cursor \(text)",
        facts: [
          JSON.Member("workspace", .string(cursor.workspace.text)),
          JSON.Member("context_workspace", .string(session.workspace.text)),
        ])
    }
    guard cursor.query == query else {
      throw CommandError(
        "context_mismatch", .contextMismatch, "the cursor belongs to a list with other filters",
        hint: "give the filters of the page it was printed with")
    }
    return cursor
  }
}

/// Jobs below each other: a table, lines of text or JSON, or IDs.
struct JobTable {
  let output: Output
  let now: Timestamp

  private static let headings = [
    "id", "state", "attempt", "progress", "run at", "queue", "type", "command",
  ]

  func add(_ jobs: [Job]) {
    if output.isJSON {
      for job in jobs { output.jsonLine(JobJSON.object(job)) }
    } else if output.isQuiet {
      for job in jobs { output.rawLine(String(job.id)) }
    } else {
      output.table(Self.headings, jobs.map(row))
    }
  }

  private func row(_ job: Job) -> [Cell] {
    [
      Cell(job.id), Cell(stateOf: job, at: now),
      Cell("\(job.attempt)/\(job.circumstances.facts.mostAttempts)"),
      Cell(job.progress.map(ProgressText.short)), Cell(job.runAt),
      Cell(job.request.queue), Cell(job.request.type),
      Cell(job.request.command.isEmpty ? nil : ShellWords.joined(job.request.command)),
    ]
  }
}

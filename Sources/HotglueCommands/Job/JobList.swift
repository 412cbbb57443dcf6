import ArgumentParser
import HotglueCore
import HotglueStore

struct JobList: WorkspaceCommand {
  static let record = CommandRecord("job list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the jobs of the workspace, newest first",
    discussion: """
      A pending job is shown as 'scheduled' or 'retrying' while its time has not come, as \
      'undefined' while its type is not defined, and as 'limited' while as many run as the limit \
      of its queue, its type or its limit key allows. 'attempt' is the number of the last attempt, and how many there can be.

      With --watch the list is shown anew whenever a job changes. Off a terminal each job that \
      changed is shown once more, also one that the filters do not name any more. Where another \
      process switches the context meanwhile, the watch ends (80); with -w it goes on.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var filters: JobFilterOptions

  @OptionGroup var watching: WatchOptions

  @OptionGroup var pages: PageOptions

  /// Rows that are read in one snapshot.
  private static let page = 1000

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let limit = try pages.most(session.output)
    if watching.watch {
      guard pages.cursor == nil else {
        throw CommandError.usage(
          "'--watch' and '--cursor' cannot both be given", hint: "a watch shows the newest jobs")
      }
      return try JobListWatch(
        session: session, filter: filters.filter(in: session), limit: limit
      ).run()
    }
    var filter = try filters.filter(in: session)
    let list = PagedList(
      session.base, in: session.workspace, filters: filters.words(of: filter))
    let start = try list.start(at: pages.cursor)
    if let start { filter.since = start.since }
    session.output.breadcrumb(session.workspace.text, "jobs")
    let table = JobTable(session)
    var before = start?.before
    var shown = 0
    while limit == 0 || shown < limit {
      let wanted = limit == 0 ? Self.page : min(Self.page, limit - shown)
      var jobs = try session.store.jobs(
        in: session.workspace, matching: filter, before: before, limit: wanted + 1)
      let hasMore = jobs.count > wanted
      if hasMore { jobs.removeLast() }
      try table.add(jobs)
      shown += jobs.count
      before = jobs.last?.id
      if !hasMore || session.environment.output.isClosed { return .done }
    }
    if let before { try list.tellNext(before: before, since: filter.since) }
    return .done
  }
}

/// Jobs below each other: a table, lines of text or JSON, or IDs.
struct JobTable {
  private let session: WorkspaceSession
  private var output: Output { session.output }
  private var now: Timestamp { session.now }

  init(_ session: WorkspaceSession) { self.session = session }

  private static let headings = [
    "id", "state", "attempt", "progress", "run at", "queue", "type", "command",
  ]

  func add(_ jobs: [Job]) throws(StoreError) {
    if output.isQuiet, !output.isJSON {
      for job in jobs { output.rawLine(String(job.id)) }
      return
    }
    let full = try session.store.jobsWithoutRoom(among: jobs, in: session.workspace, at: now)
    if output.isJSON {
      for job in jobs {
        output.jsonLine(JobJSON.object(job, at: now, hasRoom: !full.contains(job.id)))
      }
    } else {
      output.table(Self.headings, jobs.map { row($0, hasRoom: !full.contains($0.id)) })
    }
  }

  private func row(_ job: Job, hasRoom: Bool) -> [Cell] {
    [
      Cell(job.id), Cell(stateOf: job, at: now, hasRoom: hasRoom),
      Cell("\(job.attempt)/\(job.circumstances.facts.mostAttempts)"),
      Cell(job.progress.map(ProgressText.short)), Cell(job.runAt),
      Cell(job.request.queue), Cell(job.request.type),
      Cell(job.request.command.isEmpty ? nil : ShellWords.joined(job.request.command)),
    ]
  }
}

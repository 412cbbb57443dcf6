import HotglueCore
import HotglueStore

/// `job list --watch`: the whole list anew on a terminal, the jobs that changed elsewhere.
struct JobListWatch {
  let session: WorkspaceSession
  let filter: JobFilter
  /// 0: all.
  let limit: Int

  func run() throws -> ExitStatus {
    var known: [JobID: Job] = [:]
    try Watch(session).run {
      var filter = filter
      filter.now = session.now
      let jobs = try session.store.jobs(
        in: session.workspace, matching: filter, before: nil, limit: limit == 0 ? .max : limit)
      if session.output.drawsOver {
        session.output.breadcrumb(session.workspace.text, "jobs")
        try table.add(jobs)
      } else {
        try tellChanges(jobs, &known)
      }
      return true
    }
    return .done
  }

  private var table: JobTable { JobTable(session) }

  /// A job that the list does not have any more is told once as what it has become: a script that
  /// watches the running ones learns how they ended.
  private func tellChanges(_ jobs: [Job], _ known: inout [JobID: Job]) throws {
    var seen = jobs
    let listed = Set(jobs.map(\.id))
    for id in known.keys.sorted() where !listed.contains(id) {
      if let job = try find(id) { seen.append(job) } else { known[id] = nil }
    }
    let isFirst = known.isEmpty
    let changed = seen.filter { $0.isChanged(from: known[$0.id]) }
    try table.add(isFirst ? changed : changed.sorted { $0.id < $1.id })
    for job in seen { known[job.id] = job }
    for (id, job) in known where !listed.contains(id) && job.state.isFinished { known[id] = nil }
  }

  /// `nil`: pruned, so it had ended, and was told.
  private func find(_ id: JobID) throws(StoreError) -> Job? {
    do throws(StoreError) {
      return try session.store.job(id, in: session.workspace).counted(at: session.now)
    } catch {
      guard error == .unknownJob(id) else { throw error }
      return nil
    }
  }
}

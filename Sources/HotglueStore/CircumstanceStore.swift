public import HotglueCore

/// What `job explain` asks a store. Reading only, each method on one snapshot.
public protocol CircumstanceStore {
  /// All that decides when the job runs next, as far as the store knows it.
  func circumstances(
    of id: JobID, in workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) -> JobCircumstances

  /// Those of the jobs that are due and find the limit of their queue or type used up. A limit key's
  /// is not asked: the job itself says so.
  func jobsWithoutRoom(
    among jobs: [Job], in workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) -> Set<JobID>

  /// Workers that have not said that they left; some may be dead.
  func registeredWorkers() throws(StoreError) -> [WorkerIdentity]
}

extension Job {
  /// What the job itself says of its circumstances.
  public var circumstances: JobCircumstances {
    var circumstances = JobCircumstances(
      facts: JobFacts(
        id: id, state: state, attempt: attempt, failures: failures, losses: losses,
        snoozes: snoozes, cancelRequested: cancelRequestedAt != nil, policy: request.policy),
      workspace: workspace, type: request.type, queue: request.queue, runAt: runAt)
    circumstances.reason = reason
    circumstances.failure = error.map { $0.message.isEmpty ? $0.code : "\($0.message), \($0.code)" }
    circumstances.expiresAt = request.expiresAt
    circumstances.finishedAt = finishedAt
    circumstances.waitsForType = waitsForType
    circumstances.typeLimit = typeLimit.map {
      JobCircumstances.Limit(name: request.type, limit: $0)
    }
    circumstances.keyLimit = request.limitKey.map {
      JobCircumstances.Limit(name: $0, limit: request.limitMax)
    }
    circumstances.waitsForKey = waitsForLimit
    return circumstances
  }
}

import HotglueCore
import HotglueStore

/// Jobs that run by their type.
extension SQLiteStore {
  /// The job as its type now has it run, while it waits; the type's absence otherwise. What runs or has
  /// ended stays as it was claimed.
  ///
  /// `known` keeps types from one job to the next.
  func resolved(
    _ job: Job, _ known: inout [String: JobType?]
  ) throws(StoreError) -> Job {
    guard job.state == .pending || job.state == .blocked,
      !TypeName.builtIn.contains(job.request.type)
    else { return job }
    let key = "\(job.workspace.text)/\(job.request.type)"
    let type: JobType?
    if let found = known[key] {
      type = found
    } else {
      type = try currentType(job.request.type, in: job.workspace)
      known[key] = .some(type)
    }
    var job = job
    job.waitsForType = type == nil
    job.typeLimit = type?.definition.limit
    job.isStreamed = job.request.overrides != nil && type?.definition.isStream ?? false
    if let overrides = job.request.overrides {
      job.typeRevision = type?.revision
      if let type { job.request = try job.request.running(by: type.definition, overrides, self) }
    }
    return job
  }

  func resolved(_ job: Job) throws(StoreError) -> Job {
    var known: [String: JobType?] = [:]
    return try resolved(job, &known)
  }

  /// The request with what it leaves to its type filled in: where it waits is fixed with this, how it
  /// is run is read again at every claim.
  func filledIn(
    _ request: EnqueueRequest, _ overrides: TypeOverrides, in workspace: WorkspaceID,
    _ known: inout [String: JobType?]
  ) throws(StoreError) -> EnqueueRequest {
    let type: JobType?
    if let found = known[request.type] {
      type = found
    } else {
      type = try currentType(request.type, in: workspace)
      known[request.type] = .some(type)
    }
    let definition =
      type?.definition ?? TypeDefinition(command: [], directory: request.directory)
    var request = try request.running(by: definition, overrides, self)
    request.queue = overrides.queue ?? definition.queue
    request.priority = overrides.priority ?? definition.priority
    request.limitKey = overrides.limitKey ?? definition.limitKey
    request.limitMax =
      request.limitKey == nil ? 1 : overrides.limitMax ?? definition.limitMax
    return request
  }
}

extension EnqueueRequest {
  fileprivate func running(
    by type: TypeDefinition, _ overrides: TypeOverrides, _ store: SQLiteStore
  ) throws(StoreError) -> EnqueueRequest {
    guard let policy = type.policy.applying(.object(overrides.policy)) else {
      throw StoreError.corrupt(path: store.path, detail: "a job's own policy cannot be read")
    }
    var request = self
    request.command = type.command
    request.directory = overrides.directory ?? type.directory
    request.umask = type.umask
    request.policy = policy
    return request
  }
}

extension TypeOverrides {
  /// The column `overrides`. What says where the job waits is in columns of its own.
  var column: String {
    var members: [JSON.Member] = []
    if let directory { members.append(JSON.Member("cwd", .string(directory))) }
    if !policy.isEmpty { members.append(JSON.Member("policy", .object(policy))) }
    return JSON.object(members).text
  }

  init(column: JSON) {
    self.init(
      policy: column["policy"]?.members ?? [], directory: column["cwd"]?.stringValue)
  }
}

import HotglueCore
import HotglueStore

/// What a sync job is to do: its payload.
struct SyncOrder: Equatable {
  var source: SourceID
  var isFull = false
  /// `nil`: as the source says.
  var idleTimeout: SourceOptions.Bound?
  var rejects: RejectRule?

  var json: JSON {
    var members = [JSON.Member("source", .integer(source)), JSON.Member("full", .bool(isFull))]
    switch idleTimeout {
    case .span(let span): members.append(JSON.Member("idle_timeout", .string(span.text)))
    case .some(.none): members.append(JSON.Member("idle_timeout", .string("none")))
    case nil: break
    }
    if let rejects { members.append(JSON.Member("on_reject", .string(rejects.text))) }
    return .object(members)
  }

  init(source: SourceID) { self.source = source }

  /// `nil` when the text is not what `json` writes.
  init?(_ json: JSON) {
    guard let source = json["source"]?.integerValue else { return nil }
    self.source = source
    isFull = json["full"]?.boolValue ?? false
    if let text = json["idle_timeout"]?.stringValue {
      if text == "none" {
        idleTimeout = SourceOptions.Bound.none
      } else {
        guard let span = Span(text) else { return nil }
        idleTimeout = .span(span)
      }
    }
    if let text = json["on_reject"]?.stringValue {
      guard let rule = RejectRule(text) else { return nil }
      rejects = rule
    }
  }
}

/// Syncs as jobs of the built-in type `sync`.
enum SyncJob {
  static let type = "sync"

  static let policy: JobPolicy = {
    var policy = JobPolicy.jobType
    policy.replay = .safe
    return policy
  }()

  /// The job of a sync. Its key is held until it has ended, so that a second request finds it and
  /// makes none; its limit key keeps two from running at once whatever else is done to them.
  static func request(_ order: SyncOrder, of source: Source) -> EnqueueRequest {
    EnqueueRequest(
      type: type, command: ["hotglue"] + CommandKind.syncAttempt.words + [source.name],
      directory: "/", payload: order.json.text, key: "source/\(source.id)", keyHold: .untilDone,
      limitKey: "sync:\(source.name)", policy: policy)
  }

  /// The source that a job is a sync of.
  static func source(of job: Job) -> SourceID? {
    guard job.request.type == type, let payload = job.request.payload else { return nil }
    do {
      return SyncOrder(try JSON.parse(payload))?.source
    } catch {
      return nil
    }
  }
}

extension WorkspaceSession {
  /// The sync job of the source that has not ended; of several, which only a retry by hand can make,
  /// the newest.
  func unfinishedSync(of source: SourceID) throws -> Job? {
    let filter = JobFilter(
      states: Set(JobState.allCases.filter { !$0.isFinished }), types: [SyncJob.type])
    var before: JobID?
    while true {
      let page = try store.jobs(in: workspace, matching: filter, before: before, limit: 200)
      if let found = page.first(where: { SyncJob.source(of: $0) == source }) { return found }
      guard page.count == 200, let last = page.last else { return nil }
      before = last.id
    }
  }
}

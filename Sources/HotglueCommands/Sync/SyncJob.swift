import HotglueCore
import HotglueStore

/// What a sync job is to do: its payload.
struct SyncOrder: Equatable {
  var source: SourceID
  var isFull = false
  /// Streams that alone begin anew.
  var fullStreams: [String] = []
  /// `nil`: as the source says.
  var idleTimeout: SourceOptions.Bound?
  var rejects: RejectRule?
  /// Attempts that may fail; `nil`: as of every job of a type.
  var maxAttempts: Int?
  /// Where the records go; `nil`: into the store.
  var target: [String]?
  /// How long a target may take to finish after an order to stop.
  var grace = standardGrace
  /// Whether what a target has confirmed in part may be sent again without a person.
  var replay = Replay.unsafe
  /// It takes records again that were set aside; the tap is not run.
  var retry: RejectRetryOrder?

  static let standardGrace = Span.seconds(30)
  /// Syncs of a source into one place are one after the other; of each place one may wait.
  var place: String {
    if retry != nil { return "/rejects" }
    return target.map { "/target/\(TargetWords.digest($0))" } ?? ""
  }
  var mustNotRepeat: Bool { target != nil && !replay.allowsRerunAfterUnknown }

  /// When a tap, or a target, is taken for hung.
  func idleBound(of source: Source) -> Span? {
    switch idleTimeout {
    case .span(let span): span
    case .some(.none): nil
    case nil: source.definition.idleTimeout
    }
  }

  var json: JSON {
    var members = [JSON.Member("source", .integer(source)), JSON.Member("full", .bool(isFull))]
    if !fullStreams.isEmpty { members.append(JSON.Member("full_streams", .strings(fullStreams))) }
    switch idleTimeout {
    case .span(let span): members.append(JSON.Member("idle_timeout", .string(span.text)))
    case .some(.none): members.append(JSON.Member("idle_timeout", .string("none")))
    case nil: break
    }
    if let rejects { members.append(JSON.Member("on_reject", .string(rejects.text))) }
    if let maxAttempts { members.append(JSON.Member("max_attempts", .integer(maxAttempts))) }
    if let target {
      members.append(JSON.Member("target", .strings(target)))
      members.append(JSON.Member("grace", .string(grace.text)))
      members.append(JSON.Member("replay", .string(replay.rawValue)))
    }
    if let retry { members.append(JSON.Member("retry", retry.json)) }
    return .object(members)
  }

  init(source: SourceID) { self.source = source }

  /// `nil` when the text is not what `json` writes.
  init?(_ json: JSON) {
    guard let source = json["source"]?.integerValue else { return nil }
    self.source = source
    isFull = json["full"]?.boolValue ?? false
    fullStreams = json["full_streams"]?.stringArray ?? []
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
    if let count = json["max_attempts"] {
      guard let count = count.integerValue, count > 0 else { return nil }
      maxAttempts = Int(count)
    }
    if let words = json["target"] {
      guard let target = words.stringArray, !target.isEmpty,
        let grace = json["grace"]?.stringValue.flatMap({ Span($0) }),
        let replay = json["replay"]?.stringValue.flatMap({ Replay(rawValue: $0) })
      else { return nil }
      self.target = target
      self.grace = grace
      self.replay = replay
    }
    if let text = json["retry"] {
      guard let retry = RejectRetryOrder(text) else { return nil }
      self.retry = retry
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
    var policy = Self.policy
    policy.maxAttempts = order.maxAttempts ?? policy.maxAttempts
    if order.target != nil {
      policy.replay = order.replay
      // The target finishes what it was given; the tap has had its own time to end before.
      let patience = Span(milliseconds: order.grace.milliseconds + 15_000)
      policy.stop = StopSequence("TERM,\(patience.text),KILL") ?? policy.stop
    }
    return EnqueueRequest(
      type: type, command: ["hotglue"] + SyncAttempt.record.words + [source.name],
      directory: "/", payload: order.json.text, key: key(order, source), keyHold: .untilDone,
      limitKey: "sync:\(source.name)", policy: policy)
  }

  /// A target's sync has a key of its own: one that waits for a person holds up no other.
  private static func key(_ order: SyncOrder, _ source: Source) -> String {
    "source/\(source.id)" + order.place
  }

  /// What a job is to sync.
  static func order(of job: Job) -> SyncOrder? {
    guard job.request.type == type, let payload = job.request.payload else { return nil }
    do {
      return SyncOrder(try JSON.parse(payload))
    } catch {
      return nil
    }
  }
}

/// The command of a target.
enum TargetWords {
  static func check(_ command: [String]) throws(CommandError) {
    do {
      try CommandWords.check(command)
    } catch {
      throw .usage(error.problem, hint: "hotglue sync run NAME [flags] -- TARGET COMMAND…")
    }
  }

  /// A short text that stands for the words (FNV-1a). Should two targets ever share it, the second is
  /// refused as a sync with other options, and nothing is mixed.
  static func digest(_ words: [String]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in JSON.strings(words).text.utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return String(hash, radix: 16)
  }
}

extension WorkspaceSession {
  /// The sync job of the source that has not ended; of several, one that runs, else the newest.
  func unfinishedSync(of source: SourceID) throws -> Job? {
    let found = try unfinishedSyncs(of: source)
    return found.first { $0.state == .running } ?? found.first
  }

  /// The sync jobs of the source that have not ended, newest first: one into the store and one into each
  /// target at the most, but for what a retry by hand makes.
  func unfinishedSyncs(of source: SourceID) throws -> [Job] {
    let filter = JobFilter(
      states: Set(JobState.allCases.filter { !$0.isFinished }), types: [SyncJob.type])
    var found: [Job] = []
    var before: JobID?
    while true {
      let page = try store.jobs(in: workspace, matching: filter, before: before, limit: 200)
      found += page.filter { SyncJob.order(of: $0)?.source == source }
      guard page.count == 200, let last = page.last else { return found }
      before = last.id
    }
  }
}

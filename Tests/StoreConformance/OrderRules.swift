import HotglueCore
import HotglueStore

/// The order of claims against a model of it, over random jobs: every job looked at, nothing clever.
extension ClaimStoreConformance {
  static let orderRules: [ConformanceRule] = (1...24).map { seed in
    ConformanceRule("claims come in the order of a model that looks at every job, seed \(seed)") {
      fixture in
      var world = ClaimModel(fixture, seed: seed)
      for _ in 0..<300 { try world.step() }
      try fixture.requireSound()
    }
  }
}

private struct ClaimModel {
  let fixture: StoreFixture
  let worker: WorkerID?
  var dice: UInt64
  var ids: [JobID] = []
  var running: [ClaimedJob] = []

  init(_ fixture: StoreFixture, seed: Int) {
    self.fixture = fixture
    dice = UInt64(seed) &* 0xD1B5_4A32_D192_ED03
    worker = nil
  }

  /// A number below the bound (SplitMix64).
  mutating func roll(_ bound: Int) -> Int {
    dice &+= 0x9E37_79B9_7F4A_7C15
    var word = dice
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ (word >> 31)) % UInt64(bound))
  }

  mutating func step() throws {
    switch roll(10) {
    case 0...3: try enqueue()
    case 4, 5: try claim()
    case 6: try settle()
    case 7, 8: fixture.advance(by: .seconds(Int64(1 + roll(2))))
    default: try roll(6) == 0 ? expire() : cancel()
    }
  }

  private mutating func enqueue() throws {
    let key = ["a", "a", "b", nil][roll(4)]
    let (limit, priority, queue) = (1 + roll(2), roll(2), ["default", "default", "slow"][roll(3)])
    let now = fixture.now
    let runAt = roll(3) == 0 ? now.advanced(by: .seconds(Int64(roll(10)))) : nil
    let expires = roll(2) == 0 ? now.advanced(by: .seconds(Int64(2 + roll(8)))) : nil
    ids.append(
      try fixture.enqueue {
        $0.limitKey = key
        $0.limitMax = limit
        $0.priority = priority
        $0.queue = queue
        $0.runAt = runAt
        $0.expiresAt = expires
      })
  }

  private mutating func claim() throws {
    let places = 1 + roll(3)
    let queues = roll(4) == 0 ? ["slow"] : []
    let expected = try due(places, queues)
    let claimed = try fixture.claim(places, queues: queues)
    try requireEqual(claimed.map(\.job.id), expected, "what is claimed")
    running += claimed
  }

  private func due(_ places: Int, _ queues: [String]) throws -> [JobID] {
    let jobs = try ids.map { try fixture.job($0) }
    var busy = jobs.filter { $0.state == .running }
    let waiting = jobs.filter {
      $0.state == .pending && $0.runAt <= fixture.now
        && !$0.isExpired(at: fixture.now)
        && (queues.isEmpty || queues.contains($0.request.queue))
    }.sorted {
      (-$0.request.priority, $0.runAt.milliseconds, $0.id)
        < (-$1.request.priority, $1.runAt.milliseconds, $1.id)
    }
    var taken: [JobID] = []
    for job in waiting where taken.count < places {
      if let key = job.request.limitKey,
        busy.count(where: { $0.request.limitKey == key }) >= job.request.limitMax
      {
        continue
      }
      taken.append(job.id)
      busy.append(job)
    }
    return taken
  }

  private mutating func settle() throws {
    guard !running.isEmpty else { return }
    let attempt = running.remove(at: roll(running.count))
    let outcome: AttemptOutcome = roll(4) == 0 ? .snooze : .succeeded
    try fixture.settle(
      attempt.reference, outcome, after: outcome == .snooze ? .seconds(3) : nil)
  }

  private mutating func cancel() throws {
    guard !ids.isEmpty else { return }
    let id = ids[roll(ids.count)]
    let job = try fixture.job(id)
    guard job.state == .pending, !job.isExpired(at: fixture.now) else { return }
    _ = try fixture.cancel(id)
  }

  private func expire() throws { _ = try fixture.expire() }
}

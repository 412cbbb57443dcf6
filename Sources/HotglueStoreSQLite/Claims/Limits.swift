import HotglueCore
import HotglueStore

/// Limits per key. A due job that finds its key saturated is *parked*: it leaves the claim's way until
/// a job of that key makes room.
///
/// What keeps a parked job from waiting for ever: it is parked only while running jobs fill its limit,
/// and whenever one of the key leaves `running`, or an unparked one leaves `pending` without a claim,
/// as many parked jobs as there is room for come back, in each lane of the key.
extension SQLiteStore {
  /// How often one claim parks before it returns what it has; the caller comes again.
  static let mostParkings = 256
  /// How many jobs of one lane come back at once at the most.
  static let mostUnparked: Int64 = 32

  func isSaturated(
    _ key: String, limit: Int64, in workspace: WorkspaceID
  ) throws(StoreError) -> Bool {
    try countRunning(key, upTo: limit, in: workspace) >= limit
  }

  private func countRunning(
    _ key: String, upTo bound: Int64, in workspace: WorkspaceID
  ) throws(StoreError) -> Int64 {
    try connection.first(
      ClaimSQL.countRunning, [.text(workspace.text), .text(key), .integer(bound)],
      { $0.integer(0) }) ?? 0
  }

  func park(_ id: JobID) throws(StoreError) {
    try connection.run(ClaimSQL.park, [.integer(id)])
  }

  /// A job that is not due, since the wall clock was set back, comes back without taking up room: it is
  /// parked again when it stands in the way.
  func unpark(
    _ key: String, in workspace: WorkspaceID, at now: Timestamp
  ) throws(StoreError) {
    // Mostly nobody waits, and then nothing is counted.
    guard try nextParkedLane(key, in: workspace, after: ("", "")) != nil else { return }
    let running = try countRunning(key, upTo: 1 << 20, in: workspace)
    var place = ("", "")
    while let lane = try nextParkedLane(key, in: workspace, after: place) {
      place = lane
      let waiting = try connection.all(
        ClaimSQL.parkedInLane,
        [
          .text(workspace.text), .text(key), .text(lane.0), .text(lane.1), .integer(running),
          .integer(Self.mostUnparked),
        ], { (id: $0.integer(0), limit: $0.integer(1), runAt: $0.integer(2)) })
      // Counted are those that come, not those that are passed over: a wider limit may have room
      // where a narrow one has none.
      var coming = running
      for job in waiting where coming < job.limit {
        try connection.run(ClaimSQL.unpark, [.integer(job.id)])
        if job.runAt <= now.milliseconds { coming += 1 }
      }
    }
  }

  private func nextParkedLane(
    _ key: String, in workspace: WorkspaceID, after place: (String, String)
  ) throws(StoreError) -> (String, String)? {
    try connection.first(
      ClaimSQL.nextParkedLane,
      [.text(workspace.text), .text(key), .text(place.0), .text(place.1)],
      { ($0.text(0), $0.text(1)) })
  }
}

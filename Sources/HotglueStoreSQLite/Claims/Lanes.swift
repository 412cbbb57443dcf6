import HotglueCore
import HotglueStore

/// The first claimable job of one lane: the pending jobs of one workspace, queue and type.
struct LaneHead {
  var workspace: WorkspaceID
  var queue: String
  var type: String
  var rank: Int64
  var runAt: Int64
  var id: JobID
  var limitKey: String?
  var limitMax: Int64
  var expiresAt: Int64?

  init(workspace: WorkspaceID, row: Row) {
    self.workspace = workspace
    queue = row.text(0)
    type = row.text(1)
    rank = row.integer(2)
    runAt = row.integer(3)
    id = row.integer(4)
    limitKey = row.optionalText(5)
    limitMax = row.integer(6)
    expiresAt = row.optionalInteger(7)
  }

  /// Order of claims: priority, then `run_at`, then ID.
  static func comesFirst(_ left: LaneHead, _ right: LaneHead) -> Bool {
    (left.rank, left.runAt, left.id) < (right.rank, right.runAt, right.id)
  }
}

/// Jobs whose deadline has passed and that stand at the head of a lane: a claim cancels them. One that
/// was only passed over would keep the room of its limit key, and a later job of another key would be
/// claimed before the next of its own.
struct Deadlines {
  /// How many more the claim cancels; what is left is passed over.
  var most = 256
  /// One with a limit key has gone: others may have come back into any lane.
  var madeRoom = false
}

extension SQLiteStore {
  /// The heads of all lanes that the request may claim from.
  ///
  /// The lanes are found by seeking from one to the next in `job_ready`, so the cost grows with the
  /// number of lanes and not with the jobs in them, nor with finished jobs, other workspaces, or jobs
  /// parked behind a limit, which the index does not hold or holds apart.
  func laneHeads(
    _ request: ClaimRequest, _ gates: inout LaneGates, _ deadlines: inout Deadlines,
    at now: Timestamp
  ) throws(StoreError) -> [LaneHead] {
    var heads: [LaneHead] = []
    for workspace in request.workspaces {
      guard try isActive(workspace) else { continue }
      var place = ("", "")
      while let first = try nextLane(in: workspace, after: place) {
        place = (first.queue, first.type)
        guard request.queues.isEmpty || request.queues.contains(first.queue),
          request.types.isEmpty || request.types.contains(first.type),
          try gates.room(in: first, self) > 0
        else { continue }
        if let due = try firstDue(from: first, ending: &deadlines, at: now) { heads.append(due) }
      }
    }
    return heads
  }

  func nextLane(
    in workspace: WorkspaceID, after place: (String, String)
  ) throws(StoreError) -> LaneHead? {
    try connection.first(
      ClaimSQL.nextLane, [.text(workspace.text), .text(place.0), .text(place.1)]
    ) { LaneHead(workspace: workspace, row: $0) }
  }

  /// The first due job of a lane, from the given head's rank on: rank by rank, the head itself first.
  func firstDue(from head: LaneHead, at now: Timestamp) throws(StoreError) -> LaneHead? {
    var none = Deadlines(most: 0)
    return try firstDue(from: head, ending: &none, at: now)
  }

  private func firstDue(
    from head: LaneHead, ending deadlines: inout Deadlines, at now: Timestamp
  ) throws(StoreError) -> LaneHead? {
    var head = head
    while true {
      if head.runAt <= now.milliseconds {
        guard let end = head.expiresAt, end <= now.milliseconds else { return head }
        if deadlines.most > 0 {
          try endExpired(head.id, at: now)
          deadlines.most -= 1
          if head.limitKey != nil { deadlines.madeRoom = true }
          guard let next = try self.head(after: head, rank: head.rank) else { return nil }
          head = next
          continue
        }
        // Expired ones stand in front until someone cancels them; they are passed over.
        if let due = try due(inRankOf: head, at: now) { return due }
      }
      guard head.rank < Int64.max, let next = try self.head(after: head, rank: head.rank + 1) else {
        return nil
      }
      head = next
    }
  }

  /// The lane's first due job after its head was taken or parked.
  func nextDue(
    afterLeavingOf head: LaneHead, _ deadlines: inout Deadlines, at now: Timestamp
  ) throws(StoreError) -> LaneHead? {
    guard let next = try self.head(after: head, rank: head.rank) else { return nil }
    return try firstDue(from: next, ending: &deadlines, at: now)
  }

  func head(after head: LaneHead, rank: Int64) throws(StoreError) -> LaneHead? {
    try connection.first(
      ClaimSQL.headFromRank,
      [
        .text(head.workspace.text), .text(head.queue), .text(head.type), .integer(rank),
      ]
    ) { LaneHead(workspace: head.workspace, row: $0) }
  }

  private func due(inRankOf head: LaneHead, at now: Timestamp) throws(StoreError) -> LaneHead? {
    try connection.first(
      ClaimSQL.dueInRank,
      [
        .text(head.workspace.text), .text(head.queue), .text(head.type), .integer(head.rank),
        .integer(now.milliseconds),
      ]
    ) { LaneHead(workspace: head.workspace, row: $0) }
  }

  func isActive(_ workspace: WorkspaceID) throws(StoreError) -> Bool {
    let state = try connection.first(WorkspaceSQL.state, [.text(workspace.text)], { $0.text(0) })
    return state == "active"
  }
}

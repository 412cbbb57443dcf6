import HotglueCore
import HotglueStore

/// How many jobs a claim may take of each type and of each queue, found once for each that it meets.
///
/// A type that is not defined, and a type or queue whose limit is used up, closes all its lanes,
/// whatever waits in them.
struct LaneGates {
  private var types: [TypePlace: Int64] = [:]
  private var queues: [QueuePlace: Int64] = [:]

  private struct QueuePlace: Hashable {
    var workspace: WorkspaceID
    var queue: String
  }

  /// `closed`: types that whoever asks does not want.
  init(closed: Set<TypePlace>) {
    for type in closed { types[type] = 0 }
  }

  /// How many jobs of the lane may be claimed now; `Int64.max` without a limit.
  mutating func room(in lane: LaneHead, _ store: SQLiteStore) throws(StoreError) -> Int64 {
    let room = try room(ofType: lane, store)
    return room <= 0 ? room : min(room, try self.room(inQueue: lane, store))
  }

  /// One job of the lane was claimed: what counts against its queue is recorded in its row.
  mutating func take(_ lane: LaneHead, _ store: SQLiteStore) throws(StoreError) {
    let type = TypePlace(workspace: lane.workspace, type: lane.type)
    if let room = types[type], room < .max { types[type] = room - 1 }
    let queue = QueuePlace(workspace: lane.workspace, queue: lane.queue)
    if let room = queues[queue], room < .max {
      queues[queue] = room - 1
      try store.connection.run(QueueSQL.count, [.integer(lane.id)])
    }
  }

  private mutating func room(
    ofType lane: LaneHead, _ store: SQLiteStore
  ) throws(StoreError) -> Int64 {
    // Bare commands are the common case and cost nothing here.
    if TypeName.builtIn.contains(lane.type) { return .max }
    let key = TypePlace(workspace: lane.workspace, type: lane.type)
    if let room = types[key] { return room }
    let room = try store.room(ofType: lane.type, in: lane.workspace)
    types[key] = room
    return room
  }

  private mutating func room(
    inQueue lane: LaneHead, _ store: SQLiteStore
  ) throws(StoreError) -> Int64 {
    let key = QueuePlace(workspace: lane.workspace, queue: lane.queue)
    if let room = queues[key] { return room }
    let room = try store.room(inQueue: lane.queue, in: lane.workspace)
    queues[key] = room
    return room
  }
}

extension SQLiteStore {
  func room(
    ofType type: String, in workspace: WorkspaceID
  ) throws(StoreError) -> Int64 {
    let found = try connection.first(
      TypeSQL.open, [.text(workspace.text), .text(type)], { (limit: $0.optionalInteger(0), ()) })
    guard let found else { return 0 }
    guard let limit = found.limit else { return .max }
    return limit - (try countRunning(ofType: type, upTo: limit, in: workspace))
  }

  func countRunning(
    ofType type: String, upTo bound: Int64, in workspace: WorkspaceID
  ) throws(StoreError) -> Int64 {
    try connection.first(
      TypeSQL.countRunning, [.text(workspace.text), .text(type), .integer(bound)],
      { $0.integer(0) }) ?? 0
  }

  func room(
    inQueue name: String, in workspace: WorkspaceID
  ) throws(StoreError) -> Int64 {
    guard let limit = try limit(ofQueue: name, in: workspace).map({ Int64($0) }) else {
      return .max
    }
    return limit - (try countRunning(inQueue: name, upTo: limit, in: workspace))
  }
}

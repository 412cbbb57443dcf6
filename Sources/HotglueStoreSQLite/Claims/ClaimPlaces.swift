import HotglueCore
import HotglueStore

/// Where the jobs of one claim go.
///
/// A job of a stream goes to a stream that has a job and room, then to an idle stream of its kind, then
/// to an idle supervisor, which becomes one; any other job to an idle supervisor.
struct ClaimPlaces {
  struct Place {
    var slot: String
    var stream: StreamKey?
  }

  private var slots: ArraySlice<String>
  private var streams: [StreamPlace]
  private var seats: Int

  init(_ request: ClaimRequest) {
    slots = request.slots[...]
    streams = request.streams.filter { $0.room > 0 }
    seats = request.seats
  }

  /// No job has a place any more.
  var areTaken: Bool {
    (seats <= 0 || slots.isEmpty && !streams.contains(where: \.isIdle))
      && !streams.contains { !$0.isIdle && $0.room > 0 }
  }

  /// A place for the job, or `nil` if it has none.
  mutating func take(for job: Job) -> Place? {
    guard job.isStreamed, let revision = job.typeRevision else {
      guard seats > 0, let slot = slots.popFirst() else { return nil }
      seats -= 1
      return Place(slot: slot)
    }
    var key = StreamKey(
      workspace: job.workspace, type: job.request.type, revision: revision,
      directory: job.request.directory, environment: job.request.environment,
      keepsChildren: job.request.policy.keepChildren)
    key.umask = job.request.umask
    if let open = streams.firstIndex(where: { !$0.isIdle && $0.room > 0 && $0.key == key }) {
      streams[open].room -= 1
      return Place(slot: streams[open].slot, stream: key)
    }
    guard seats > 0 else { return nil }
    if let idle = streams.firstIndex(where: { $0.isIdle && $0.key == key }) {
      seats -= 1
      streams[idle].isIdle = false
      streams[idle].room -= 1
      return Place(slot: streams[idle].slot, stream: key)
    }
    guard let slot = slots.popFirst() else { return nil }
    seats -= 1
    // Of a handler that is not started yet nobody knows how quick it is: it gets one job.
    return Place(slot: slot, stream: key)
  }
}

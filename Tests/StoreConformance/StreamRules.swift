import HotglueCore
import HotglueStore

extension ClaimStoreConformance {
  static let streamRules: [ConformanceRule] = [
    ConformanceRule("a stream takes jobs of its own kind within its room, and other jobs get seats")
    {
      fixture in
      try fixture.setType("mail") { $0.isStream = true }
      for _ in 0..<5 { try fixture.enqueueTyped("mail") }
      let bare = try fixture.enqueue()
      let first = try fixture.claimStreams(slots: ["a"], [])
      try requireEqual(first.map(\.slot), ["a"], "a new stream gets one job")
      let key = try requireValue(first.first?.stream, "the stream's key")
      try requireEqual(key.revision, 1, "the revision")
      let more = try fixture.claimStreams(
        slots: ["b"], [StreamPlace(slot: "a", key: key, room: 3, isIdle: false)])
      try requireEqual(more.map(\.slot), ["a", "a", "a", "b"], "where the next ones go")
      let rest = try fixture.claimStreams(slots: ["c"], [])
      try requireEqual(rest.map(\.job.id), [bare], "the bare command")
      try requireEqual(rest.first?.stream, nil, "its stream")
      try fixture.requireSound()
    },
    ConformanceRule("no job of a stream overtakes one that waits for a seat") { fixture in
      try fixture.setType("mail") { $0.isStream = true }
      try fixture.enqueueTyped("mail")
      let bare = try fixture.enqueue()
      try fixture.enqueueTyped("mail")
      let key = try requireValue(
        try fixture.claimStreams(slots: ["a"], []).first?.stream, "the stream's key")
      let place = StreamPlace(slot: "a", key: key, room: 9, isIdle: false)
      try requireEqual(try fixture.claimStreams(slots: [], [place]), [], "without a seat")
      let both = try fixture.claimStreams(slots: ["b"], [place])
      try requireEqual(both.map(\.slot), ["b", "a"], "with one")
      try requireEqual(both.first?.job.id, bare, "what comes first")
    },
    ConformanceRule("an idle stream takes a seat with its first job, and none beyond the seats") {
      fixture in
      try fixture.setType("mail") { $0.isStream = true }
      for _ in 0..<6 { try fixture.enqueueTyped("mail") }
      let key = try requireValue(
        try fixture.claimStreams(slots: ["a"], []).first?.stream, "the stream's key")
      let idle = ["b", "c"].map { StreamPlace(slot: $0, key: key, room: 2, isIdle: true) }
      let claimed = try fixture.claimStreams(slots: [], idle, seats: 1)
      try requireEqual(claimed.map(\.slot), ["b", "b"], "where they go")
    },
    ConformanceRule("what a process is started with keeps jobs of a type apart") { fixture in
      try fixture.setType("mail") { $0.isStream = true }
      try fixture.enqueueTyped("mail")
      let key = try requireValue(
        try fixture.claimStreams(slots: ["a"], []).first?.stream, "the stream's key")
      let place = StreamPlace(slot: "a", key: key, room: 9, isIdle: false)
      try fixture.enqueueTyped("mail") { $0.environment = ["A=1"] }
      try fixture.enqueueTyped("mail") { $0.overrides?.directory = "/elsewhere" }
      let apart = try fixture.claimStreams(slots: ["b", "c"], [place])
      try requireEqual(apart.map(\.slot), ["b", "c"], "where jobs of their own go")
      try fixture.setType("mail") { $0.command = ["/bin/other"] }
      try fixture.enqueueTyped("mail")
      let newer = try fixture.claimStreams(slots: ["d"], [place])
      try requireEqual(newer.map(\.slot), ["d"], "where a newer revision goes")
      try requireEqual(newer.first?.stream?.revision, 2, "its revision")
    },
    ConformanceRule("limits hold in a stream's room, and closed types are passed over") { fixture in
      try fixture.setType("mail") {
        $0.isStream = true
        $0.limit = 2
      }
      for _ in 0..<4 { try fixture.enqueueTyped("mail") }
      let bare = try fixture.enqueue()
      let closed: Set = [TypePlace(workspace: fixture.acme, type: "mail")]
      try requireEqual(
        try fixture.claimStreams(slots: ["z"], [], closed: closed).map(\.job.id), [bare],
        "with the type closed")
      try requireEqual(
        try fixture.store.nextDue(
          in: [fixture.acme], queues: [], types: [], except: closed, at: fixture.now), nil,
        "when something is due")
      let key = try requireValue(
        try fixture.claimStreams(slots: ["a"], []).first?.stream, "the stream's key")
      let place = StreamPlace(slot: "a", key: key, room: 9, isIdle: false)
      try requireEqual(try fixture.claimStreams(slots: [], [place]).count, 1, "within the limit")
    },
  ]
}

extension StoreFixture {
  fileprivate func claimStreams(
    slots: [String], _ streams: [StreamPlace], seats: Int? = nil, closed: Set<TypePlace> = []
  ) throws -> [ClaimedJob] {
    var request = ClaimRequest(
      worker: try registerWorker(), workspaces: [acme], slots: slots, bootNow: boot)
    request.streams = streams
    if let seats { request.seats = seats }
    request.closedTypes = closed
    return try store.settle([], thenClaim: request, at: now).claimed
  }
}

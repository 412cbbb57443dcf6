import Foundation
import Testing

/// A handler charges a card through `effect run`, and is killed before the request, after it was
/// sent, after the answer, and before the confirmation.
@Suite(.serialized)
struct PaymentTests {
  private static let jobs = 110

  @Test(
    "a service that honours keys charges each of 110 jobs once, however their handlers are killed")
  func keysAreHonoured() throws {
    let world = try World()
    let service = try PaymentService(in: world, honoursKeys: true)
    let ids = try enqueue(in: world, service, replay: "keyed")
    try drain(world)
    #expect(try world.stateCounts() == ["succeeded": Self.jobs])
    #expect(try service.charges() == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
    try requireEveryPoint(world)
    #expect(try effects(world, state: "confirmed").count == Self.jobs)
    #expect(try effects(world, state: "unknown").isEmpty)
    // What was confirmed is what the service answered.
    for id in ids.prefix(5) {
      let receipt = try world.succeed(["effect", "show", "charge", "--job", id, "--output"])
      #expect(receipt.hasPrefix("receipt-\(id)-"))
    }
    try world.checkStore()
  }

  @Test("without keys nobody is charged twice: what is in doubt is listed, and a check resolves it")
  func keysAreNotHonoured() throws {
    let world = try World()
    let service = try PaymentService(in: world, honoursKeys: false)
    let ids = try enqueue(in: world, service, replay: "safe")
    try drain(world)
    let before = try service.charges()
    #expect(before.values.allSatisfy { $0 == 1 }, "a blind second charge: \(before)")
    let counts = try world.stateCounts()
    let doubtful = try effects(world, state: "unknown").compactMap { $0["job"] as? Int }
    #expect(counts["failed"] == doubtful.count && !doubtful.isEmpty, "\(counts)")
    #expect((counts["succeeded"] ?? 0) + doubtful.count == Self.jobs)
    // Of what is in doubt some happened and some did not.
    let happened = doubtful.filter { before[String($0)] == 1 }.count
    #expect((1..<doubtful.count).contains(happened))
    try requireEveryPoint(world)
    // A person names the way to look, and has them tried again.
    try Data("check=python3 client.py find \(service.port) $HOTGLUE_JOB".utf8).write(
      to: world.folder.appendingPathComponent("unknown"))
    _ = try world.succeed(["job", "retry"] + doubtful.map(String.init))
    try drain(world)
    #expect(try world.stateCounts() == ["succeeded": Self.jobs])
    #expect(try service.charges() == Dictionary(uniqueKeysWithValues: ids.map { ($0, 1) }))
    #expect(try effects(world, state: "unknown").isEmpty)
    #expect(try effects(world, state: "confirmed").count == Self.jobs)
    try world.checkStore()
  }

  private func enqueue(
    in world: World, _ service: PaymentService, replay: String
  ) throws -> [String] {
    try Data(PaymentService.client.utf8).write(
      to: world.folder.appendingPathComponent("client.py"))
    try Data((replay == "keyed" ? "rerun" : "refuse").utf8).write(
      to: world.folder.appendingPathComponent("unknown"))
    return try world.enqueueLines(
      (1...Self.jobs).map { seed in
        let script =
          "hotglue effect run charge --unknown \\\"$(cat unknown)\\\" -- python3 client.py charge "
          + "\(service.port) $HOTGLUE_JOB $HOTGLUE_KEY \(seed); exit $?"
        return
          "{\"command\":[\"sh\",\"-c\",\"\(script)\"],\"replay\":\"\(replay)\",\"max_losses\":8,\"backoff\":\"fixed:50ms\"}"
      })
  }

  private func drain(_ world: World) throws {
    try world.succeed(["job", "work", "-w", "main", "--concurrency", "4", "--drain"])
  }

  private func requireEveryPoint(_ world: World) throws {
    let points = world.read("points").split(separator: "\n").map(String.init)
    for point in ["0", "1", "2", "3", "4"] {
      #expect(points.filter { $0 == point }.count >= 8, "point \(point) of \(points.count)")
    }
  }

  private func effects(_ world: World, state: String) throws -> [[String: Any]] {
    try world.run(["effect", "list", "--state", state, "--limit", "0", "--json"]).lines.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }
}

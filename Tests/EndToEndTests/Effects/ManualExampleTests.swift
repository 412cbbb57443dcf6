import Foundation
import Testing

/// The examples of hotglue-effects(7), run as they stand in the page.
@Suite(.serialized)
struct EffectManualTests {
  private static let page = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("man/man7/hotglue-effects.7")

  /// The texts between `.EX` and `.EE`, as a reader sees them.
  private func examples() throws -> [String] {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    return text.components(separatedBy: "\n.EX\n").dropFirst().map { part in
      var body = part.components(separatedBy: "\n.EE")[0] + "\n"
      for (roff, plain) in [("\\-", "-"), ("\\(aq", "'"), ("\\e", "\\")] {
        body = body.replacingOccurrences(of: roff, with: plain)
      }
      return body
    }
  }

  @Test("every worked example of the page does what it says, also when it is run a second time")
  func examplesWork() throws {
    let examples = try examples()
    try #require(examples.count == 4)
    let world = try World()
    let service = try PaymentService(in: world, honoursKeys: true)
    world.environment["PAYMENTS"] = "http://127.0.0.1:\(service.port)"
    world.environment["PATH"] = world.folder.path + ":" + (world.environment["PATH"] ?? "")
    // What the examples call. Each leaves a line, so that a second call would be seen.
    let stubs = [
      "charge-card": "echo \"card $*\" >>calls; echo receipt-7", "find-charge": "exit 1",
      "send-receipt": "echo \"mail $*\" >>calls", "open-ticket": "echo ticket >>calls; echo 17",
      "send-invoice": "echo \"invoice $*\" >>calls",
    ]
    for (name, body) in stubs { try write("#!/bin/sh\n\(body)\n", to: name, in: world) }
    var ids: [String] = []
    for (number, example) in examples.enumerated() {
      try write(example, to: "example-\(number)", in: world)
      // The handler runs the example twice: the second time everything is confirmed.
      ids.append(try world.enqueue("./example-\(number) && ./example-\(number)"))
    }
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    for id in ids {
      let log = try world.run(["job", "logs", id]).output
      #expect(try world.state(id) == "succeeded", "job \(id): \(log)")
    }
    #expect(
      world.read("calls").split(separator: "\n").sorted() == [
        "card \(ids[0]) 12.50", "invoice 2026-11", "mail receipt-7", "ticket",
      ])
    #expect(try service.charges() == [ids[1]: 1])
    #expect(try world.succeed(["job", "logs", ids[2]]) == "ticket 17\nticket 17")
    let receipts = try world.succeed(["job", "logs", ids[1]]).split(separator: "\n")
    #expect(receipts.count == 2 && receipts.first == receipts.last)
  }

  private func write(_ text: String, to name: String, in world: World) throws {
    let file = world.folder.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
  }
}

import Foundation
import Testing

extension World {
  /// Occurrences that are due, and that no others follow; nothing has ticked.
  fileprivate func dueOccurrences() throws {
    try succeed([
      "automation", "add", "beat", "--every", "1s", "--until", "+3s", "--overlap", "allow", "--",
      "sh", "-c", "echo $HOTGLUE_OCCURRENCE >>runs",
    ])
    try eventually("the last occurrence has come") {
      try succeed(["automation", "next", "beat"]).isEmpty
    }
  }

  fileprivate func fired() throws -> Int {
    try succeed(["automation", "history", "beat", "-q", "--limit", "0"])
      .split(separator: "\n").count
  }

  /// Killed while it ticks: all occurrences are decided, each with its job, or none.
  fileprivate func expectTicked(at point: Injection, isDone: Bool? = nil) throws {
    try dueOccurrences()
    try killed(["automation", "tick", "-w", "main"], at: point)
    let count = try jobs().count
    if let isDone { #expect((count > 0) == isDone) }
    #expect(try fired() == count)
    #expect(try findings() == [])
    try succeed(["automation", "tick", "-w", "main"])
    let all = try fired()
    #expect([2, 3].contains(all))
    if count > 0 { #expect(all == count, "nothing fires again") }
    try goOn()
    let runs = read("runs").split(separator: "\n")
    #expect(runs.count == all)
    #expect(Set(runs).count == all, "each occurrence ran once")
  }
}

extension CrashPoint {
  // The first transaction of the command records that something ticks.
  static let ticks = [
    CrashPoint("tick-writing") { world in
      try world.expectTicked(at: .logWrite(2), isDone: false)
    },
    CrashPoint("tick-before-sync") { world in
      try world.expectTicked(at: .logSync(2))
    },
    CrashPoint("tick-committed") { world in
      try world.expectTicked(at: .committed(2), isDone: true)
    },
  ]
}

import Foundation
import Testing

private let toBeta = ["workspace", "switch", "beta"]

extension World {
  fileprivate func selected() throws -> String {
    let shown = try succeed(["context", "show", "--json"])
    let object = try JSONSerialization.jsonObject(with: Data(shown.utf8)) as? [String: Any]
    return try #require(object?["workspace"] as? String)
  }

  /// Killed while it switches from `main` to `beta`: the doctor says whether a switch is open, the next
  /// command settles it, and one more switch works.
  fileprivate func expectSwitched(
    at point: Injection, to workspaces: [String], isOpen: Bool
  ) throws {
    try succeed(["workspace", "create", "beta"])
    try killed(toBeta, at: point)
    #expect(try findings() == (isOpen ? ["switch_open"] : []))
    let now = try selected()
    #expect(workspaces.contains(now))
    #expect(try findings() == [])
    #expect(try selected() == now)
    try succeed(["workspace", "switch", now == "beta" ? "main" : "beta"])
    #expect(try selected() != now)
    #expect(try findings() == [])
  }

  /// Killed while it makes a context and a store: the next `init` does the rest.
  fileprivate func expectMade(at point: Injection) throws {
    try killed(["init"], at: point)
    try succeed(["init"])
    try succeed(["workspace", "create", "main"])
    try succeed(["workspace", "switch", "main"])
    #expect(try selected() == "main")
    #expect(try findings() == [])
  }
}

extension CrashPoint {
  /// The world of the rows `init-…` is empty but for what they make themselves.
  private static func fresh(_ world: World) throws -> World { try World(initialized: false) }

  static let context = [
    CrashPoint("init-store-writing") { world in
      try fresh(world).expectMade(at: Injection(call: "pwrite64", number: 5))
    },
    CrashPoint("init-store-named") { world in
      try fresh(world).expectMade(at: Injection(call: "link", number: 1))
    },
    CrashPoint("init-context-named") { world in
      try fresh(world).expectMade(at: Injection(call: "rename", number: 1))
    },
    CrashPoint("switch-before-intent") { world in
      try world.expectSwitched(at: .logWrite(1), to: ["main"], isOpen: false)
    },
    CrashPoint("switch-intended") { world in
      try world.expectSwitched(at: .committed(1), to: ["main"], isOpen: true)
    },
    CrashPoint("switch-file-written") { world in
      try world.expectSwitched(
        at: Injection(call: "rename", number: 1), to: ["main"], isOpen: true)
    },
    CrashPoint("switch-file-replaced") { world in
      try world.expectSwitched(at: Injection(call: "fsync", number: 2), to: ["beta"], isOpen: true)
    },
    CrashPoint("switch-before-confirmation") { world in
      try world.expectSwitched(
        at: Injection(call: "flock", number: 3, path: World.gate), to: ["beta"], isOpen: true)
    },
    CrashPoint("switch-confirmed") { world in
      try world.expectSwitched(at: .committed(2), to: ["beta"], isOpen: false)
    },
  ]
}

import Foundation
import Testing

/// Every command of the table, as each kind of user of a store that a group shares: allowed or refused
/// exactly as the table says. The users are those that every Debian has.
@Suite
struct RoleMatrixTests {
  @Test(
    "every command of the table is allowed or refused (77) as the table says",
    arguments: [("owner", "daemon"), ("operator", "bin"), ("viewer", "sys"), ("none", "games")])
  func everyCommand(_ role: String, _ user: String) throws {
    let place = try SharedPlace()
    let table = try CommandTable(of: place.world)
    let lines = place.lines
    for row in table.rows {
      try place.writeTypes(unlike: lines)
      let line = try lines.line(for: row.command)
      let before = try place.log()
      let result = try place.run(["--json"] + line, as: user)
      // Its creator owns it; what is prepared next needs daemon among its members.
      if row.command == "workspace create", result.status == 0, let name = line.last {
        _ = try place.run(
          ["workspace", "member", "add", "daemon", "--role", "owner", "-w", name], as: user)
      }
      let isAllowed = Self.allows(role, row.role)
      if isAllowed {
        let expected: Int32 = ["job report", "job progress"].contains(row.command) ? 78 : 0
        // What others may not settle, the doctor finds, and nothing else.
        let told = row.command == "doctor" ? try Self.findings(result.output) : []
        #expect(
          told.allSatisfy { $0 == "attempt_dead" }, "\(user): \(line): \(result.output)")
        #expect(
          result.status == (told.isEmpty ? expected : 1),
          "\(user): \(line): \(result.errorOutput)")
      } else {
        #expect(result.status == 77, "\(user): \(line): \(result.output)")
        #expect(
          result.errorOutput.contains(#""code":"role_needed""#), "\(line): \(result.errorOutput)")
        #expect(result.errorOutput.contains(#""needed":"\#(row.role ?? "-")""#))
        #expect(result.errorOutput.contains(#""owners":["daemon"]"#))
        #expect(result.output == "")
        #expect(try place.log() == before, "\(user) left a trace: \(line)")
      }
      // A switch of the context that they share is taken back.
      if row.command == "workspace switch", isAllowed {
        _ = try place.succeed(["workspace", "switch", "team"])
      }
    }
    _ = try place.succeed(["store", "check"])
  }

  private static func findings(_ text: String) throws -> [String] {
    let told = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let findings = try #require(told?["findings"] as? [[String: Any]], "\(text)")
    return try findings.map { try #require($0["code"] as? String) }
  }

  private static func allows(_ role: String, _ needed: String?) -> Bool {
    let order = ["viewer", "operator", "owner"]
    guard let needed else { return true }
    guard let have = order.firstIndex(of: role) else { return false }
    return have >= order.firstIndex(of: needed) ?? 3
  }

  @Test("a workspace without members is open to the group, and to nobody else")
  func openToTheGroup() throws {
    let place = try SharedPlace()
    for user in ["bin", "sys", "games"] {
      let made = try place.run(["job", "enqueue", "-w", "lobby", "--", "true"], as: user)
      #expect(made.status == 0, "\(made.errorOutput)")
    }
    let outside = try place.run(["workspace", "list"], as: "games", group: "games")
    #expect(outside.status == 77, "\(outside.errorOutput)")
    #expect(outside.output == "")
  }

  @Test("what is made in a shared store is 2770 and 0660 of its group, whatever the umask")
  func modes() throws {
    let place = try SharedPlace(umask: "077")
    for user in ["bin", "sys"] {
      let line = ["job", "run", "-w", "lobby", "--", "sh", "-c", "echo hello"]
      let run = try place.run(line, as: user)
      #expect(run.status == 0, "\(run.errorOutput)")
    }
    _ = try place.run(["workspace", "switch", "lobby"], as: "bin")
    let listing = try place.world.command(
      "/usr/bin/find", [".hotglue", "-printf", "%y %m %g %p\\n"])
    #expect(listing.lines.count > 10)
    for line in listing.lines {
      let isFolder = line.hasPrefix("d ")
      #expect(line.hasPrefix(isFolder ? "d 2770 users " : "f 660 users "), "\(line)")
    }
    #expect(try place.run(["job", "list", "-q"], as: "games").lines.count == 2)
  }

  @Test("who is no member of a group shares nothing with it, and leaves nothing behind")
  func foreignGroup() throws {
    let place = try SharedPlace()
    let folder = place.world.folder.path + "/elsewhere"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try #require(chmod(folder, 0o777) == 0)
    let line = ["sh", "-c", "cd elsewhere && exec ../bin/hotglue init --group games"]
    let refused = try place.world.command(
      "/usr/bin/env", ["setpriv", "--reuid=bin", "--regid=bin", "--groups=users"] + line)
    #expect(refused.status == 73, "\(refused.errorOutput)")
    #expect(refused.errorOutput.contains("with group 'games'"))
    #expect(refused.errorOutput.contains("\nhint: only a member of the group can"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
  }

  @Test("write access passes for exactly the group of the store")
  func anotherGroup() throws {
    let place = try SharedPlace()
    let games = try #require(getgrnam("games")).pointee.gr_gid
    for name in ["/context.json", "", "/store.db"] {
      let path = place.world.folder.path + "/.hotglue" + name
      let users = try #require(getgrnam("users")).pointee.gr_gid
      try #require(chown(path, uid_t.max, games) == 0)
      #expect(try place.run(["workspace", "list"], as: "bin").status == 77, "\(name)")
      try #require(chown(path, uid_t.max, users) == 0)
      if name.isEmpty { try #require(chmod(path, 0o2770) == 0) }
      #expect(try place.run(["workspace", "list"], as: "bin").status == 0, "\(name)")
    }
  }

  @Test("a refusal names the role that is needed, and who can grant it")
  func words() throws {
    let place = try SharedPlace()
    let viewer = try place.run(["job", "enqueue", "--", "true"], as: "sys")
    #expect(
      viewer.errorOutput
        == "hotglue: user 'sys' is a viewer of workspace 'team', and 'job enqueue' needs an "
        + "operator\nhint: ask daemon: hotglue -w team workspace member add sys --role operator\n")
    let stranger = try place.run(["job", "list"], as: "games")
    #expect(
      stranger.errorOutput.hasPrefix(
        "hotglue: user 'games' is no member of workspace 'team', and 'job list' needs a viewer\n"))
    // A user without a login name is known by the number.
    _ = try place.succeed(["workspace", "member", "add", "424242", "--role", "viewer"])
    #expect(try place.run(["job", "list"], as: "424242").status == 0)
    let nameless = try place.run(["job", "enqueue", "--", "true"], as: "424242")
    #expect(nameless.errorOutput.hasPrefix("hotglue: user '424242' is a viewer of"))
  }

  @Test(
    "a worker that loses its role claims nothing more, says so, and goes on when it has it back")
  func workerLosesItsRole() throws {
    let place = try SharedPlace()
    let errors = place.world.folder.appendingPathComponent("errors")
    let worker = try place.start(["job", "work", "-w", "team"], as: "bin", errors: errors)
    defer { worker.terminate() }
    let first = try place.succeed(["job", "enqueue", "-w", "team", "--", "true"])
    _ = try place.succeed(["job", "wait", first, "-w", "team", "--timeout", "60s"])
    _ = try place.succeed(["workspace", "member", "add", "bin", "--role", "viewer", "-w", "team"])
    let second = try place.succeed(["job", "enqueue", "-w", "team", "--", "true"])
    try place.world.eventually("the worker says it") {
      place.world.read("errors").contains("'bin' is a viewer of workspace 'team'")
    }
    #expect(try place.succeed(["job", "list", "--state", "pending", "-q", "-w", "team"]) == second)
    _ = try place.succeed(["workspace", "member", "add", "bin", "--role", "operator", "-w", "team"])
    _ = try place.succeed(["job", "wait", second, "-w", "team", "--timeout", "60s"])
    // A worker of all workspaces takes only those where its user may work.
    _ = try place.succeed([
      "workspace", "member", "add", "bin", "--role", "operator", "-w", "lobby",
    ])
    _ = try place.succeed(["workspace", "member", "add", "bin", "--role", "viewer", "-w", "team"])
    let third = try place.succeed(["job", "enqueue", "-w", "team", "--", "true"])
    let fourth = try place.succeed(["job", "enqueue", "-w", "lobby", "--", "true"])
    // Off a terminal it says so only when it is asked to say more, or as a number.
    let all = try place.run(["job", "work", "--all-workspaces", "--drain", "--json"], as: "bin")
    #expect(all.status == 0 && all.errorOutput.isEmpty, "\(all.errorOutput)")
    #expect(all.output.contains(#""left_out":1"#), "\(all.output)")
    let told = try place.run(["job", "work", "--all-workspaces", "--drain", "-v"], as: "bin")
    #expect(
      told.errorOutput.contains(
        "note: left out: 1 of 2 workspaces, where this user may not work\n"), "\(told.errorOutput)")
    #expect(try place.succeed(["job", "list", "--state", "pending", "-q", "-w", "team"]) == third)
    #expect(try place.succeed(["job", "list", "-q", "-w", "lobby"]) == fourth)
    #expect(try place.succeed(["job", "wait", fourth, "-w", "lobby"]).contains("succeeded"))
    // Where it may work nowhere there is nothing that it could wait for.
    _ = try place.succeed(["workspace", "member", "remove", "bin", "-w", "lobby"])
    let none = try place.run(["job", "work", "--all-workspaces", "--drain"], as: "bin")
    #expect(none.status == 77, "\(none)")
    #expect(none.errorOutput.contains("user 'bin' may work in no workspace of the store"))
  }

  @Test(
    "who waits for a job or follows its log and is no member any more is told so: 77",
    arguments: [["job", "wait"], ["job", "logs", "-f"], ["job", "show", "--watch"]])
  func waitsWithoutARole(_ command: [String]) throws {
    let place = try SharedPlace()
    let id = try place.succeed(["job", "enqueue", "-w", "team", "--delay", "1h", "--", "true"])
    let errors = place.world.folder.appendingPathComponent("errors")
    let waiting = try place.start(command + [id, "-w", "team"], as: "sys", errors: errors)
    defer { if waiting.isRunning { waiting.terminate() } }
    let watches = place.world.storeFolder + "/watches"
    try place.world.eventually("it waits") {
      !((try? FileManager.default.contentsOfDirectory(atPath: watches)) ?? []).isEmpty
    }
    _ = try place.succeed(["workspace", "member", "remove", "sys", "-w", "team"])
    try place.world.eventually("it ends") { !waiting.isRunning }
    #expect(waiting.terminationStatus == 77)
    #expect(place.world.read("errors").contains("user 'sys' is no member of workspace 'team'"))
  }

  @Test(
    "a switch moves drafts of the workspace it leaves for who may act there, and logs each; who may not leaves them"
  )
  func switchMovesDrafts() throws {
    let place = try SharedPlace()
    try CommandLines.writeFiles(in: place.world.folder)
    let id = try #require(
      try place.run(["draft", "new", "job", "--from", "job.toml", "-q"], as: "bin").lines.first)
    let left = try place.run(["workspace", "switch", "lobby"], as: "sys")
    #expect(left.status == 0, "\(left.errorOutput)")
    #expect(left.output.contains("draft \(id) (job"))
    #expect(left.output.contains("): kept, open in its workspace\n"), "\(left.output)")
    #expect(try place.succeed(["draft", "list", "-q", "-w", "team"]) == id)
    #expect(try place.succeed(["draft", "list", "--bin", "-q", "-w", "team"]) == "")
    #expect(!(try place.succeed(["log", "-w", "team", "--limit", "1"])).contains("switch"))
    #expect(try place.run(["workspace", "switch", "team"], as: "sys").status == 0)

    #expect(try place.run(["workspace", "switch", "lobby"], as: "bin").status == 0)
    #expect(try place.succeed(["draft", "list", "--bin", "-q", "-w", "team"]) == id)
    let rows = try place.succeed(["log", "--all-workspaces", "--limit", "2", "--json"])
      .split(separator: "\n").map(String.init)
    for row in rows {
      #expect(row.contains(#""user":"bin","command":"workspace switch""#), "\(row)")
    }
    #expect(rows[0].contains(#""workspace":"lobby""#) && rows[0].contains(#""subject":"context/"#))
    #expect(rows[1].contains(#""workspace":"team""#))
    #expect(rows[1].contains(#""subject":"draft/\#(id)""#))
  }

  @Test("a switch that was killed is ended by the next user, and the log names both")
  func endedByAnother() throws {
    let place = try SharedPlace()
    let world = place.world
    // A log that takes no row leaves the switch where a kill behind the replaced file would.
    try world.hideAuditLog()
    #expect(try place.run(["workspace", "switch", "lobby"], as: "bin").status != 0)
    try world.showAuditLog()
    #expect(try place.run(["workspace", "current"], as: "sys").output == "lobby\n")
    let row = try place.succeed(["log", "--limit", "1", "--json"])
    #expect(row.contains(#""user":"bin","command":"workspace switch","workspace":"lobby""#))
    #expect(row.hasSuffix(#""repaired_by":"sys"}"#), "\(row)")
  }

  @Test("root puts members right where no owner is left to do it, and nothing else")
  func rescue() throws {
    let place = try SharedPlace()
    func asRoot(_ arguments: [String]) throws -> World.Result {
      // root is a member of no group by discovery, so it names the context.
      try place.run(["--context", ".hotglue/context.json"] + arguments, as: "root")
    }
    #expect(try asRoot(["job", "list", "-w", "team"]).status == 77)
    #expect(
      try asRoot(["workspace", "member", "add", "root", "--role", "viewer", "-w", "team"]).status
        == 0)
    #expect(try asRoot(["job", "list", "-w", "team"]).status == 0)
    #expect(try asRoot(["job", "enqueue", "-w", "team", "--", "true"]).status == 77)
  }
}

/// A folder whose store the group `users` shares, with the workspaces `team` (members: an owner, an
/// operator, a viewer) and `lobby` (open).
final class SharedPlace {
  let world: World
  private let binary: String
  private static let group = "users"
  private let umask: String

  init(umask: String = "022") throws {
    self.umask = umask
    try #require(
      geteuid() == 0, "this suite runs commands as several users, and only root can do that")
    world = try World(initialized: false)
    // Other users may be kept from the folder of the build.
    binary = world.folder.path + "/bin/hotglue"
    let files = FileManager.default
    for name in ["bin", "copies"] {
      try files.createDirectory(
        atPath: world.folder.path + "/" + name, withIntermediateDirectories: false)
    }
    try files.copyItem(atPath: world.binary, toPath: binary)
    for (name, mode) in [
      ("", 0o755), ("/bin", 0o755), ("/bin/hotglue", 0o755), ("/copies", 0o1777),
    ] {
      try #require(chmod(world.folder.path + name, mode_t(mode)) == 0)
    }
    let daemon = try #require(getpwnam("daemon")).pointee
    try #require(chown(world.folder.path, daemon.pw_uid, daemon.pw_gid) == 0)
    world.environment["PATH"] = world.folder.path + "/bin:/usr/local/bin:/usr/bin:/bin"
    _ = try succeed(["init", "--group", Self.group])
    _ = try succeed(["workspace", "create", "lobby"])
    _ = try succeed(["workspace", "create", "team"])
    try addMembers(to: "team")
    _ = try succeed(["workspace", "switch", "team"])
  }

  private func addMembers(to workspace: String) throws {
    for (user, role) in [("daemon", "owner"), ("bin", "operator"), ("sys", "viewer")] {
      _ = try succeed(["workspace", "member", "add", user, "--role", role, "-w", workspace])
    }
  }

  var lines: CommandLines {
    CommandLines(
      prepare: { try self.succeed($0) }, attempt: { try self.run($0, as: "daemon") },
      workspace: "team",
      anotherWorkspace: {
        _ = try self.succeed(["workspace", "create", $0])
        try self.addMembers(to: $0)
      })
  }

  /// Runs hotglue as a user of the shared group, or of another one alone.
  func run(_ arguments: [String], as user: String, group: String? = nil) throws -> World.Result {
    try world.command("/usr/bin/env", words(user, group) + [binary] + arguments)
  }

  func start(_ arguments: [String], as user: String, errors: URL) throws -> Process {
    try world.start(
      program: "/usr/bin/env", words(user, nil) + [binary] + arguments, errors: errors)
  }

  private func words(_ user: String, _ group: String?) -> [String] {
    [
      "setpriv", "--reuid=\(user)", "--regid=\(user)", "--groups=\(group ?? Self.group)", "sh",
      "-c", "umask \(umask); exec \"$@\"", "sh",
    ]
  }

  /// As the owner of the workspaces.
  func succeed(_ arguments: [String]) throws -> String {
    let result = try run(arguments, as: "daemon")
    try #require(
      result.status == 0, "hotglue \(arguments.joined(separator: " ")): \(result.errorOutput)")
    return result.output.trimmingCharacters(in: .newlines)
  }

  func log() throws -> String {
    try succeed(["log", "--all-workspaces", "--limit", "0", "--json"])
  }

  func writeTypes(unlike lines: CommandLines) throws {
    let file = world.folder.path + "/types.toml"
    try Data("[type.\(lines.unique("applied"))]\ncommand = [\"true\"]\n".utf8)
      .write(to: URL(fileURLWithPath: file))
    try #require(chmod(file, 0o644) == 0)
    try CommandLines.writeFiles(in: world.folder)
  }
}

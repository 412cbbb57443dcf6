import Foundation
import Testing

/// A command line for every command of the table, and what must be there before it can do its work.
///
/// The tests that walk the table take the commands from the program itself, so a new command without
/// a line here fails them.
struct CommandLines {
  /// Runs hotglue as somebody who may do everything, expects success, and returns what it printed.
  let prepare: ([String]) throws -> String
  /// Runs a command that ends as it will.
  let attempt: ([String]) throws -> World.Result
  /// The workspace that the commands act in.
  let workspace: String
  /// Makes another workspace, with the same members.
  let anotherWorkspace: (String) throws -> Void
  private let names = Names()

  private final class Names {
    var last = 0
  }

  /// What the lines read from files, for everybody to read: the form of a job, and a tap.
  static func writeFiles(in folder: URL) throws {
    let tap = #"""
      #!/bin/sh
      schema='{"type":"object","properties":{"id":{"type":"integer"}}}'
      case " $* " in
      *" --discover "*)
        echo '{"streams":[{"stream":"people","tap_stream_id":"people","key_properties":["id"],"schema":'$schema'}]}' ;;
      *)
        echo '{"type":"SCHEMA","stream":"people","schema":'$schema',"key_properties":["id"]}'
        echo '{"type":"RECORD","stream":"people","record":{"id":1}}'
        echo '{"type":"STATE","value":{"at":1}}' ;;
      esac
      """#
    for (name, text, mode) in [
      ("job.toml", "[job]\ncommand = [\"true\"]\n", mode_t(0o644)), ("tap", tap, mode_t(0o755)),
      ("crontab", "0 5 1 1 * /bin/once-a-year\n", mode_t(0o644)),
      ("other.toml", "[job]\ncommand = [\"false\"]\n", mode_t(0o644)),
    ] {
      let file = folder.appendingPathComponent(name)
      try Data(text.utf8).write(to: file)
      try #require(chmod(file.path, mode) == 0)
    }
  }

  /// A name that no other line has.
  func unique(_ prefix: String) -> String {
    names.last += 1
    return "\(prefix)\(names.last)"
  }

  /// The arguments of a line for the command; what it needs is made first.
  func line(for command: String) throws -> [String] {
    let words = command.split(separator: " ").map(String.init)
    let rest = try #require(try more(command), "the table's '\(command)' has a line in this test")
    // The words of a noun and verb, then the workspace, unless the command refuses it.
    let refusesWorkspace = [
      "init", "workspace switch", "context path", "context prompt", "context trust",
      "workspace shell",
    ]
    return words + (refusesWorkspace.contains(command) ? [] : ["-w", workspace]) + rest
  }

  /// `nil`: a command that this test does not know.
  private func more(_ command: String) throws -> [String]? {
    switch command {
    case "init", "workspace list", "workspace current", "workspace member list",
      "workspace member roles", "context show", "context path", "context prompt", "store info",
      "store check", "job list", "job lifecycle", "type list", "type export", "queue list",
      "effect list", "draft list", "log", "doctor", "automation list", "automation export",
      "automation tick":
      return []
    case "context trust": return ["."]
    case "workspace create": return [unique("new")]
    case "workspace show": return [workspace]
    case "workspace shell": return [workspace, "--", "true"]
    case "completions": return ["bash"]
    case "queue limit": return [unique("queue"), "2"]
    case "workspace switch":
      let name = unique("to")
      try anotherWorkspace(name)
      return [name]
    case "workspace archive", "workspace protect":
      let name = unique("w")
      try anotherWorkspace(name)
      return [name]
    case "workspace edit":
      let name = unique("w")
      try anotherWorkspace(name)
      return ["--name", "Another name", name]
    case "workspace unarchive":
      let name = unique("w")
      try anotherWorkspace(name)
      _ = try prepare(["workspace", "archive", name])
      return [name]
    case "workspace unprotect":
      let name = unique("w")
      try anotherWorkspace(name)
      _ = try prepare(["workspace", "protect", name])
      return [name]
    case "workspace member add": return [unique("4000"), "--role", "viewer"]
    case "workspace member remove":
      let user = unique("4000")
      _ = try prepare(["workspace", "member", "add", user, "--role", "viewer", "-w", workspace])
      return [user]
    case "source add": return [unique("source"), "--", "./tap"]
    case "source list": return []
    case "source show", "source discover", "source remove", "source test", "sync run",
      "sync status", "sync history", "sync state", "sync rejects", "record list", "record count":
      return [try source()]
    case "source select":
      let name = try source()
      _ = try prepare(["source", "discover", name, "-w", workspace])
      return [name, "people"]
    case "source edit": return [try source(), "--idle-timeout", "3s"]
    case "sync reset":
      let name = try source()
      _ = try prepare(["sync", "run", name, "-w", workspace])
      return [name, "--to", "start"]
    case "record export":
      let name = try source()
      _ = try prepare(["sync", "run", name, "-w", workspace])
      return [name, "people"]
    case "draft new": return ["job", "--from", "job.toml"]
    case "draft edit": return [try draft(), "--from", "other.toml"]
    case "draft show", "draft submit", "draft discard": return [try draft()]
    case "draft restore":
      let id = try draft()
      _ = try prepare(["draft", "discard", id, "-w", workspace])
      return [id]
    default:
      return try moreOfJobs(command) ?? moreOfStores(command) ?? moreOfAutomations(command)
    }
  }

  private func moreOfJobs(_ command: String) throws -> [String]? {
    switch command {
    case "job enqueue", "job run": return ["--", "true"]
    case "job show", "job logs", "job wait":
      return [try job(["run", "-v", "-w", workspace, "--", "true"])]
    case "job cancel", "job explain": return [try enqueued()]
    case "job retry":
      let id = try enqueued()
      _ = try prepare(["job", "cancel", id, "-w", workspace])
      return [id]
    case "job resolve":
      let id = try job(["run", "-v", "-w", workspace, "--", "sh", "-c", "kill -9 $$"])
      return [id, "--as", "failed", "--reason", "seen"]
    case "job prune":
      _ = try job(["run", "-v", "-w", workspace, "--", "true"])
      return ["--older-than", "0s"]
    case "job work": return ["--drain"]
    case "job reclaim": return [try abandoned()]
    case "job report": return ["succeeded"]
    case "job progress": return ["1", "2"]
    case "open": return ["hotglue://\(workspace)/job/\(try enqueued())"]
    default: return nil
    }
  }

  private func moreOfStores(_ command: String) throws -> [String]? {
    func effect() throws -> String {
      let key = unique("key")
      _ = try prepare(["effect", "begin", key, "--scope", "workspace", "-w", workspace])
      return key
    }
    func type() throws -> String {
      let name = unique("type")
      _ = try prepare(["type", "set", name, "-w", workspace, "--", "true"])
      return name
    }
    switch command {
    case "store backup": return [unique("copies/backup")]
    case "store restore":
      let file = unique("copies/backup")
      _ = try prepare(["store", "backup", file])
      return [file, "--yes"]
    case "store prune":
      _ = try job(["run", "-v", "-w", workspace, "--", "true"])
      return ["--older-than", "0s"]
    case "type set": return [unique("type"), "--", "true"]
    case "type show", "type remove", "type diff": return [try type()]
    case "type apply": return ["types.toml"]
    case "effect run": return [unique("key"), "--scope", "workspace", "--", "true"]
    case "effect begin": return [unique("key"), "--scope", "workspace"]
    case "effect confirm", "effect abandon", "effect show":
      return [try effect(), "--scope", "workspace"]
    default: return nil
    }
  }

  private func moreOfAutomations(_ command: String) throws -> [String]? {
    func automation() throws -> String {
      let name = unique("automation")
      _ = try prepare([
        "automation", "add", name, "-w", workspace, "--cron", "@yearly", "--", "true",
      ])
      return name
    }
    switch command {
    case "automation add": return [unique("automation"), "--cron", "@yearly", "--", "true"]
    case "automation show", "automation remove", "automation pause", "automation trigger",
      "automation next", "automation history":
      return [try automation()]
    case "automation edit": return [try automation(), "--overlap", "allow"]
    case "automation resume":
      let name = try automation()
      _ = try prepare(["automation", "pause", name, "-w", workspace])
      return [name]
    case "automation backfill":
      return [try automation(), "--since", "2024-12-31", "--until", "2025-01-02"]
    case "automation check":
      _ = try prepare(["automation", "tick", "-w", workspace])
      return []
    case "automation import crontab":
      _ = try attempt(["automation", "remove", "once-a-year", "-w", workspace])
      return ["crontab"]
    default: return nil
    }
  }

  private func source() throws -> String {
    let name = unique("source")
    _ = try prepare(["source", "add", name, "-w", workspace, "--", "./tap"])
    return name
  }

  private func draft() throws -> String {
    try prepare(["draft", "new", "job", "--from", "job.toml", "-q", "-w", workspace])
  }

  private func enqueued() throws -> String {
    try prepare(["job", "enqueue", "-w", workspace, "--delay", "1h", "--", "true"])
  }

  /// Runs a job to its end, and returns its number.
  private func job(_ arguments: [String]) throws -> String {
    let result = try attempt(["job"] + arguments)
    let line = try #require(
      result.errorOutput.split(separator: "\n").first { $0.hasPrefix("job ") },
      "\(result.errorOutput)")
    return String(line.dropFirst(4))
  }

  /// A job whose attempt has lost its worker and its supervisor, and that nobody has resolved.
  private func abandoned() throws -> String {
    let type = unique("gone")
    _ = try prepare([
      "type", "set", type, "-w", workspace, "--", "sh", "-c", "echo $PPID; exec sleep 600",
    ])
    let id = try prepare(["job", "enqueue", "-w", workspace, type])
    let end = Date().addingTimeInterval(60)
    // The worker may have to go before it has claimed, and the handler speaks when it has come to it.
    let pending = ["job", "list", "-w", workspace, "--type", type, "--state", "pending", "-q"]
    repeat {
      _ = try prepare(["job", "work", "-w", workspace, "--type", type, "--max-time", "500ms"])
    } while try Date() < end && prepare(pending) == id
    var said: Int32?
    while said == nil, Date() < end {
      said = Int32(try prepare(["job", "logs", id, "-w", workspace]))
    }
    let supervisor = try #require(said)
    kill(supervisor, SIGKILL)
    while World.isAlive(supervisor), Date() < end { usleep(2000) }
    return id
  }
}

/// The table of commands as the program tells it.
struct CommandTable {
  struct Row: Decodable {
    let command: String
    let access: String
    let role: String?
    let everywhere: Bool

    var changes: Bool { access.hasPrefix("changes_") || access.hasPrefix("settles_") }
  }

  let rows: [Row]

  init(of world: World) throws {
    rows = try world.succeed(["workspace", "member", "roles", "--json"]).split(separator: "\n").map
    {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
    try #require(rows.count > 40)
  }
}

import Foundation
import Testing

/// `--watch` shows what changes, and does not mix two workspaces.
@Suite
struct WatchTests {
  private let world: World

  init() throws {
    world = try World()
    try world.succeed(["workspace", "create", "other"])
  }

  private func start(_ arguments: [String]) throws -> Process {
    try world.start(
      program: world.binary, arguments, output: world.folder.appendingPathComponent("out"),
      errors: world.folder.appendingPathComponent("err"))
  }

  private func expectEnd(_ process: Process, _ status: Int32, _ words: String...) throws {
    try world.eventually("the watch ends") { !process.isRunning }
    #expect(process.terminationStatus == status, "\(world.read("err"))")
    for word in words { #expect(world.read("err").contains(word), "\(world.read("err"))") }
  }

  @Test("a watch of jobs shows each change as a line, and ends when its context is switched")
  func list() throws {
    let first = try world.enqueue("true")
    let watch = try start(["job", "list", "--watch", "--json"])
    try world.eventually("the list as it is") { world.lineCount("out") == 1 }
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    try world.eventually("the end of the job") {
      world.read("out").contains(#""state":"succeeded""#)
    }
    let second = try world.enqueue("true", ["--delay", "1h"])
    try world.eventually("the next job") { world.read("out").contains(#""id":\#(second),"#) }
    try world.succeed(["job", "enqueue", "-w", "other", "--", "true"])
    try world.succeed(["workspace", "switch", "other"])
    try expectEnd(
      watch, 80, "'main'", "was switched to 'other'", "hotglue -w main job list --watch")
    let shown = world.read("out").split(separator: "\n")
    #expect(shown.allSatisfy { $0.contains(#""workspace":"main""#) })
    #expect(shown.first?.contains(#""id":\#(first),"#) == true)
  }

  @Test("a switch there and back ends a watch too: what was shown may not be what is meant")
  func thereAndBack() throws {
    let id = try world.enqueue("true", ["--delay", "1h"])
    let watch = try start(["job", "show", id, "--watch", "--json"])
    try world.eventually("the job") { world.lineCount("out") == 1 }
    kill(watch.processIdentifier, SIGSTOP)
    try world.succeed(["workspace", "switch", "other"])
    try world.succeed(["workspace", "switch", "main"])
    kill(watch.processIdentifier, SIGCONT)
    try expectEnd(
      watch, 80, "was switched to 'main' (generation 3)",
      "hotglue -w main job show \(id) --watch")
  }

  @Test("with -w a watch does not care for switches; that of a job ends with the job")
  func named() throws {
    let id = try world.enqueue("true")
    let watch = try start(["-w", "main", "job", "show", id, "--watch", "-q"])
    try world.eventually("the job") { world.lineCount("out") == 1 }
    try world.succeed(["workspace", "switch", "other"])
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    try expectEnd(watch, 0)
    #expect(Set(world.read("out").split(separator: "\n")) == [id[...]])
  }

  @Test("a job that the filters do not name any more is told once as what it became")
  func leavesTheList() throws {
    let id = try world.enqueue("true", ["--delay", "1h"])
    let watch = try start(["-w", "main", "job", "list", "--state", "pending", "--watch", "--json"])
    defer { watch.terminate() }
    try world.eventually("the job") { world.lineCount("out") == 1 }
    try world.succeed(["job", "cancel", id])
    try world.eventually("what it became") {
      world.read("out").contains(#""state":"cancelled""#)
    }
    #expect(world.lineCount("out") == 2)
  }

  @Test("a context file that is replaced or gone ends a watch")
  func contextGone() throws {
    let watch = try start(["job", "list", "--watch", "--json"])
    try world.enqueue("true")
    try world.eventually("the job") { world.lineCount("out") == 1 }
    try FileManager.default.removeItem(atPath: world.folder.path + "/.hotglue/context.json")
    try expectEnd(watch, 80, "cannot be read any more")
  }

  @Test("the plan of a switch lists the watches that it ends, and what waits on; none that is dead")
  func planned() throws {
    let id = try world.enqueue("true", ["--delay", "1h"])
    let watch = try start(["job", "list", "--watch", "--json"])
    let wait = try world.start(["job", "wait", id])
    let logs = try world.start(["job", "logs", "-f", id])
    let named = try world.start(["-w", "main", "job", "list", "--watch"])
    let elsewhere = try world.start(["-w", "other", "job", "list", "--watch"])
    let shell = try world.start([
      "workspace", "shell", "main", "--", "sh", "-c", "while [ -e \"$HOME\" ]; do sleep 1; done",
    ])
    let all = [watch, wait, logs, named, elsewhere, shell]
    defer {
      for process in all where process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    func plan() throws -> (stale: [Int32: String], goesOn: [Int32: String], shells: Int) {
      let text = try world.succeed(["workspace", "switch", "other", "--dry-run", "--json"])
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      func watches(_ key: String) -> [Int32: String] {
        let part = object[key] as? [String: Any]
        let list = part?["watches"] as? [[String: Any]] ?? []
        return list.reduce(into: [:]) { found, watch in
          #expect(watch["workspace"] as? String == "main")
          if let process = watch["process"] as? Int32 {
            found[process] = watch["command"] as? String
          }
        }
      }
      let goesOn = object["goes_on"] as? [String: Any]
      return (watches("stale"), watches("goes_on"), goesOn?["shells"] as? Int ?? -1)
    }
    try world.eventually("all are listed") {
      let plan = try plan()
      return plan.stale.count == 1 && plan.goesOn.count == 3 && plan.shells == 1
    }
    let found = try plan()
    #expect(found.stale == [watch.processIdentifier: "job list --watch"])
    #expect(
      found.goesOn == [
        wait.processIdentifier: "job wait", logs.processIdentifier: "job logs --follow",
        named.processIdentifier: "job list --watch",
      ])
    let told = try world.run(["workspace", "switch", "other", "--dry-run"]).errorOutput
    #expect(told.contains("job list --watch (process \(watch.processIdentifier)) ends\n"))
    #expect(told.contains("job wait (process \(wait.processIdentifier)) goes on in 'main'\n"))
    #expect(told.contains("1 shell in 'main' goes on\n"))
    // A shell that switches its own context does not go on where it was.
    let inside = try world.succeed([
      "workspace", "shell", "main", "--", "hotglue", "workspace", "switch", "other", "--dry-run",
      "--json",
    ])
    #expect(inside.contains(#""shells":1,"watches":[]"#), "\(inside)")
    for process in [watch, wait, logs, named] { kill(process.processIdentifier, SIGKILL) }
    kill(shell.processIdentifier, SIGTERM)
    try world.eventually("those that are dead are listed no more") {
      let plan = try plan()
      return plan.stale.isEmpty && plan.goesOn.isEmpty
    }
    let folder = world.storeFolder + "/watches"
    let left = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(left.allSatisfy { $0.hasPrefix("\(elsewhere.processIdentifier)-") }, "\(left)")
  }

  @Test("a watch and a cursor exclude each other")
  func usage() throws {
    #expect(try world.run(["job", "list", "--watch", "--cursor", "main.1.1."]).status == 64)
  }

  @Test("on a terminal the list is drawn over, under its breadcrumb, until the context is switched")
  func terminal() throws {
    let id = try world.enqueue("true", ["--delay", "1h"])
    // A terminal of its own, whose last words are kept with the status of the command in it.
    let watch = try world.start(
      program: "/usr/bin/env",
      [
        "script", "-qefc", "\(world.binary) job list --watch", world.folder.path + "/typescript",
      ])
    defer { watch.terminate() }
    try world.eventually("the list") { world.read("typescript").contains("main › jobs") }
    try world.succeed(["job", "cancel", id])
    try world.eventually("the list anew") { world.read("typescript").contains("cancelled") }
    #expect(world.read("typescript").contains("\u{1b}[H\u{1b}[2J"))
    try world.succeed(["workspace", "switch", "other"])
    try world.eventually("its end") { !watch.isRunning }
    #expect(watch.terminationStatus == 80)
    #expect(world.read("typescript").contains("was switched to 'other'"))
  }

  @Test("breadcrumbs are for a terminal alone, and neither with -q nor with --json")
  func breadcrumbs() throws {
    let id = try world.enqueue("true", ["--delay", "1h"])
    try world.succeed(["type", "set", "mail", "-w", "main", "--", "true"])
    func shown(_ line: String) throws -> String {
      try world.command(
        "/usr/bin/env", ["script", "-qec", "\(world.binary) \(line)", "/dev/null"]
      ).output
    }
    for (line, crumb) in [
      ("job list", "main › jobs"), ("job show \(id)", "main › jobs › \(id)"),
      ("type list", "main › types"), ("type show mail", "main › types › mail"),
      ("effect list", "main › effects"), ("workspace member list", "main › members"),
      ("workspace show", "main"), ("log", "main › log"),
      ("open hotglue://main/job/\(id)", "main › jobs › \(id)"),
    ] {
      let text = try shown(line)
      #expect(text.contains(crumb + "\r\n"), "\(line): \(text)")
      #expect(try !shown(line + " -q").contains("›"), "\(line)")
      #expect(try !shown(line + " --json").contains("›"), "\(line)")
      #expect(try !world.run(line.split(separator: " ").map(String.init)).errorOutput.contains("›"))
    }
  }
}

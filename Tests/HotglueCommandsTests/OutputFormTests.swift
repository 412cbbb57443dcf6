import HotglueCore
import TestSupport
import Testing

@testable import HotglueCommands

@Suite("Forms of the output")
struct OutputFormTests {
  @Test("--format chooses the form, wherever standard output leads")
  func format() throws {
    var place = try CommandPlace.ready()
    #expect(place.run("workspace list --format table").output.hasPrefix("ID    STATE"))
    #expect(
      place.run("workspace list --format json") == place.run("--json workspace list"))
    place.terminals = [1]
    #expect(
      place.run("workspace list --format tsv --color never").output.hasPrefix("acme\tactive\t"))
    #expect(place.run("workspace list --format csv").status == 64)
    #expect(place.run("workspace list --json --format tsv").status == 64)
    let refused = place.run("job show 1 --format json")
    #expect(refused.error.hasPrefix(#"{"error":{"code":"unknown_job""#), "\(refused)")
  }

  @Test(
    "a table is never wider than its terminal, however narrow", arguments: [24, 40, 60, 72, 200])
  func width(columns: Int) throws {
    var place = try CommandPlace.ready()
    for _ in 0..<3 {
      #expect(
        place.run([
          "job", "enqueue", "-q", "--queue", "a-long-queue-name", "--", "sh", "-c", "echo a",
        ])
        .status == 0)
    }
    place.terminals = [1]
    place.width = columns
    for line in ["job list", "workspace list", "log", "queue list"] {
      for row in place.run("\(line) --color never").output.split(separator: "\n") {
        #expect(TextWidth.of(String(row)) <= columns, "\(line): \(row)")
      }
    }
  }

  @Test("columns give up their width from the last one on, then from the widest")
  func columns() {
    #expect(ColumnWidths.fitted([4, 10, 50], into: nil) == [4, 10, 50])
    #expect(ColumnWidths.fitted([4, 10, 50], into: 60) == [4, 10, 42])
    #expect(ColumnWidths.fitted([4, 10, 50], into: 30) == [4, 10, 12])
    #expect(ColumnWidths.fitted([4, 10, 50], into: 20) == [4, 6, 6])
  }

  @Test("a program that reads a list of jobs gets all of them, a person a page")
  func pages() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue(60)
    #expect(place.run("job list").output.split(separator: "\n").count == 50)
    for flags in ["--json", "-q"] {
      #expect(place.run("job list \(flags)").output.split(separator: "\n").count == 60, "\(flags)")
      #expect(place.run("job list \(flags) --limit 5").output.split(separator: "\n").count == 5)
    }
  }

  @Test("times of one thing are local at a terminal and UTC elsewhere; --utc forces UTC")
  func times() throws {
    var place = try CommandPlace.ready()
    place.variables["TZ"] = "Etc/GMT-1"
    #expect(place.run("workspace show acme").output.contains("created\t2026-02-02T02:40:00.000Z\n"))
    place.terminals = [1]
    #expect(
      place.run("workspace show acme --color never").output.contains(
        "2026-02-02 03:40:00+01:00 (0ms ago)"))
    #expect(
      place.run("workspace show acme --utc --color never").output.contains(
        "2026-02-02T02:40:00.000Z\n"))
  }

  @Test("a change that was stored is told with its ID when standard output cannot be written")
  func stored() throws {
    var place = try CommandPlace.ready()
    place.failOutput = 28
    let job = place.run("job enqueue -- true")
    #expect(job.status == 74)
    #expect(job.error.hasSuffix("no space left on device; the change is stored: 1\n"), "\(job)")
    let workspace = place.run("workspace create more --json")
    #expect(workspace.error.contains(#"is stored: more""#), "\(workspace)")
    let some = place.run("job cancel 1 99")
    #expect(some.status == 66)
    #expect(
      some.error.hasSuffix("the change is stored: job 1 of workspace 'acme' is cancelled\n"),
      "\(some)")
    let backup = place.folder.file("backup.db")
    #expect(place.run(["store", "backup", backup]).error.contains("the change is stored"))
    place.input = Array("{\"command\":[\"a\"]}\n{\"command\":[\"b\"]}\n".utf8)
    let bulk = place.run("job enqueue --jsonl - --commit-every 1")
    #expect(bulk.status == 74)
    #expect(bulk.error.contains("; the change is stored: 2\n"), "\(bulk)")
    #expect(bulk.error.contains("the first job of the input is enqueued"), "\(bulk)")
    #expect(!place.run("workspace archive beta --dry-run").error.contains("stored"))
    #expect(!place.run("job list -q").error.contains("stored"))
    place.failOutput = nil
    #expect(place.run("job list -q").output == "2\n1\n")
    #expect(place.run("workspace list -q").output == "acme\nbeta\nmore\n")
  }
}

@Suite("Workspaces: name and archive")
struct WorkspaceChangeTests {
  @Test("a workspace gets another name, and its ID stays")
  func edit() throws {
    let place = try CommandPlace.ready()
    #expect(
      place.run(["workspace", "edit", "acme", "--name", "Acme Inc."]).output
        == "workspace 'acme' is named 'Acme Inc.'\n")
    #expect(place.run("workspace list --json").output.contains(#""name":"Acme Inc.""#))
    #expect(place.run("log --json --limit 1").output.contains(#""command":"workspace edit""#))
    #expect(place.run(["workspace", "edit", "nope", "--name", "x"]).status == 66)
    #expect(place.run("workspace edit acme").status == 64)
  }

  @Test("the name of a protected workspace is changed only where -w names that workspace (82)")
  func protected() throws {
    let place = try CommandPlace.ready()
    #expect(place.run("workspace protect acme").status == 0)
    for given in ["", "-w beta "] {
      let refused = place.run("\(given)workspace edit acme --name Other")
      #expect(refused.status == 82 && refused.error.contains("'acme' is protected"), "\(refused)")
    }
    #expect(place.run("-w acme workspace edit acme --name Other").status == 0)
    #expect(place.run("workspace show acme").output.contains("Other"))
  }

  @Test(
    "a display name is one line of text (64)",
    arguments: [
      "", " \t ", "a\nb", "a\u{1b}[31m", "a\u{202e}b", String(repeating: "x", count: 256),
    ])
  func displayName(_ name: String) throws {
    let place = try CommandPlace.ready()
    for line in [["workspace", "edit", "acme"], ["workspace", "create", "new"]] {
      let refused = place.run(line + ["--name", name])
      #expect(refused.status == 64 && refused.error.contains("'--name' "), "\(refused)")
      #expect(refused.error.contains("hint: give one line of text"), "\(refused)")
    }
    #expect(place.run("workspace show new").status == 66)
  }

  @Test("an archived workspace is taken into use again")
  func unarchive() throws {
    let place = try CommandPlace.ready()
    #expect(place.run("workspace archive beta").status == 0)
    let refused = place.run("-w beta job enqueue -- true")
    #expect(refused.status == 81)
    #expect(refused.error.hasSuffix("hint: to use it again: hotglue workspace unarchive beta\n"))
    #expect(
      place.run("workspace unarchive beta").output
        == "workspace 'beta' is active again; it holds no jobs\n")
    #expect(place.run("workspace unarchive beta").output.contains("active already"))
    #expect(place.run("-w beta job enqueue -q -- true").status == 0)
  }
}

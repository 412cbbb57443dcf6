import HotglueCore
import HotglueStore
import Testing

@testable import HotglueCommands

@Suite("automation commands")
struct AutomationCommandTests {
  let world: JobWorld

  init() throws { world = try JobWorld() }

  /// 2026-02-02T02:40:00Z.
  private static let start = JobWorld.start

  private func add(_ name: String, _ flags: String..., now: Timestamp = Self.start)
    -> JobWorld.Answer
  {
    world.run(
      ["automation", "add", name] + flags + ["--timezone", "UTC", "--", "/bin/true"], input: [],
      now: now)
  }

  private func after(_ span: Span) -> Timestamp { Self.start.advanced(by: span) }

  @Test("an automation is added, listed and shown with the documented keys")
  func add() throws {
    let answer = world.run(
      "automation", "add", "backup", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin",
      "--json", "--", "/bin/true")
    #expect(answer.status == 0)
    let json = try answer.json()
    #expect(
      (json.members ?? []).map(\.key) == [
        "id", "name", "workspace", "link", "schedule", "zone", "zone_origin", "state", "reason",
        "missed", "overlap", "jitter", "pause_after", "next_at", "last_at", "last_job", "revision",
        "created_at",
      ])
    #expect(json["next_at"] == .string("2026-02-03T01:30:00.000Z"))
    #expect(json["zone_origin"] == .string("flag"))
    #expect(answer.err.contains("no worker has ticked lately"))
    #expect(world.run("automation", "list", "-q").out == "backup\n")
    #expect(world.run("automation", "list").err.contains("no worker has ticked lately"))
    #expect(world.run("automation", "show", "backup").out.contains("schedule\t30 2 * * *\n"))
    let link = "hotglue://acme/automation/1"
    #expect(world.run("automation", "show", link, "-q").out == "backup\n")
    #expect(world.run("open", link).out == world.run("automation", "show", "backup").out)
    #expect(world.run("-w", "beta", "automation", "show", link).status == 80)
    #expect(world.run("automation", "show", "backip").err.contains("'backup'"))
    #expect(add("backup", "--every", "1h").status == 73)
  }

  @Test(
    "what cannot be a schedule is refused with 65, and what to write instead",
    arguments: [
      (["--cron", "* * * * * *"], "--every 10s"), (["--cron", "@reboot"], "systemd"),
      (["--cron", "0 0 ? * 1"], "'*'"), (["--cron", "0 0 15W * *"], "1-5"),
      (["--cron", "30 2 30 2 *"], "50 years"), (["--every", "500ms"], "whole seconds"),
      (["--every", "10m", "--jitter", "6m"], "5m"),
      (["--cron", String(repeating: "1,", count: 130) + "1 * * * *"], "256"),
      (
        ["--every", "1h", "--overlap", "queue", "--limit-key", "k", "--limit-max", "2"], "limit-max"
      ),
    ] as [([String], String)])
  func refused(flags: [String], hint: String) {
    let answer = world.run(
      ["automation", "add", "x"] + flags + ["--timezone", "UTC", "--", "true"], input: [])
    #expect(answer.status == 65, "\(answer)")
    #expect(answer.err.contains(hint), "\(answer.err)")
  }

  @Test(
    "a flag's value that has not its form is a usage error",
    arguments: [
      (["--every", "1h", "--cron", "@daily"], "leave one"), ([], "--cron"),
      (["--cron", "@daily", "--missed", "twice"], "all:N"),
      (["--cron", "@daily", "--overlap", "none"], "queue-all"),
      (["--cron", "@daily", "--pause-after", "0"], "none"), (["--every", "soon"], "duration"),
      (["--cron", "@daily", "--from", "soon"], "a time such as"),
    ] as [([String], String)])
  func usage(flags: [String], hint: String) {
    let answer = world.run(
      ["automation", "add", "x"] + flags + ["--timezone", "UTC", "--", "true"], input: [])
    #expect(answer.status == 64, "\(answer)")
    #expect(answer.err.contains(hint), "\(answer.err)")
  }

  @Test("an unknown zone is refused with near matches, and never read as UTC")
  func unknownZone() {
    let answer = world.run(
      "automation", "next", "--cron", "@daily", "--timezone", "Europe/Berln")
    #expect(answer.status == 65)
    #expect(answer.err.contains("Europe/Berlin"))
  }

  @Test("next of a schedule needs no store, and marks what daylight saving does")
  func next() throws {
    let place = try CommandPlace()
    let moved = place.run([
      "automation", "next", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--since",
      "2026-03-29", "--count", "1",
    ])
    #expect(moved.status == 0, "\(moved)")
    #expect(
      moved.output
        == "2026-03-29T01:00:00.000Z\t2026-03-29T03:00:00+02:00\tmoved from 02:30 (does not exist)\n"
    )
    let json = place.run([
      "automation", "next", "--every", "90s", "--timezone", "UTC", "--since",
      "2026-03-01T00:00:00Z", "--count", "2", "--json",
    ]).output.split(separator: "\n")
    #expect(
      json.last
        == #"{"automation":null,"nominal":"2026-03-01T00:01:30","zone":"UTC","fold":0,"at":"2026-03-01T00:01:30.000Z","note":null,"decision":null,"reason":null,"job":null,"catch_up":null}"#
    )
  }

  @Test("a tick decides what is due, once, and history shows it")
  func tick() throws {
    #expect(add("beat", "--every", "1m").status == 0)
    #expect(world.run("automation", "tick", now: after(.minutes(3))).status == 0)
    let history = world.run("automation", "history", "beat", "--json").lines
    #expect(history.count == 3)
    let newest = try JSON.parse(try #require(history.first))
    #expect(newest["decision"] == .string("fired") || newest["decision"] == .string("skipped"))
    #expect(
      (newest.members ?? []).map(\.key) == [
        "automation", "nominal", "zone", "fold", "at", "note", "decision", "reason", "job",
        "catch_up", "outcome", "decided_at",
      ])
    #expect(world.run("automation", "tick", now: after(.minutes(3))).out == "")
    let job = try #require(world.run("automation", "history", "beat", "-q").lines.first)
    let shown = try world.run("job", "show", job, "--json").json()
    #expect(shown["automation"] == .string("beat"))
    #expect(shown["occurrence"]?.stringValue?.hasSuffix(":00.000Z") == true)
    let page = world.run("automation", "history", "beat", "--limit", "2")
    #expect(page.lines.count == 2)
    #expect(page.err.contains("--cursor"))
  }

  @Test("a paused automation fires nothing, and a resumed one what was asked for")
  func pause() throws {
    #expect(add("beat", "--every", "1m").status == 0)
    #expect(world.run("automation", "pause", "beat", "--reason", "lunch").status == 0)
    #expect(world.run("automation", "resume", "beat", "--catch-up", "soon").status == 64)
    let json = try world.run("automation", "show", "beat", "--json").json()
    #expect(json["state"] == .string("paused"))
    #expect(json["reason"] == .string("lunch"))
    #expect(json["next_at"] == .null)
    // Nothing ticked during the pause: the resume itself decides what it let go.
    let resumed = world.run(
      "automation", "resume", "beat", "--catch-up", "one", now: after(.minutes(5)))
    #expect(resumed.status == 0, "\(resumed)")
    #expect(
      try world.store().jobs(in: world.acme, matching: JobFilter(), before: nil, limit: 9).count
        == 1)
    #expect(world.run("automation", "resume", "beat").status == 81)
  }

  @Test("a trigger obeys overlap, and works while paused")
  func trigger() throws {
    #expect(add("beat", "--every", "1h").status == 0)
    _ = world.run("automation", "pause", "beat")
    let first = world.run("automation", "trigger", "beat")
    #expect(first.status == 0)
    let second = world.run("automation", "trigger", "beat")
    #expect(second.status == 81)
    #expect(second.err.contains("job \(first.out.dropLast()) is pending"))
    #expect(world.run("automation", "history", "beat").out == "")
  }

  @Test("a backfill enqueues a job for each occurrence, and says which with --dry-run")
  func backfill() throws {
    #expect(add("beat", "--cron", "0 * * * *").status == 0)
    let range = ["--since", "2026-02-01T00:00:00Z", "--until", "2026-02-01T06:00:00Z"]
    let backfill = ["automation", "backfill", "beat"] + range
    #expect(world.run(backfill + ["--dry-run"], input: []).lines.count == 6)
    #expect(world.run(backfill + ["-q"], input: []).lines.count == 6)
    #expect(world.run(backfill + ["-q"], input: []).out == "")
    let many = world.run(
      "automation", "backfill", "beat", "--since", "2020-01-01T00:00:00Z", "--until",
      "2026-01-01T00:00:00Z")
    #expect(many.status == 65)
    #expect(
      world.run(
        "automation", "backfill", "beat", "--since", "2026-02-01", "--until", "2026-03-01T00:00:00Z"
      ).status == 65)
  }

  @Test("check exits 1 for what is late, and for want of a worker")
  func check() throws {
    #expect(world.run("automation", "check").status == 0, "nothing to fire")
    #expect(add("beat", "--every", "1m").status == 0)
    let answer = world.run("automation", "check", "--json", now: after(.minutes(10)))
    #expect(answer.status == 1)
    #expect(
      answer.lines.compactMap { try? JSON.parse($0)["kind"]?.stringValue }
        == ["automation_late", "no_worker"])
    _ = world.run("automation", "tick", now: after(.minutes(10)))
    #expect(world.run("automation", "check", now: after(.minutes(10))).status == 0)
  }

  @Test("what is exported reads back as the same automations")
  func export() throws {
    #expect(
      world.run(
        [
          "automation", "add", "a", "--cron", "0 2 * * *", "--cron", "@hourly", "--timezone", "UTC",
          "--missed", "all:7", "--missed-within", "2h", "--overlap", "queue-all", "--pause-after",
          "3", "--until", "2027-01-01T00:00:00Z", "--payload", #"{"a":"b"}"#, "--env", "X=1",
          "--timeout", "5m", "--queue", "q", "--priority", "-3", "--", "sh", "-c", "echo \"x\"",
        ],
        input: []
      ).status == 0)
    #expect(
      world.run(
        "automation", "add", "b", "--every", "90s", "--jitter", "45s", "--max-attempts", "2",
        "--timezone", "UTC", "mail"
      ).status == 0)
    let text = world.run("automation", "export").out
    let again = world.run(["type", "apply", "-"], input: Array(text.utf8))
    #expect(again.status == 0, "\(again)\n\(text)")
    #expect(
      again.lines.filter { $0.hasSuffix("is at revision 1 already") }.count == 2,
      "\(again)\n\(text)")
  }

  @Test("edit changes what is named, at the revision that was seen")
  func edit() throws {
    #expect(add("beat", "--every", "1h").status == 0)
    #expect(world.run("automation", "edit", "beat", "--overlap", "allow").status == 0)
    let json = try world.run("automation", "show", "beat", "--json").json()
    #expect(json["revision"] == .integer(2))
    #expect(json["overlap"] == .string("allow"))
    #expect(
      world.run("automation", "edit", "beat", "--if-revision", "1", "--overlap", "skip").status
        == 81)
    #expect(world.run("automation", "remove", "beat", "--dry-run").status == 0)
    #expect(world.run("automation", "remove", "beat").status == 0)
    #expect(world.run("automation", "show", "beat").status == 66)
  }

  @Test("a crontab is taken over once, and what has no counterpart is listed")
  func crontab() throws {
    let text = """
      MAILTO=ops
      CRON_TZ=Europe/Berlin
      */5 * * * * /usr/local/bin/foo.sh --x%hello
      @reboot x
      0 1 * * 1-5 cd /srv && ./bar
      """
    func run(_ flags: String...) -> JobWorld.Answer {
      world.run(["automation", "import", "crontab", "-"] + flags, input: Array(text.utf8))
    }
    #expect(run("--dry-run", "-q").out == "foo\nbar\n")
    #expect(world.run("automation", "list", "-q").out == "")
    let answer = run("-q")
    #expect(answer.out == "foo\nbar\n")
    let told = run()
    #expect(told.lines.allSatisfy { $0.contains("already there") })
    #expect(told.err.contains("line 1: MAILTO=ops"))
    #expect(told.err.contains("line 4: @reboot x"))
    let json = try world.run("automation", "show", "foo", "--json").json()
    #expect(json["zone"] == .string("Europe/Berlin"))
    #expect(json["zone_origin"] == .string("crontab"))
  }

  @Test(
    "a draft becomes an automation, and one that began from a revision is refused over a newer one")
  func draft() throws {
    let text =
      "[automation.x]\ncron = \"0 5 * * MON#1\"\ntimezone = \"UTC\"\ncommand = [\"true\"]\n"
    #expect(
      world.run(["draft", "new", "automation", "--from", "-"], input: Array(text.utf8)).status == 0)
    #expect(world.run("draft", "submit", "1").status == 0)
    #expect(world.run("automation", "list", "-q").out == "x\n")
    let edited = text.replacing("0 5", with: "0 6")
    #expect(
      world.run(
        ["draft", "edit", "automation", "x", "--from", "-"], input: Array(edited.utf8)
      ).status == 0)
    #expect(world.run("automation", "edit", "x", "--overlap", "allow").status == 0)
    let refusal = world.run("draft", "submit", "2")
    #expect(refusal.status == 81)
    #expect(refusal.err.contains("overlap: skip -> allow"), "\(refusal.err)")
    let wrong = "[automation.y]\ncron = \"61 * * * *\"\n"
    #expect(
      world.run(["draft", "new", "automation", "--from", "-"], input: Array(wrong.utf8)).status
        == 65)
  }
}

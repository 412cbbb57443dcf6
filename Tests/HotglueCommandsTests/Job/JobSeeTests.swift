import HotglueCore
import HotglueStore
import Testing

@testable import HotglueCommands

@Suite struct JobSeeTests {
  let world: JobWorld
  let worker: TestWorker

  init() throws {
    world = try JobWorld()
    worker = try TestWorker(in: world)
  }

  // MARK: list

  @Test("a list off a terminal is tab-separated, newest first, with times in RFC 3339")
  func plainList() throws {
    try world.enqueue(command: ["echo", "a b"])
    try world.enqueue("--queue", "mail", "--max-attempts", "3", command: ["echo", "tab\there"])
    let time = JobWorld.start.rfc3339
    #expect(
      world.run("job", "list")
        == .init(
          status: 0,
          out: "2\tpending\t0/3\t-\t\(time)\tmail\texec\techo 'tab\\there'\n"
            + "1\tpending\t0/1\t-\t\(time)\tdefault\texec\techo 'a b'\n", err: ""))
  }

  @Test("a list on a terminal has headings and distances; control characters are made visible")
  func terminalList() throws {
    try world.enqueue("--delay", "10m", command: ["echo", "\u{1b}[31mred"])
    let answer = world.run("job", "list", "--color", "never", terminal: true)
    #expect(
      answer.out == """
        ID  STATE      ATTEMPT  PROGRESS  RUN AT     QUEUE    TYPE  COMMAND
        1   scheduled  0/1      -         in 10m 0s  default  exec  echo '\\u001b[31mred'

        """)
    #expect(answer.err == "acme › jobs\n")
  }

  @Test("a list names the type of a job, also of one that nobody has defined")
  func types() throws {
    _ = world.run("type", "set", "resize", "--", "./resize")
    #expect(world.run("job", "enqueue", "resize").status == 0)
    #expect(world.run("job", "enqueue", "later").status == 0)
    let rows = world.run("job", "list").lines.map { $0.split(separator: "\t").suffix(2) }
    #expect(rows == [["later", "-"], ["resize", "./resize"]])
  }

  @Test("after a retry the attempt is one of as many as there can be")
  func attemptAfterRetry() throws {
    let id = try world.enqueue()
    try worker.finish(id, .exited(1))
    func attempt() throws -> Substring {
      try #require(world.run("job", "list").lines.first).split(separator: "\t")[2]
    }
    #expect(try attempt() == "1/1")
    #expect(
      world.run("job", "show", String(id)).lines.contains("spent\t1 failure, 0 losses, 0 snoozes"))
    #expect(world.run("job", "retry", String(id)).status == 0)
    #expect(try attempt() == "1/2")
    _ = try worker.claim(id)
    #expect(try attempt() == "2/2")
  }

  @Test("a pending job is shown by what it waits for")
  func shownStates() throws {
    try world.enqueue("--delay", "1h")
    let retried = try world.enqueue("--max-attempts", "3")
    try worker.finish(retried, .exited(75))
    try world.enqueue("--limit-key", "k")
    let second = try world.enqueue("--limit-key", "k")
    _ = try worker.claim(3)
    // A claim that finds the limit reached marks the job as waiting for it.
    _ = try worker.store.settle(
      [],
      thenClaim: ClaimRequest(
        worker: worker.id, workspaces: [world.acme], slots: ["x"],
        bootNow: BootTime(bootID: "b", milliseconds: 1)), at: JobWorld.start)
    let states = world.run("job", "list").lines.map { $0.split(separator: "\t")[1] }
    #expect(states == ["limited", "running", "retrying", "scheduled"])
    #expect(world.run("job", "show", String(second)).out.contains("limit key 'k'"))
    let json = try #require(world.run("job", "list", "--json").lines.first)
    #expect(try JSON.parse(json)["state"] == .string("pending"))
  }

  @Test("a job that waits for room in its queue or type is shown as limited, as long as it does")
  func shownLimits() throws {
    #expect(world.run("queue", "limit", "narrow", "1").status == 0)
    #expect(world.run("type", "set", "rare", "--limit", "1", "--", "true").status == 0)
    let first = try world.enqueue("--queue", "narrow")
    try world.enqueue("--queue", "narrow")
    try world.enqueue("--queue", "narrow", "--delay", "1h")
    #expect(world.run("job", "enqueue", "rare").out == "4\n")
    #expect(world.run("job", "enqueue", "rare").out == "5\n")
    try world.enqueue()
    func states() -> [Substring] {
      world.run("job", "list").lines.map { $0.split(separator: "\t")[1] }
    }
    #expect(
      states() == ["pending", "pending", "pending", "scheduled", "pending", "pending"])
    let attempt = try worker.claim(first)
    _ = try worker.claim(4)
    #expect(
      states() == ["pending", "limited", "running", "scheduled", "limited", "running"])
    try worker.settle(attempt.reference, AttemptEnd(how: .exited(0)))
    #expect(
      states() == ["pending", "limited", "running", "scheduled", "pending", "succeeded"])
    let json = try #require(world.run("job", "list", "--json").lines.dropFirst().first)
    #expect(try JSON.parse(json)["state"] == .string("pending"))
  }

  @Test("a list shows the beginning of a long progress message, and 'job show' all of it")
  func longMessage() throws {
    let attempt = try worker.claim(try world.enqueue()).reference
    let message = String(repeating: "long ", count: 1000)
    try worker.store.recordProgress([
      (attempt, JobProgress(current: nil, total: nil, message: message))
    ])
    let shown = world.run("job", "list").lines[0].split(separator: "\t")[3]
    #expect(shown == message.prefix(39) + "…")
    #expect(world.run("job", "show", "1").out.contains(message))
  }

  @Test("filters choose by state, queue, type and age")
  func filters() throws {
    try world.enqueue("--queue", "a")
    let done = try world.enqueue("--queue", "b")
    try worker.finish(done, .exited(0))
    let failed = try world.enqueue()
    try worker.finish(failed, .exited(64))
    func ids(_ flags: String..., at now: Timestamp = JobWorld.start) -> [String] {
      world.run(["job", "list", "-q"] + flags, input: [], now: now).lines
    }
    #expect(ids() == ["3", "2", "1"])
    #expect(ids("--state", "succeeded") == ["2"])
    #expect(ids("--state", "succeeded,failed") == ["3", "2"])
    #expect(ids("--state", "pending", "--state", "failed") == ["3", "1"])
    #expect(ids("--queue", "a", "--queue", "b") == ["2", "1"])
    #expect(ids("--type", "exec") == ["3", "2", "1"])
    #expect(ids("--type", "other") == [])
    let later = JobWorld.start.advanced(by: .hours(3))
    #expect(ids("--since", "2h", at: later) == [])
    #expect(ids("--since", "4h", at: later) == ["3", "2", "1"])
    #expect(ids("--since", JobWorld.start.rfc3339) == ["3", "2", "1"])
    #expect(world.run("-w", "beta", "job", "list") == .init(status: 0, out: "", err: ""))
  }

  @Test(
    "bad filters are refused with what would be right",
    arguments: [
      (["--state", "suceeded"], "hint: did you mean 'succeeded'?"),
      (
        ["--state", "scheduled"], "hint: 'scheduled' is how a pending job is shown: --state pending"
      ),
      (["--state", "x"], "one of blocked, pending, running"),
      (["--since", "someday"], "give a duration such as 2h or 7d"),
      (["--limit=-1"], "give 0 for all, or more"),
      (["--cursor", "abc"], "give one that 'job list' printed"),
    ])
  func badFilters(flags: [String], hint: String) {
    let answer = world.run(["job", "list"] + flags, input: [])
    #expect(answer.status == 64)
    #expect(answer.err.contains(hint))
  }

  @Test("pages follow each other without gap or repeat, and 0 means all")
  func pages() throws {
    for _ in 1...5 { try world.enqueue() }
    let first = world.run("job", "list", "-q", "--limit", "2")
    #expect(first == .init(status: 0, out: "5\n4\n", err: ""))
    let noted = world.run("job", "list", "--json", "--limit", "2")
    let cursor = try #require(noted.err.dropLast().split(separator: " ").last.map(String.init))
    #expect(noted.err == "next page: --cursor \(cursor)\n")
    // A job that comes between two pages shifts nothing.
    try world.enqueue()
    let second = world.run("job", "list", "-q", "--limit", "2", "--cursor", cursor)
    #expect(second.lines == ["3", "2"])
    #expect(world.run("job", "list", "-q", "--limit", "0").lines == ["6", "5", "4", "3", "2", "1"])
    #expect(world.run("job", "list", "--limit", "6").err == "")
  }

  @Test("a cursor is refused in another workspace and with other filters")
  func foreignCursor() throws {
    for _ in 1...2 { try world.enqueue("--queue", "a") }
    let page = world.run("job", "list", "--limit", "1", "--queue", "a")
    let cursor = try #require(page.err.dropLast().split(separator: " ").last.map(String.init))
    #expect(world.run("job", "list", "-q", "--cursor", cursor, "--queue", "a").lines == ["1"])
    let elsewhere = world.run("-w", "beta", "job", "list", "--cursor", cursor, "--queue", "a")
    #expect(elsewhere.status == 80)
    #expect(
      elsewhere.err.hasPrefix(
        "hotglue: the cursor belongs to workspace 'acme', but the context is 'beta' (from -w)\n"))
    #expect(world.run("job", "list", "--cursor", cursor).status == 80)
  }

  @Test("a cursor's text and value belong together; anything else is none")
  func cursorText() throws {
    let cursor = PageCursor(
      workspace: world.acme, query: .max, before: 42, since: Timestamp(milliseconds: -5))
    #expect(PageCursor(cursor.text) == cursor)
    for text in ["", "acme", "acme.1.0.", "acme.1.2", "Acme.1.2.", "acme.1.2.3.4", "acme.!.2."] {
      #expect(PageCursor(text) == nil)
    }
  }

  // MARK: show and open

  @Test("the JSON of a story has policy, attempts, history, effects and late reports")
  func story() throws {
    let id = try world.enqueue("--max-attempts", "2", command: ["false"])
    let end = AttemptEnd(how: .exited(75))
    let attempt = try worker.claim(id).reference
    try worker.settle(
      attempt, end,
      usage: AttemptUsage(
        userMilliseconds: 12, systemMilliseconds: 3, peakMemoryBytes: 4096, log: "logs/0/1-1.log"),
      at: JobWorld.start.advanced(by: .seconds(2)))
    let json = try world.run("job", "show", "1", "--json").json()
    #expect(
      json.members?.map(\.key).suffix(5) == [
        "policy", "attempts", "history", "effects", "late_reports",
      ])
    #expect(
      json["policy"]?.text
        == #"{"lease":"1m","timeout":null,"stop":"TERM,10s,KILL","max_attempts":2,"max_losses":3,"#
        + #""max_snoozes":1000,"backoff":"exponential:10s:1h","jitter":"equal","retry_for":null,"#
        + #""on_exit":null,"replay":"unsafe","verify":null,"log_cap":67108864,"#
        + #""keep_children":false,"queue":"default","priority":0,"limit_key":null,"#
        + #""limit_max":null,"key_for":null,"environment":[],"#
        + #""directory":"\#(world.folder.path)"}"#)
    let start = JobWorld.start.rfc3339
    let later = JobWorld.start.advanced(by: .seconds(2)).rfc3339
    #expect(
      json["attempts"]?.text
        == #"[{"number":1,"fence":1,"worker":"host:1","started_at":"\#(start)","#
        + #""finished_at":"\#(later)","outcome":"retry","reason":"exit","exit_status":75,"#
        + #""signal":null,"user_ms":12,"system_ms":3,"peak_memory_bytes":4096,"#
        + #""log":"logs/0/1-1.log","warnings":[],"revision":null}]"#)
    let history = try #require(json["history"]?.arrayValue)
    #expect(history.compactMap { $0["event"]?.stringValue } == ["enqueue", "claim", "retry"])
    #expect(
      history.last?.members?.map(\.key) == ["at", "event", "from", "to", "by", "reason"])
    #expect(json["started_at"] == .string(start))
    #expect(json["effects"] == .array([]))
    #expect(json["late_reports"] == .array([]))
  }

  @Test("what a late attempt wanted to say is shown")
  func lateReports() throws {
    let id = try world.enqueue("--replay", "safe", "--max-attempts", "5")
    let first = try worker.claim(id).reference
    try worker.settle(first, AttemptEnd(how: .lost))
    _ = try worker.claim(id)
    try worker.settle(first, AttemptEnd(how: .exited(0)))
    let reports = try world.run("job", "show", "1", "--json").json()["late_reports"]?.arrayValue
    #expect(reports?.count == 1)
    #expect(reports?.first?["fence"] == .number("1"))
    #expect(world.run("job", "show", "1").out.contains("\nlate_report\t"))
  }

  @Test("show tells what happens next, and the very times at which it would be retried")
  func previewedTimes() throws {
    let id = try world.enqueue("--max-attempts", "4", "--backoff", "exponential:8s")
    let policy = try world.job(id).request.policy
    let waits = (1...3).map {
      policy.delay(afterFailure: $0, job: id, attempt: $0).approximateText
    }
    let preview = world.run("job", "show", "1").out
    #expect(
      preview.contains(
        "if it fails\tagain after \(waits[0]), then \(waits[1]), then \(waits[2]), then failed\n"
      ))
    // What was previewed is what is decided.
    try worker.finish(id, .exited(1))
    let decided = try world.job(id).runAt
    #expect(
      decided == JobWorld.start.advanced(by: policy.delay(afterFailure: 1, job: id, attempt: 1)))
    let after = world.run("job", "show", "1").out
    #expect(after.contains("state\tretrying\n"))
    #expect(after.contains("next\tis run again at \(decided.rfc3339) (in \(waits[0]))\n"))
    #expect(
      after.contains("if it fails\tagain after \(waits[1]), then \(waits[2]), then failed\n"))
    #expect(after.contains("\nattempt\t1\tretry\texit\t"))
  }

  @Test("--failed lists failed jobs alone; the reason says what made the failure final")
  func failed() throws {
    for status: Int32 in [0, 64, 1, 83] { try worker.finish(world.enqueue(), .exited(status)) }
    #expect(world.run("job", "list", "--failed", "-q").lines == ["3", "2"])
    #expect(world.run("job", "list", "--failed", "--state", "succeeded", "-q").lines.count == 3)
    #expect(world.run("job", "list", "--state", "exhausted").status == 64)
    for (id, reason) in [("2", "exit"), ("3", "max_attempts")] {
      #expect(world.run("job", "show", id).out.contains("reason\t\(reason)\n"))
    }
  }

  @Test("a list shows a job whose deadline has passed as cancelled, before that is recorded")
  func passedDeadline() throws {
    try world.enqueue("--expires", "1h")
    try world.enqueue()
    let later = JobWorld.start.advanced(by: .hours(1))
    #expect(world.run("job", "list", "--state", "cancelled", "-q", now: later).lines == ["1"])
    #expect(world.run("job", "list", "--state", "pending", "-q", now: later).lines == ["2"])
    #expect(world.run("job", "show", "1", now: later).out.contains("reason\texpired\n"))
    #expect(world.run("job", "explain", "1", "-q", now: later).lines == ["expired"])
    #expect(try world.job(1).state == .pending)
  }

  @Test(
    "show names the command that would change what does not move by itself",
    arguments: [
      (Int32(64), "failed", "hotglue job retry 1"), (1, "failed", "hotglue job retry 1"),
      (83, "uncertain", "hotglue job resolve 1 --as succeeded|failed|retry --reason TEXT"),
      (0, "succeeded", "nothing: it has ended"),
    ])
  func nextSteps(status: Int32, state: String, step: String) throws {
    try worker.finish(world.enqueue(), .exited(status))
    let answer = world.run("job", "show", "1")
    #expect(answer.out.contains("state\t\(state)\n"))
    #expect(answer.out.contains(step))
  }

  @Test("values of recorded variables are not shown to people, their names are")
  func variablesAreHidden() throws {
    try world.enqueue("--env", "TOKEN=secret")
    let answer = world.run("job", "show", "1")
    #expect(answer.out.contains("variables\tTOKEN\n"))
    #expect(!answer.out.contains("secret"))
  }

  @Test("a job is taken by number and by link; one of another workspace is refused")
  func guardOfWorkspaces() throws {
    try world.enqueue()
    let byNumber = world.run("job", "show", "1")
    #expect(byNumber.status == 0)
    #expect(world.run("job", "show", "hotglue://acme/job/1") == byNumber)
    for name in ["1", "hotglue://acme/job/1"] {
      for verb in [["show"], ["logs"], ["wait"], ["cancel"], ["retry"]] {
        let answer = world.run(["-w", "beta", "job"] + verb + [name], input: [])
        #expect(answer.status == 80)
        #expect(answer.err.contains("belongs to workspace 'acme', but the context is 'beta'"))
      }
    }
    #expect(world.run("job", "show", "99").status == 66)
    #expect(world.run("job", "show", "x").status == 64)
    #expect(world.run("job", "show", "hotglue://acme/draft/1").status == 64)
  }

  @Test("a list is filtered by a type's name or link; a link into another workspace is refused")
  func filterByLink() throws {
    #expect(world.run("job", "enqueue", "mail").status == 0)
    try world.enqueue()
    let byName = world.run("job", "list", "--type", "mail")
    #expect(byName.lines.count == 1)
    #expect(world.run("job", "list", "--type", "hotglue://acme/type/mail") == byName)
    let refused = world.run("-w", "beta", "job", "list", "--type", "hotglue://acme/type/mail")
    #expect(refused.status == 80)
    #expect(
      refused.err.hasSuffix("\nhint: hotglue -w acme job list --type hotglue://acme/type/mail\n"))
    #expect(world.run("job", "list", "--type", "hotglue://acme/job/1").status == 64)
  }

  @Test("open shows what a link names in its own workspace, without switching")
  func open() throws {
    try world.enqueue()
    let shown = world.run("job", "show", "1", "--json")
    #expect(world.run("-w", "beta", "open", "hotglue://acme/job/1", "--json") == shown)
    #expect(world.run("open", "hotglue://acme/job/9").status == 66)
    #expect(world.run("open", "hotglue://beta/job/1").status == 66)
    #expect(world.run("open", "hotglue://gamma/job/1").status == 66)
    #expect(world.run("open", "hotglue://acme/draft/1").status == 66)
    #expect(world.run("open", "hotglue://acme/record/crm/1").status == 64)
    #expect(world.run("open", "1").status == 64)
    #expect(world.run("workspace", "current").out == "acme\n")
  }

  // MARK: lifecycle

  @Test("the lifecycle is printed from the table that the program runs on")
  func lifecycle() throws {
    #expect(world.run("job", "lifecycle").lines.count == Lifecycle.rows.count)
    #expect(world.run("job", "lifecycle", "--dot").out == Lifecycle.dot + "\n")
    let rows = world.run("job", "lifecycle", "--json").lines
    #expect(rows.count == Lifecycle.rows.count)
    #expect(
      rows.first
        == #"{"from":null,"event":"enqueue","to":["pending","blocked"],"condition":"#
        + #""blocked while it waits for other jobs"}"#)
    #expect(world.run("job", "lifecycle", "--json", "--dot").status == 64)
  }
}

import Glibc
import HotglueCore
import HotglueStore
import TestSupport
import Testing

@testable import HotglueCommands

@Suite struct JobActTests {
  let world: JobWorld
  let worker: TestWorker

  init() throws {
    world = try JobWorld()
    worker = try TestWorker(in: world)
  }

  // MARK: cancel

  @Test("a pending job is cancelled at once, and the workspace is named")
  func cancelPending() throws {
    let id = try world.enqueue()
    let answer = world.run("job", "cancel", "1")
    #expect(answer == .init(status: 0, out: "job 1 of workspace 'acme' is cancelled\n", err: ""))
    #expect(try world.job(id).state == .cancelled)
  }

  @Test(
    "the cancel of a running job is recorded and returns; nobody hears it here, and that is said")
  func cancelRunning() throws {
    let id = try world.enqueue()
    _ = try worker.claim(id)
    let answer = world.run("job", "cancel", "1")
    #expect(answer.status == 0)
    #expect(answer.out == "job 1 of workspace 'acme' is to stop: its cancel is recorded\n")
    #expect(answer.err.contains("job reclaim"))
    let job = try world.job(id)
    #expect(job.state == .running)
    #expect(job.cancelRequestedAt == JobWorld.start)
  }

  @Test("a job whose worker is gone is resolved before it is cancelled")
  func cancelUnminded() throws {
    let safe = try world.enqueue("--replay", "safe")
    let unsafe = try world.enqueue()
    do {
      let gone = try TestWorker(in: world)
      _ = try gone.claim(safe)
      _ = try gone.claim(unsafe)
    }
    #expect(world.run("job", "cancel", "1").status == 0)
    #expect(try world.job(safe).state == .cancelled)
    let answer = world.run("job", "cancel", "2")
    #expect(answer.status == 81)
    #expect(answer.err.contains("is 'uncertain'"))
    #expect(try world.job(unsafe).state == .uncertain)
  }

  @Test("a finished job is refused, with the states that allow a cancel")
  func cancelFinished() throws {
    try worker.finish(world.enqueue(), .exited(0))
    let answer = world.run("job", "cancel", "1", "--json")
    #expect(answer.status == 81)
    let error = try JSON.parse(answer.err)["error"]
    #expect(error?["state"] == .string("succeeded"))
    #expect(error?["allowed_in"] == .strings(["running", "pending", "blocked"]))
  }

  @Test("of several jobs each is done on its own, all are reported, the highest status wins")
  func several() throws {
    for _ in 1...3 { try world.enqueue() }
    try worker.finish(2, .exited(0))
    let answer = world.run("job", "cancel", "-q", "1", "2", "99", "3", "1")
    #expect(answer.status == 81)
    #expect(answer.out == "1\n3\n")
    #expect(answer.err.contains("hotglue: job 2 is 'succeeded'"))
    #expect(answer.err.contains("hotglue: no job 99\n"))
    #expect(try world.job(3).state == .cancelled)
    let malformed = world.run("job", "retry", "1", "oops")
    #expect(malformed.status == 64)
    #expect(try world.job(1).state == .cancelled)
  }

  @Test("cancel --wait returns when the attempt has stopped")
  func cancelWait() async throws {
    let id = try world.enqueue()
    let attempt = try worker.claim(id).reference
    let world = world
    let waiting = BackgroundThread.start { world.run("job", "cancel", "1", "--wait") }
    while try world.job(id).cancelRequestedAt == nil { await Task.yield() }
    try worker.settle(attempt, AttemptEnd(how: .signaled(.term), stop: .cancel))
    let answer = try #require(await waiting.value)
    #expect(answer.status == 0)
    #expect(answer.out.hasSuffix("job 1: cancelled\n"))
  }

  @Test("cancel --wait ends with 75 when the time is over, and the request stays")
  func cancelWaitTimesOut() throws {
    let id = try world.enqueue()
    _ = try worker.claim(id)
    let answer = world.run("job", "cancel", "1", "--wait", "--timeout", "10ms")
    #expect(answer.status == 75)
    #expect(try world.job(id).cancelRequestedAt != nil)
    #expect(world.run("job", "cancel", "1", "--timeout", "1s").status == 64)
  }

  // MARK: retry, resolve

  @Test("retry gives fresh budgets, and is refused where there is nothing to retry")
  func retry() throws {
    let id = try world.enqueue()
    try worker.finish(id, .exited(1))
    #expect(try world.job(id).state == .failed)
    #expect(
      world.run("job", "retry", "1")
        == .init(status: 0, out: "job 1 of workspace 'acme' is pending again\n", err: ""))
    #expect(try world.job(id).failures == 0)
    #expect(world.run("job", "retry", "1").status == 81)
  }

  @Test(
    "an uncertain job is resolved by a person's word and reason",
    arguments: [("succeeded", JobState.succeeded), ("failed", .failed), ("retry", .pending)])
  func resolve(word: String, state: JobState) throws {
    let id = try world.enqueue()
    try worker.finish(id, .signaled(.kill))
    #expect(try world.job(id).state == .uncertain)
    let answer = world.run("job", "resolve", "1", "--as", word, "--reason", "looked")
    #expect(
      answer.out == "job 1 of workspace 'acme' is resolved: \(state.rawValue)\n")
    #expect(try world.job(id).state == state)
    #expect(try world.store().history(of: id, in: world.acme).last?.reason == "looked")
    #expect(world.run("job", "resolve", "1", "--as", word, "--reason", "again").status == 81)
  }

  @Test("resolve needs a word it knows and a reason")
  func resolveNeedsReason() throws {
    try world.enqueue()
    #expect(world.run("job", "resolve", "1", "--as", "succeeded").status == 64)
    #expect(world.run("job", "resolve", "1", "--as", "succeeded", "--reason", " ").status == 64)
    let word = world.run("job", "resolve", "1", "--as", "done", "--reason", "x")
    #expect(word.status == 64)
    #expect(word.err.contains("give succeeded, failed or retry"))
  }

  // MARK: wait

  @Test("whoever waits at a terminal sees how far a job is, and nobody else does")
  func waitTellsProgress() throws {
    let id = try world.enqueue()
    let worker = try TestWorker(in: world)
    let attempt = try worker.claim(id).reference
    let progress = JobProgress(current: 4, total: 10, message: "sor\u{1b}ting")
    try worker.store.recordProgress([(attempt, progress)])
    let wait = ["job", "wait", "1", "--timeout", "1ms"]
    let seen = world.run(wait, input: [], terminal: true)
    #expect(seen.status == 75)
    #expect(seen.err.hasPrefix("job 1: 4 of 10: sor\\u001bting\n"), "\(seen.err)")
    #expect(!world.run(wait, input: []).err.contains("4 of 10"))
    #expect(world.run("job", "list").lines.first?.split(separator: "\t")[3] == "4/10")
    #expect(world.run("job", "show", "1").lines.contains("progress\t4 of 10: sor\\u001bting"))
    let json = try #require(try world.run("job", "show", "1", "--json").json()["progress"])
    #expect(json.text == #"{"current":4,"total":10,"message":"sor\u001bting"}"#)
  }

  @Test("outside a handler there is nothing to report on")
  func reportOutside() {
    for arguments in [["job", "report", "succeeded"], ["job", "progress", "1"]] {
      let answer = world.run(arguments, input: [])
      #expect(answer.status == 78 && answer.out == "")
    }
    #expect(world.run("job", "report", "cancelled").status == 64)
    #expect(world.run("job", "progress").status == 64)
  }

  @Test("wait ends with 0 if all succeeded, 1 if one did not, 83 if one is uncertain")
  func waitStatuses() throws {
    for status: Int32 in [0, 64, 83] { try worker.finish(world.enqueue(), .exited(status)) }
    #expect(world.run("job", "wait", "1") == .init(status: 0, out: "job 1: succeeded\n", err: ""))
    let failed = world.run("job", "wait", "1", "2")
    #expect(failed.status == 1)
    #expect(failed.lines.first == "job 1: succeeded")
    #expect(world.run("job", "wait", "1", "2", "3").status == 83)
    let json = world.run("job", "wait", "--json", "1", "2", "1")
    #expect(json.lines.count == 2)
    #expect(try JSON.parse(json.lines[1])["state"] == .string("failed"))
  }

  @Test("wait refuses an unknown job before it waits for any")
  func waitUnknown() throws {
    try world.enqueue()
    let answer = world.run("job", "wait", "1", "99")
    #expect(answer.status == 66)
    #expect(answer.out == "")
  }

  @Test("wait ends with 75 when the time is over, naming the jobs")
  func waitTimesOut() throws {
    try worker.finish(world.enqueue(), .exited(0))
    try world.enqueue()
    let answer = world.run("job", "wait", "1", "2", "--timeout", "20ms", "--json")
    #expect(answer.status == 75)
    #expect(answer.lines.count == 1)
    #expect(try JSON.parse(answer.err)["error"]?["jobs"]?.text == "[2]")
  }

  @Test("wait sees the end of a job that another process records")
  func waitSeesEnd() async throws {
    let id = try world.enqueue()
    let attempt = try worker.claim(id).reference
    let world = world
    let waiting = BackgroundThread.start { world.run("job", "wait", "1") }
    try worker.settle(attempt, AttemptEnd(how: .exited(0)))
    #expect(await waiting.value == .init(status: 0, out: "job 1: succeeded\n", err: ""))
  }

  @Test("wait ends when the store is deleted, and does not wait for what nobody can record")
  func waitWithoutStore() async throws {
    _ = try worker.claim(world.enqueue())
    let world = world
    let waiting = BackgroundThread.start { world.run("job", "wait", "1") }
    while FolderListing.names(world.storeFolder + "/watches").isEmpty { await Task.yield() }
    unlink(String(world.storeFolder.dropLast(2)))
    let answer = try #require(await waiting.value)
    #expect(answer.status == 69, "\(answer)")
  }

  // MARK: prune

  @Test("prune removes what ended long ago with its log, and keeps what is uncertain")
  func prune() throws {
    mkdir(world.storeFolder + "/logs/0", 0o700)
    let path = world.storeFolder + "/logs/0/1-1.log"
    try JobEnqueueTests.write("out", to: path)
    try worker.finish(world.enqueue(), .exited(0), log: "logs/0/1-1.log")
    try worker.finish(world.enqueue(), .exited(64))
    try worker.finish(world.enqueue(), .exited(83))
    try world.enqueue()
    let later = JobWorld.start.advanced(by: .days(15))
    let dry = world.run("job", "prune", "--dry-run", now: later)
    #expect(dry.out == "would remove 1 job and 1 log of workspace 'acme'\n")
    #expect(access(path, F_OK) == 0)
    #expect(world.run("job", "prune", "-q", now: later).out == "1\n")
    #expect(access(path, F_OK) != 0)
    #expect(world.run("job", "list", "-q").lines == ["4", "3", "2"])
    let all = world.run("job", "prune", "--older-than", "1d", "--json", now: later)
    let pruned = #"{"workspace":"acme","jobs":1,"logs":0,"rejects":0,"dry_run":false}"#
    #expect(all.out == pruned + "\n")
    #expect(world.run("job", "list", "-q").lines == ["4", "3"])
  }

  @Test("prune --state removes jobs in those states only")
  func pruneStates() throws {
    for status: Int32 in [0, 64, 1] { try worker.finish(world.enqueue(), .exited(status)) }
    let later = JobWorld.start.advanced(by: .days(2))
    let answer = world.run(
      "job", "prune", "--older-than", "1d", "--state", "failed", "-q", now: later)
    #expect(answer.out == "2\n3\n")
    for state in ["uncertain", "running", "pending"] {
      #expect(world.run("job", "prune", "--state", state).status == 64)
    }
  }

  // MARK: logs

  private func write(_ text: String, as name: String) throws -> String {
    mkdir(world.storeFolder + "/logs/0", 0o700)
    try JobEnqueueTests.write(text, to: world.storeFolder + "/logs/0/" + name)
    return "logs/0/" + name
  }

  @Test("logs are printed as they were written: of the last attempt that wrote, of one, of all")
  func logs() throws {
    let id = try world.enqueue("--max-attempts", "5", "--backoff", "fixed:1ms")
    try worker.finish(id, .exited(75), log: write("one\u{1b}[0m\n", as: "1-1.log"))
    try worker.finish(id, .exited(75), log: write("two\n", as: "1-2.log"))
    try worker.finish(id, .exited(75))
    #expect(world.run("job", "logs", "1") == .init(status: 0, out: "two\n", err: ""))
    #expect(world.run("job", "logs", "1", "--attempt", "1").out == "one\u{1b}[0m\n")
    #expect(world.run("job", "logs", "1", "--attempt", "3") == .init(status: 0, out: "", err: ""))
    #expect(world.run("job", "logs", "1", "--all").out == "one\u{1b}[0m\ntwo\n")
    let none = world.run("job", "logs", "1", "--attempt", "7")
    #expect(none.status == 66)
    #expect(none.err.contains("hint: it has 1, 2, 3\n"))
    #expect(world.run("job", "logs", "1", "--all", "--attempt", "1").status == 64)
    let places = world.run("job", "logs", "1", "--json").lines
    #expect(places.count == 3)
    #expect(
      try JSON.parse(places[0])["log"] == .string(world.storeFolder + "/logs/0/1-1.log"))
  }

  @Test("logs -f goes on through further attempts until the job has ended")
  func follow() async throws {
    let id = try world.enqueue("--max-attempts", "2", "--backoff", "fixed:1ms")
    let log = try write("one\n", as: "1-1.log")
    try worker.finish(id, .exited(75), log: log)
    let world = world
    let following = BackgroundThread.start { world.run("job", "logs", "-f", "--all", "1") }
    try worker.finish(id, .exited(0), log: write("two\n", as: "1-2.log"))
    let answer = try #require(await following.value)
    #expect(answer.status == 0)
    #expect(answer.out == "one\ntwo\n")
  }
}

import Glibc
import HotglueCore
import HotglueStore
import HotglueStoreSQLite
import TestSupport
import Testing

@testable import HotglueCommands

@Suite("effect begin, confirm, abandon, list and show")
struct EffectCommandTests {
  let world: JobWorld

  init() throws { world = try JobWorld() }

  /// The context that the handler of an attempt is given.
  private func pinned(to attempt: AttemptReference) throws -> [String: String] {
    let store = try world.store()
    let file: JSON = .object([
      JSON.Member("version", .integer(1)), JSON.Member("context_id", .string("job")),
      JSON.Member("store", .string(store.path)), JSON.Member("store_id", .string(store.storeID)),
      JSON.Member("workspace", .string(attempt.workspace.text)),
      JSON.Member("generation", .integer(1)), JSON.Member("previous", .null),
      JSON.Member(
        "pinned",
        .object([
          JSON.Member("job", .integer(attempt.job)), JSON.Member("fence", .integer(attempt.fence)),
        ])),
    ])
    let path = world.folder.file("pinned-\(attempt.fence).json")
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let bytes = Array(file.text.utf8)
    try #require(write(descriptor, bytes, bytes.count) == bytes.count)
    return ["HOTGLUE_CONTEXT": path]
  }

  @Test("begin, confirm and show, by hand and in the scope of the workspace")
  func byHand() throws {
    #expect(
      world.run("effect", "begin", "k", "--scope", "workspace")
        == JobWorld.Answer(status: 0, out: "begun 1\n", err: ""))
    let confirmed = world.run(
      "effect", "confirm", "k", "--scope", "workspace", "--output", "-", input: "the receipt")
    #expect(
      confirmed
        == JobWorld.Answer(
          status: 0, out: "effect 'k' of the workspace in workspace 'acme' is confirmed\n", err: "")
    )
    #expect(world.run("effect", "begin", "k", "--scope", "workspace").out == "confirmed 1\n")
    #expect(
      world.run("effect", "show", "k", "--scope", "workspace", "--output").out == "the receipt")
    let shown = try world.run("effect", "show", "k", "--scope", "workspace", "--json").json()
    #expect(
      shown.members?.map(\.key) == [
        "key", "scope", "state", "job", "fence", "started_at", "finished_at", "exit_status",
        "workspace", "link", "intent", "doubtful_since", "signal", "reason", "output_bytes",
        "output_kept", "held_by",
      ])
    #expect(shown["state"]?.stringValue == "confirmed")
    #expect(shown["output_bytes"]?.integerValue == 11)
  }

  @Test("a list holds the documented keys of an effect, one per line, and pages")
  func list() throws {
    for key in ["a", "b", "c"] {
      #expect(world.run("effect", "begin", key, "--scope", "workspace").status == 0)
    }
    let lines = world.run("effect", "list", "--json").lines
    #expect(
      lines.first
        == #"{"key":"c","scope":"workspace","state":"unknown","job":null,"fence":null,"#
        + #""started_at":"2026-02-02T02:40:00.000Z","finished_at":null,"exit_status":null}"#)
    #expect(lines.count == 3)
    let page = world.run("effect", "list", "-q", "--limit", "2")
    #expect(page.lines == ["c", "b"])
    let first = world.run("effect", "list", "--limit", "2")
    let cursor = try #require(first.err.split(separator: " ").last?.dropLast())
    #expect(
      world.run("effect", "list", "-q", "--limit", "2", "--cursor", String(cursor)).lines == ["a"])
    #expect(world.run("effect", "list", "--cursor", String(cursor), "-w", "beta").status == 80)
    #expect(world.run("effect", "list", "--state", "intented").err.contains("did you mean"))
    #expect(world.run("effect", "list", "--state", "confirmed").out == "")
  }

  @Test("begun outside of any job, an effect is unknown until its end is said, with its age")
  func begunOutside() throws {
    let begun = world.run("effect", "begin", "k", "--scope", "workspace", "--json")
    #expect(try begun.json()["state"] == .string("intended"))
    let later = JobWorld.start.advanced(by: .minutes(5))
    let listed = world.run(
      "effect", "list", "--state", "unknown", "--color", "never", now: later, terminal: true)
    #expect(listed.out.contains("5m 0s ago"), "\(listed.out)")
    #expect(world.run("effect", "confirm", "k", "--scope", "workspace").status == 0)
    #expect(world.run("effect", "list", "--state", "unknown").out == "")
  }

  @Test("confirmed again with another output is 81, with the difference; with the same no error")
  func confirmedOtherwise() throws {
    _ = world.run("effect", "begin", "k", "--scope", "workspace")
    func confirm(_ output: String, _ flags: String...) -> JobWorld.Answer {
      world.run(
        ["effect", "confirm", "k", "--scope", "workspace", "--output", "-"] + flags,
        input: Array(output.utf8))
    }
    #expect(confirm("receipt 17").status == 0)
    #expect(confirm("receipt 17").status == 0)
    #expect(world.run("effect", "confirm", "k", "--scope", "workspace").status == 0)
    let refused = confirm("receipt 18")
    #expect(refused.status == 81)
    #expect(
      refused.err.hasPrefix(
        "hotglue: effect 'k' is confirmed with another output: both are 10 bytes, and differ from "
          + "byte 10 on\nhint: see 'hotglue effect show k --scope workspace --output'"))
    let json = confirm("no", "--json")
    #expect(try JSON.parse(json.err)["error"]?["code"] == .string("effect_conflict"))
    #expect(
      world.run("effect", "show", "k", "--scope", "workspace", "--output").out == "receipt 17")
  }

  @Test("an effect of the workspace that a job began is in the job's story and in its list")
  func begunByJob() throws {
    let worker = try TestWorker(in: world)
    let id = try world.enqueue()
    let variables = try pinned(to: worker.claim(id).reference)
    for key in ["mine", "shared"] {
      let scope = key == "mine" ? "job" : "workspace"
      #expect(
        world.run("effect", "begin", key, "--scope", scope, variables: variables).status == 0)
    }
    #expect(world.run("effect", "list", "--job", String(id), "-q").lines == ["shared", "mine"])
    let story = world.run("job", "show", String(id))
    #expect(story.lines.filter { $0.hasPrefix("effect\t") }.count == 2)
  }

  @Test("what may have happened is 83, with the command that would settle it")
  func doubtful() throws {
    _ = world.run("effect", "begin", "the key", "--scope", "workspace")
    let again = world.run("effect", "begin", "the key", "--scope", "workspace", "--json")
    #expect(again.status == 83)
    let error = try #require(try JSON.parse(again.err)["error"])
    #expect(error["code"]?.stringValue == "effect_unknown")
    #expect(
      error["hint"]?.stringValue?.contains(
        "hotglue effect confirm 'the key' --scope workspace") == true)
    #expect(error["state"]?.stringValue == "unknown")
    #expect(world.run("effect", "list", "--state", "unknown", "-q").out == "the key\n")
  }

  @Test("an end that is recorded between the row and the look at its key is told, not 'unknown'")
  func endedMeanwhile() throws {
    let store = try world.store()
    func begin(_ key: String) throws -> Effect {
      let name = try #require(EffectName(workspace: world.acme, scope: .workspace, key: key))
      let beginning = try store.beginEffect(
        EffectRequest(name: name, attempt: nil), by: JobWorld.alice, at: JobWorld.start)
      guard case .begun(let effect) = beginning else { throw Unexpected() }
      return effect
    }
    let effect = try begin("k")
    _ = try store.endEffect(
      EffectReport(name: effect.name, end: .confirmed(status: 0)), by: JobWorld.alice,
      at: JobWorld.start)
    #expect(try ShownEffect(effect, store: store).state == .confirmed)
    #expect(try ShownEffect(begin("left"), store: store).state == .unknown)
  }

  private struct Unexpected: Error {}

  @Test("outside a job a scope is required, and a key has at most 1 KiB")
  func badRequests() {
    #expect(world.run("effect", "begin", "k").status == 82)
    #expect(world.run("effect", "begin", "k", "--scope", "job").status == 64)
    let key = String(repeating: "k", count: 10 << 10)
    let refused = world.run("effect", "begin", key, "--scope", "workspace")
    #expect(refused.status == 65)
    #expect(refused.err.contains("10240 bytes"))
    #expect(world.run("effect", "begin", "", "--scope", "workspace").status == 65)
    #expect(world.run("effect", "run", "k", "--scope", "workspace").status == 64)
    #expect(
      world.run("effect", "run", "k", "--scope", "workspace", "--not-done", "0", "--", "true")
        .status == 64)
    #expect(
      world.run("effect", "begin", "k", "--scope", "workspace", "--unknown", "maybe").status == 64)
    #expect(world.run("effect", "show", "k", "--scope", "workspace").status == 66)
    #expect(world.run("effect", "confirm", "k", "--scope", "workspace").status == 66)
    #expect(
      world.run("effect", "confirm", "k", "--scope", "workspace", "--job", "1").status == 64)
  }

  @Test("a late attempt can begin nothing, and may confirm what it began itself")
  func late() throws {
    let worker = try TestWorker(in: world)
    let id = try world.enqueue("--replay", "safe", "--backoff", "fixed:1ms")
    let first = try worker.claim(id).reference
    let early = try pinned(to: first)
    #expect(world.run("effect", "begin", "mine", variables: early).out == "begun 1\n")
    #expect(world.run("effect", "begin", "taken", variables: early).out == "begun 1\n")
    try worker.settle(first, AttemptEnd(how: .lost))
    let later = JobWorld.start.advanced(by: .hours(1))
    let second = try worker.claim(id, at: later).reference
    let current = try pinned(to: second)
    let refused = world.run("effect", "begin", "new", variables: early)
    #expect(refused.status == 81)
    #expect(refused.err.contains("has ended"))
    #expect(
      world.run("effect", "begin", "taken", "--unknown", "rerun", variables: current).out
        == "begun 2\n")
    #expect(world.run("effect", "confirm", "taken", variables: early).status == 81)
    #expect(world.run("effect", "confirm", "mine", variables: early).status == 0)
    #expect(
      world.run("effect", "confirm", "taken", "--intent", "1", variables: current).status == 81)
    #expect(
      world.run("effect", "confirm", "taken", "--intent", "2", variables: current).status == 0)
    let effects = try #require(
      try world.run("job", "show", String(id), "--json").json()["effects"]?.arrayValue)
    #expect(effects.map { $0["key"]?.stringValue } == ["mine", "taken"])
    #expect(effects.map { $0["fence"]?.integerValue } == [first.fence, second.fence])
    #expect(
      world.run("job", "show", String(id)).lines.filter { $0.hasPrefix("effect\t") }.count == 2)
  }

  @Test("a late attempt may confirm also when its context file went with it, as it does")
  func lateWithoutContextFile() throws {
    let worker = try TestWorker(in: world)
    let id = try world.enqueue("--replay", "safe", "--backoff", "fixed:1ms")
    let first = try worker.claim(id).reference
    #expect(
      world.run("effect", "begin", "mine", variables: try pinned(to: first)).out == "begun 1\n")
    try worker.settle(first, AttemptEnd(how: .lost))
    let folder = try world.store().folder
    let gone = ["HOTGLUE_CONTEXT": "\(folder)/slots/slot.\(id)-\(first.fence).json"]
    #expect(world.run("effect", "begin", "other", variables: gone).status == 81)
    #expect(world.run("effect", "abandon", "mine", variables: gone).status == 81)
    #expect(world.run("effect", "confirm", "other", variables: gone).status == 66)
    #expect(world.run("effect", "confirm", "mine", variables: gone).status == 0)
  }

  @Test("with another workspace named, an effect inside a job is refused; it may be read there")
  func foreign() throws {
    let worker = try TestWorker(in: world)
    let attempt = try worker.claim(world.enqueue()).reference
    let variables = try pinned(to: attempt)
    for verb in ["begin", "confirm", "abandon"] {
      #expect(world.run("effect", verb, "k", "-w", "beta", variables: variables).status == 80)
    }
    #expect(
      world.run("effect", "run", "k", "-w", "beta", "--", "true", variables: variables).status
        == 80)
    #expect(world.run("effect", "list", "-w", "beta", variables: variables).status == 0)
  }

  @Test("people name an effect of a job by --job")
  func byJob() throws {
    let worker = try TestWorker(in: world)
    let id = try world.enqueue()
    let attempt = try worker.claim(id).reference
    #expect(world.run("effect", "begin", "k", variables: try pinned(to: attempt)).status == 0)
    #expect(
      world.run("effect", "list", "--json", "--job", String(id)).out.contains("\"intended\""))
    try worker.settle(attempt, AttemptEnd(how: .lost))
    #expect(
      world.run("effect", "list", "--json", "--state", "unknown").out.contains("\"unknown\""))
    let answer = world.run(
      "effect", "confirm", "k", "--job", "hotglue://acme/job/\(id)", "--reason", "the bank has it")
    #expect(answer.out == "effect 'k' of job \(id) in workspace 'acme' is confirmed\n")
    #expect(
      world.run("effect", "show", "k", "--job", String(id)).out.contains("reason\tthe bank has it"))
    #expect(world.run("effect", "abandon", "k", "--job", String(id)).status == 81)
    #expect(
      world.run("effect", "show", "k", "--job", String(id), "-w", "beta").status == 80)
  }

  @Test("an effect is not carried out by a link into another workspace, nor by that of another job")
  func carriedOutByLink() throws {
    let mark = world.folder.file("mark")
    let link = "hotglue://acme/effect/workspace/k"
    for verb in [["run", link, "--", "touch", mark], ["begin", link]] {
      let refused = world.run(["-w", "beta", "effect"] + verb, input: [])
      #expect(refused.status == 80, "\(refused)")
      #expect(refused.err.contains("'acme'") && refused.err.contains("'beta'"))
      let words = verb.joined(separator: " ")
      #expect(refused.err.hasSuffix("\nhint: hotglue -w acme effect \(words)\n"))
    }
    for (key, status) in [
      ("hotglue://acme/effect/7/k", Int32(64)), ("hotglue://acme/job/7", 64),
      ("hotglue://nowhere/effect/workspace/k", 66),
    ] {
      #expect(world.run("effect", "run", key, "--", "touch", mark).status == status, "\(key)")
    }
    #expect(world.run("effect", "run", link, "--scope", "workspace", "--", "true").status == 64)
    #expect(access(mark, F_OK) != 0)
    #expect(world.run("effect", "list", "-w", "beta").out == "")
    #expect(world.run("effect", "list").out == "")
    // Here the link is the effect itself.
    #expect(world.run("effect", "run", link, "--", "touch", mark).status == 0)
    #expect(access(mark, F_OK) == 0)
    #expect(world.run("effect", "show", "k", "--scope", "workspace").out.contains("confirmed"))
  }

  @Test("the hint of a refusal names the effect's job as the command line takes it")
  func hintOfJob() throws {
    let id = try world.enqueue()
    for (verb, words) in [(["show", "k"], "show k --job"), (["list"], "list --job")] {
      let refused = world.run(["-w", "beta", "effect"] + verb + ["--job", "\(id)"], input: [])
      #expect(refused.status == 80)
      #expect(refused.err.hasSuffix("\nhint: hotglue -w acme effect \(words) \(id)\n"))
    }
  }
}

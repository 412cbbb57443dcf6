import HotglueCore
import Testing

@Suite("job explain")
struct JobExplainTests {
  let world: JobWorld

  init() throws { world = try JobWorld() }

  @Test("a job of an undefined type says so, and the command that would define it")
  func undefinedType() throws {
    #expect(world.run("job", "enqueue", "resize").status == 0)
    let answer = world.run("job", "explain", "1")
    #expect(answer.status == 0)
    #expect(
      answer.lines.contains(
        "why\twaits for its type: 'resize' is not defined in workspace 'acme'"))
    #expect(answer.lines.contains("change\thotglue type set resize -- COMMAND…"))
    let json = try world.run("job", "explain", "1", "--json").json()
    #expect(json["state"] == .string("pending"))
    #expect(json["why"]?.arrayValue?.first?["code"] == .string("type_undefined"))
    #expect(
      json["why"]?.arrayValue?.first?["command"] == .string("hotglue type set resize -- COMMAND…"))
    #expect(world.run("job", "explain", "1", "-q").lines.first == "type_undefined")
  }

  @Test("a job behind limits names them, and the jobs that fill them")
  func limits() throws {
    let worker = try TestWorker(in: world)
    _ = world.run("queue", "limit", "default", "1")
    let first = try world.enqueue("--limit-key", "k")
    let second = try world.enqueue("--limit-key", "k")
    _ = try worker.claim(first)
    let answer = world.run("job", "explain", String(second))
    #expect(
      answer.lines.contains(
        "why\twaits for its queue: 1 job runs (1), the most there may be of queue 'default'"))
    #expect(
      answer.lines.contains(
        "why\twaits for limit key 'k': 1 job runs (1), the most there may be of it"))
    #expect(answer.lines.contains("change\thotglue queue limit default N"))
    #expect(answer.lines.contains("change\thotglue job cancel 1"))
    #expect(!answer.out.contains("no worker"))
    let running = world.run("job", "explain", "1")
    #expect(running.out.contains("why\tattempt 1 runs under worker host:1 since"))
  }

  @Test("without a worker that lives it says so, and an attempt of which nothing lives is over")
  func workers() throws {
    let id = try world.enqueue()
    #expect(
      world.run("job", "explain", String(id)).lines.contains(
        "why\tno worker is alive on this machine"))
    do {
      let worker = try TestWorker(in: world)
      #expect(!world.run("job", "explain", String(id)).out.contains("no worker"))
      _ = try worker.claim(id)
    }
    #expect(world.run("job", "explain", String(id), "-q").lines == ["attempt_dead"])
  }

  @Test("a job that was retried says why, and when it is run again")
  func retried() throws {
    let worker = try TestWorker(in: world)
    let id = try world.enqueue("--max-attempts", "3", "--backoff", "fixed:30s", "--jitter", "none")
    try worker.finish(id, .exited(75))
    let answer = world.run("job", "explain", String(id))
    let again = JobWorld.start.advanced(by: .seconds(30)).rfc3339
    #expect(answer.lines.contains("why\tis run again at \(again) (in 30s)"))
    #expect(
      answer.lines.contains(
        "retried\tattempt 1 failed (exit, status 75), and a failure may be tried again"))
    #expect(answer.lines.contains("next\tif it fails: again after 30s, then failed"))
  }

  @Test("a job that is not there, or another workspace's, is not explained")
  func refused() throws {
    #expect(world.run("job", "explain", "9").status == 66)
    let id = try world.enqueue()
    #expect(world.run("-w", "beta", "job", "explain", String(id)).status == 80)
  }
}

import HotglueCore
import Testing

@Suite("queue commands")
struct QueueCommandTests {
  let world: JobWorld

  init() throws { world = try JobWorld() }

  @Test("queue limit says what the limit is and was, and changes nothing twice")
  func limit() throws {
    #expect(
      world.run("queue", "limit", "mail", "2")
        == .init(
          status: 0,
          out: "queue 'mail' in workspace 'acme' runs at most 2 jobs at once, was none\n", err: ""))
    #expect(
      world.run("queue", "limit", "mail", "2").out
        == "queue 'mail' in workspace 'acme' runs at most 2 jobs at once already\n")
    #expect(
      world.run("queue", "limit", "mail", "1", "--json").out
        == #"{"name":"mail","workspace":"acme","limit":1,"before":2}"# + "\n")
    #expect(
      world.run("queue", "limit", "mail", "none").out
        == "queue 'mail' in workspace 'acme' has no limit, was 1\n")
    #expect(world.run("queue", "list").out == "")
  }

  @Test(
    "what cannot be a limit or a queue is refused with what would be right",
    arguments: [
      (["mail", "0"], "a limit cannot be '0'"), (["mail", "many"], "a limit cannot be 'many'"),
      (["mail", "1000001"], "a limit cannot be '1000001'"),
      (["", "1"], "invalid value '' for '<queue>': expected a name"),
      (["a\u{7}b", "1"], "invalid value 'a\\u0007b' for '<queue>'"),
      ([String(repeating: "q", count: 256), "1"], "invalid value 'qqq"),
    ])
  func refused(_ arguments: [String], _ message: String) {
    let answer = world.run(["queue", "limit"] + arguments, input: [])
    #expect(answer.status == 64)
    #expect(answer.err.hasPrefix("hotglue: \(message)"), "\(answer.err)")
    #expect(answer.err.contains("hint: "))
    #expect(world.run("queue", "list").out == "")
  }

  @Test("queue list shows limits and what waits and runs, as text, JSON and names")
  func list() throws {
    _ = world.run("queue", "limit", "mail", "1")
    let first = try world.enqueue("--queue", "mail")
    try world.enqueue("--queue", "mail")
    try world.enqueue()
    _ = try TestWorker(in: world).claim(first)
    #expect(world.run("queue", "list").lines == ["default\t-\t0\t1", "mail\t1\t1\t1"])
    #expect(
      world.run("queue", "list", "--json").lines == [
        #"{"name":"default","workspace":"acme","limit":null,"running":0,"pending":1}"#,
        #"{"name":"mail","workspace":"acme","limit":1,"running":1,"pending":1}"#,
      ])
    #expect(world.run("queue", "list", "-q").lines == ["default", "mail"])
    #expect(world.run("-w", "beta", "queue", "list").out == "")
  }
}

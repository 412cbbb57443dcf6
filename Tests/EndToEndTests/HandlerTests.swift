import Foundation
import Testing

/// What handlers say of themselves, through the built program.
@Suite(.serialized)
struct HandlerTests {
  private func enqueue(_ world: World, _ arguments: [String]) throws -> String {
    try world.succeed(["job", "enqueue", "-w", "main"] + arguments)
  }

  private func drain(_ world: World) throws {
    try world.succeed(["job", "work", "-w", "main", "--drain"])
  }

  private func error(_ job: [String: Any]) -> String? {
    (job["error"] as? [String: Any])?["code"] as? String
  }

  private func warnings(_ job: [String: Any]) -> [String] {
    (job["attempts"] as? [[String: Any]])?.flatMap { $0["warnings"] as? [String] ?? [] } ?? []
  }

  // MARK: what it inherits

  @Test("a handler and a tap have the umask under which their job, type or source was made")
  func umask() throws {
    let world = try World()
    // Recorded under 0027; the worker runs under 0077.
    func made(_ arguments: String) throws {
      let result = try world.command(
        "/bin/sh", ["-c", "umask 027; exec hotglue \(arguments)"])
      try #require(result.status == 0, "\(arguments): \(result.errorOutput)")
    }
    try made("job enqueue -w main -- sh -c 'umask >bare'")
    try made("type set t -w main -- sh -c 'umask >typed'")
    try world.succeed(["job", "enqueue", "t", "-w", "main"])
    try world.write("#!/bin/sh\numask >tap\nexit 1\n", to: "tap.sh")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755],
      ofItemAtPath: world.folder.appendingPathComponent("tap.sh").path)
    try made("source add s -w main -- ./tap.sh")
    let work = try world.command(
      "/bin/sh",
      ["-c", "umask 077; hotglue job work -w main --drain; hotglue source discover s -w main"])
    #expect(work.status != 0, "the tap fails")
    for name in ["bare", "typed", "tap"] {
      #expect(world.read(name).trimmingCharacters(in: .newlines) == "0027", "\(name)")
    }
  }

  // MARK: the manual's examples

  @Test("the manual's shell script says how far it is and what it counted")
  func shout() throws {
    let world = try World()
    try ManualExamples(page: "hotglue-handlers.7").write("shout", in: world)
    try "ann\nbob\n".write(
      to: world.folder.appendingPathComponent("names.txt"), atomically: true, encoding: .utf8)
    let id = try enqueue(world, ["--", "./shout", "names.txt"])
    try drain(world)
    let job = try world.job(id)
    #expect(job["state"] as? String == "succeeded")
    #expect((job["result"] as? [String: Int]) == ["lines": 2])
    let progress = try #require(job["progress"] as? [String: Any])
    #expect(progress["current"] as? Int == 2 && progress["total"] as? Int == 2)
    #expect(progress["message"] as? String == "line 2")
    #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "ANN\nBOB")
    #expect(warnings(job).isEmpty)
  }

  @Test("the manual's Python handler tells a failure, a snooze and a result apart")
  func order() throws {
    let world = try World()
    try ManualExamples(page: "hotglue-handlers.7").write("order", in: world)
    let items = #""items":[{"name":"a","price":2},{"name":"b","price":3}]"#
    let good = try enqueue(world, ["--payload", "{\(items)}", "--", "./order"])
    let empty = try enqueue(world, ["--payload", #"{"items":[]}"#, "--", "./order"])
    let later = try enqueue(
      world, ["--payload", "{\(items),\"stock\":\"counting\"}", "--", "./order"])
    try drain(world)
    #expect((try world.job(good)["result"] as? [String: Int]) == ["total": 5])
    #expect(try world.state(empty) == "failed")
    #expect(error(try world.job(empty)) == "empty_order")
    let snoozed = try world.job(later)
    #expect(snoozed["state"] as? String == "succeeded")
    #expect(snoozed["snoozes"] as? Int == 1 && snoozed["failures"] as? Int == 0)
    let outcomes = (snoozed["attempts"] as? [[String: Any]])?.map { $0["outcome"] as? String }
    #expect(outcomes == ["snooze", "succeeded"])
  }

  /// A payment service with a ledger: it honours idempotency keys, and is busy at first.
  private static let service = """
    import http.server, json
    ledger, requests = {}, []
    class Service(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = self.headers["Idempotency-Key"]
            requests.append(key)
            if body["amount"] < 0:
                status, answer = 422, {}
            elif len(requests) == 1:
                status, answer = 503, {}
            else:
                status, answer = 201, ledger.setdefault(key, {"charge": len(ledger) + 1, "amount": body["amount"]})
            with open("ledger.json", "w") as file:
                json.dump({"charges": list(ledger.values()), "keys": requests}, file)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        def log_message(self, *words):
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Service)
    open("port", "w").write(str(server.server_port) + "\\n")
    server.serve_forever()
    """

  @Test("the manual's request is sent again under the same key until it is heard, and charged once")
  func charge() throws {
    let world = try World()
    try ManualExamples(page: "hotglue-handlers.7").write("charge", in: world)
    let server = Process()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    server.arguments = ["-c", Self.service]
    server.currentDirectoryURL = world.folder
    try server.runWithoutBlockedSignals()
    defer {
      server.terminate()
      server.waitUntilExit()
    }
    try world.eventually("the service") { world.read("port").hasSuffix("\n") }
    let port = world.read("port").trimmingCharacters(in: .newlines)
    let url = "PAYMENTS_URL=http://127.0.0.1:\(port)/charges"
    let policy = ["--replay", "keyed", "--max-attempts", "5"]
    let id = try enqueue(
      world, policy + ["--env", url, "--payload", #"{"amount":1250}"#, "--", "./charge"])
    let refused = try enqueue(
      world, policy + ["--env", url, "--payload", #"{"amount":-1}"#, "--", "./charge"])
    let nobody = try enqueue(
      world,
      policy + [
        "--backoff", "fixed:10ms", "--env", "PAYMENTS_URL=http://127.0.0.1:1/", "--payload", "{}",
      ]
        + ["--", "./charge"])
    try drain(world)
    let job = try world.job(id)
    #expect(job["state"] as? String == "succeeded")
    #expect((job["result"] as? [String: Int]) == ["charge": 1, "amount": 1250])
    #expect(job["failures"] as? Int == 1)
    #expect(error(try world.job(refused)) == "refused")
    // Nothing was ever heard there: retried, then given up, never unknown.
    #expect(try world.state(nobody) == "failed")
    let ledger = try #require(
      try JSONSerialization.jsonObject(with: Data(world.read("ledger.json").utf8))
        as? [String: Any])
    #expect((ledger["charges"] as? [Any])?.count == 1)
    let keys = try #require(ledger["keys"] as? [String])
    #expect(Set(keys).count == 2 && keys.count == 3)
  }

  // MARK: what is said survives and is fenced

  @Test("what a handler said survives the kill of its worker, before and after it was said")
  func outlivesWorker() throws {
    let world = try World()
    let id = try world.enqueue(
      """
      hotglue job progress 1 3; touch said
      until [ -e go ]; do sleep 0.02; done
      hotglue job progress 2 3 --message two || exit 9
      hotglue job report succeeded --value '{"n":7}' || exit 9
      """)
    let worker = try world.start(["job", "work", "-w", "main"])
    try world.eventually("the first progress in the store") {
      try (world.job(id)["progress"] as? [String: Any])?["current"] as? Int == 1
    }
    let line = try world.succeed(["job", "list", "-w", "main"])
    #expect(line.split(separator: "\t").contains("1/3"), "\(line)")
    kill(worker.processIdentifier, SIGKILL)
    worker.waitUntilExit()
    _ = FileManager.default.createFile(atPath: world.folder.path + "/go", contents: nil)
    // No worker lives: the supervisor has it recorded.
    try world.eventually("the end") { try world.state(id) == "succeeded" }
    let job = try world.job(id)
    #expect((job["result"] as? [String: Int]) == ["n": 7])
    #expect((job["progress"] as? [String: Any])?["message"] as? String == "two")
    #expect((job["attempts"] as? [Any])?.count == 1)
    try world.checkStore()
  }

  @Test(
    "a result that was said before a stop order counts, however the order then ends the handler")
  func resultBeforeStop() throws {
    let world = try World()
    let said = #"echo '{"type":"result","outcome":"succeeded","value":7}' >&3;"#
    // The time-out begins with the handler, which needs a moment to say it.
    let term = try world.enqueue(
      "\(said) exec sleep 60", ["--timeout", "6s", "--stop", "TERM,20s,KILL"])
    let killed = try world.enqueue(
      "trap '' TERM; \(said) while :; do sleep 0.1; done",
      ["--timeout", "6s", "--stop", "TERM,300ms,KILL"])
    let silent = try world.enqueue("exec sleep 60", ["--timeout", "500ms"])
    try world.succeed(["job", "work", "-w", "main", "--drain", "--concurrency", "3"])
    for (id, signal) in [(term, 15), (killed, 9)] {
      let job = try world.job(id)
      #expect(job["state"] as? String == "succeeded" && job["result"] as? Int == 7)
      #expect(job["signal"] as? Int == signal)
    }
    #expect(try world.state(silent) == "uncertain")
    try world.checkStore()
  }

  @Test(
    "what a handler says on descriptor 3 in excess, not at all, or through a daemon, harms nothing")
  func reportsInExcess() throws {
    let world = try World()
    let flood = try world.enqueue("head -c 100000000 /dev/zero >&3; exit 0")
    let closed = try world.enqueue("exec 3>&-; sleep 0.1; exit 0")
    let daemon = try world.enqueue(
      #"echo '{"type":"result","outcome":"succeeded","value":1}' >&3; "#
        + "setsid sleep 600 & echo $! >daemon; exit 0",
      ["--keep-children"])
    try drain(world)
    let left = try #require(Int32(world.read("daemon").trimmingCharacters(in: .newlines)))
    #expect(World.isAlive(left), "nobody has waited for it")
    kill(left, SIGKILL)
    for id in [flood, closed, daemon] { #expect(try world.state(id) == "succeeded") }
    #expect(try warnings(world.job(flood)).count == 1)
    #expect(try warnings(world.job(closed)) == [])
    #expect(try world.job(daemon)["result"] as? Int == 1)
    try world.checkStore()
  }

  @Test("an attempt that is over is told so, changes nothing, and is kept as a late report")
  func late() throws {
    let world = try World()
    let id = try enqueue(
      world,
      [
        "--keep-children", "--", "bash", "-c",
        """
        (until [ -e go ]; do sleep 0.02; done
         hotglue job progress 5; echo $? >progress-status
         hotglue job report failed --code too_late; echo $? >report-status) </dev/null &
        echo '{"type":"result","outcome":"succeeded","value":1}' >&3
        """,
      ])
    try drain(world)
    #expect(try world.state(id) == "succeeded")
    _ = FileManager.default.createFile(atPath: world.folder.path + "/go", contents: nil)
    try world.eventually("the late word") { world.read("report-status") != "" }
    #expect(world.read("progress-status") == "81\n" && world.read("report-status") == "81\n")
    let job = try world.job(id)
    #expect(job["state"] as? String == "succeeded" && job["result"] as? Int == 1)
    #expect(job["progress"] is NSNull)
    let reports = try #require(job["late_reports"] as? [[String: Any]])
    let types = reports.map { ($0["report"] as? [String: Any])?["type"] as? String }
    #expect(types == ["progress", "result"])
    #expect(reports.allSatisfy { $0["fence"] as? Int == 1 })
    try world.checkStore()
  }

  @Test("a handler speaks for its own job alone")
  func otherWorkspace() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    let id = try world.enqueue(
      """
      cp "$HOTGLUE_CONTEXT" copy.json
      HOTGLUE_CONTEXT=$PWD/copy.json hotglue job progress 1; echo $?
      hotglue -w other job report failed; echo $?
      hotglue --store .hotglue/store.db -w main job progress 1; echo $?
      hotglue job report done; echo $?
      hotglue job report failed --after 3s; echo $?
      hotglue job report succeeded --value '{'; echo $?
      hotglue job progress; echo $?
      head -c 70000 /dev/zero | tr '\\0' 1 >number
      hotglue job report succeeded --value @number; echo $?
      hotglue job report succeeded
      """)
    try drain(world)
    #expect(try world.state(id) == "succeeded")
    let log = try world.succeed(["job", "logs", id, "-w", "main"])
    let statuses = log.split(separator: "\n").filter { Int($0) != nil }
    #expect(statuses == ["0", "80", "80", "64", "64", "65", "64", "65"], "\(log)")
    #expect(try world.run(["job", "report", "succeeded"]).status == 78)
    // The copy outlives the attempt, and is told that it is over.
    let copy = ["HOTGLUE_CONTEXT": world.folder.path + "/copy.json"]
    #expect(try world.run(["job", "progress", "2"], extra: copy).status == 81)
    #expect((try world.job(id)["late_reports"] as? [Any])?.count == 1)
  }

  @Test("a declared end whose words are wrong never becomes a success")
  func malformedResults() throws {
    let world = try World()
    func say(_ line: String, _ more: String = "exit 0") throws -> String {
      try world.enqueue("echo '\(line)' >&3; \(more)")
    }
    let retry = try say(#"{"type":"result","outcome":"retry","after":5}"#)
    let failed = try say(#"{"type":"result","outcome":"failed","error":"text"}"#)
    let escaped = try say(#"{"type":"r\u0065sult","outcome":"\u0066ailed"}"#)
    let unclear = [
      try say(#"{"type":"result","outcome":"faild"}"#),
      try say(#"{"type":"result","outcome":"failed","value":NaN}"#),
      try say(#"{"type":"result","outcome":"failed""#),
      try world.enqueue(
        #"printf '{"type":"result","outcome":"failed","value":"' >&3; "#
          + #"head -c 70000 /dev/zero | tr '\0' x >&3; echo '"}' >&3"#),
      try world.enqueue("hotglue job report faild; exit 0"),
      try world.enqueue("hotglue job report failed --afer 3s; exit 0"),
      try world.enqueue("hotglue job report retry --after soon; exit 0"),
      try world.enqueue("hotglue -w other job report failed; exit 0"),
      try say(
        #"{"type":"result","outcome":"faild"}"#,
        #"echo '{"type":"result","outcome":"succeeded"}' >&3"#),
    ]
    let status = try say(#"{"type":"result","outcome":"faild"}"#, "exit 65")
    let corrected = try world.enqueue(
      "hotglue job report faild; hotglue job report failed --code E")
    let succeeded = try world.enqueue(
      "hotglue job report --help; hotglue job report succeeded --value '{'; exit 0")
    try drain(world)
    #expect(try world.state(retry) == "failed")
    #expect(warnings(try world.job(retry)).contains { $0.contains("'after' is no duration") })
    #expect(try world.state(failed) == "failed")
    #expect(warnings(try world.job(failed)).contains { $0.contains("error is no object") })
    #expect(try world.state(escaped) == "failed")
    for id in unclear {
      let job = try world.job(id)
      #expect(job["state"] as? String == "uncertain" && error(job) == "unclear_result", "\(id)")
      #expect(!warnings(job).isEmpty)
    }
    #expect(try world.state(status) == "failed")
    #expect(error(try world.job(corrected)) == "E")
    #expect(try world.state(succeeded) == "succeeded")
  }

  @Test("result and status that contradict each other are an unknown outcome, never a guess")
  func contradiction() throws {
    let world = try World()
    let line = #"echo '{"type":"result","outcome":"succeeded"}' >&3"#
    let exit = try world.enqueue("\(line); exit 1")
    let signal = try world.enqueue("\(line); kill -9 $$")
    let failed = try world.enqueue(
      #"echo '{"type":"result","outcome":"failed","error":{"code":"E1"}}' >&3; kill -9 $$"#)
    let garbage = try world.enqueue("echo nonsense >&3; exit 0")
    try drain(world)
    for id in [exit, signal] {
      let job = try world.job(id)
      #expect(job["state"] as? String == "uncertain" && error(job) == "contradiction")
    }
    let job = try world.job(failed)
    #expect(job["state"] as? String == "failed" && error(job) == "E1" && job["signal"] as? Int == 9)
    let warned = try world.job(garbage)
    #expect(warned["state"] as? String == "succeeded")
    #expect(warnings(warned) == ["1 line was ignored because it was not understood: 'nonsense'"])
  }
}

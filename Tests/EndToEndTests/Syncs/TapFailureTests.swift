import Foundation
import Testing

/// How a tap may fail, and what becomes of the job then.
@Suite(.serialized)
struct TapFailureTests {
  private struct Failing: CustomTestStringConvertible {
    var name: String
    var body: String
    var state: String
    var code: String
    var words: String
    var flags: [String] = []
    var testDescription: String { name }
  }

  private static let cases = [
    Failing(
      name: "a configuration that the tap refuses",
      body: "echo 'CRITICAL Config is missing' >&2; exit 1",
      state: "failed", code: "tap_config", words: "Config is missing"),
    Failing(
      name: "a failure that may pass",
      body:
        "echo 'INFO hello' >&2; echo 'CRITICAL connection reset' >&2; echo 'INFO bye' >&2; exit 1",
      state: "pending", code: "tap_failed", words: "CRITICAL connection reset"),
    Failing(
      name: "a crash", body: "kill -9 $$", state: "pending", code: "tap_crashed", words: "SIGKILL"),
    Failing(
      name: "a silence", body: "trap '' TERM; while :; do sleep 0.1; done", state: "pending",
      code: "tap_hung", words: "said nothing for 300ms", flags: ["--idle-timeout", "300ms"]),
    Failing(
      name: "a log on standard output", body: "echo 'INFO starting up'", state: "failed",
      code: "nothing_came", words: "INFO starting up"),
    Failing(
      name: "half a line", body: "printf '{\"type\":\"SCH'", state: "pending", code: "cut_off",
      words: "middle of line 1"),
    Failing(
      name: "a record before its schema",
      body: "echo '{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{\"id\":1}}'", state: "failed",
      code: "record_before_schema", words: "line 1"),
    Failing(
      name: "good-looking output, and then status 1",
      body: """
        printf '%s\\n' '\(World.schemaLine)' '{"type":"RECORD","stream":"a","record":{"id":1}}'
        exit 1
        """, state: "pending", code: "tap_failed", words: "status 1"),
  ]

  @Test(
    "a tap that fails is told by its class, and tried again only where that may help",
    arguments: cases)
  private func failures(_ failing: Failing) throws {
    let world = try World()
    try world.script(failing.body, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    let id = try world.succeed(["sync", "run", "a", "--detach"] + failing.flags)
    try world.succeed(["job", "work", "-w", "main", "--once"])
    let job = try world.job(id)
    #expect(job["state"] as? String == failing.state)
    let error = try #require(job["error"] as? [String: Any])
    #expect(error["code"] as? String == failing.code)
    let message = try #require(error["message"] as? String)
    #expect(message.contains(failing.words), "\(message)")
    // Nothing that came without a bookmark is seen.
    #expect(try world.records("a") == "")
    #expect(try world.runs("a").first?["state"] as? String == "failed")
  }

  @Test("a tap that is not there fails the sync with status 127, and says so")
  func notFound() throws {
    let world = try World()
    try world.succeed(["source", "add", "a", "--", "./nowhere"])
    let result = try world.run(["sync", "run", "a"])
    #expect(result.status == 1)
    #expect(result.errorOutput.contains("the tap './nowhere' cannot be executed"))
    let job = try world.job("1")
    #expect(job["state"] as? String == "failed")
    #expect(job["exit_status"] as? Int == 127)
  }

  @Test("a tap that fails on its own catalog is told with the command that runs it without one")
  func ownCatalog() throws {
    let world = try World()
    try world.script(
      """
      case "$*" in
      *--discover*)
        echo '{"streams":[{"stream":"a","tap_stream_id":"a","schema":{"type":"object"}}]}' ;;
      *--catalog*) echo 'AttributeError: no setter' >&2; exit 2 ;;
      *) printf '%s\\n' '\(World.schemaLine)' '{"type":"RECORD","stream":"a","record":{"id":1}}' ;;
      esac
      """, as: "tap")
    try world.succeed(["source", "add", "a", "--", "./tap"])
    try world.succeed(["source", "discover", "a"])
    for arguments in [["source", "test", "a"], ["sync", "run", "a"]] {
      let result = try world.run(arguments)
      #expect(result.status == 1)
      #expect(result.errorOutput.contains("AttributeError: no setter"))
      #expect(
        result.errorOutput.contains(
          "hint: if it cannot take its own catalog: 'hotglue source edit a --no-catalog'"),
        "\(result.errorOutput)")
    }
    try world.succeed(["source", "edit", "a", "--no-catalog"])
    try world.succeed(["source", "test", "a"])
    try world.succeed(["sync", "run", "a"])
    #expect(try world.records("a") == "{\"id\":1}")
  }

  @Test("a sync whose store is deleted ends, and says that the store is not there")
  func storeDeleted() throws {
    let world = try World()
    let name = "gone" + UUID().uuidString.prefix(8).lowercased()
    try world.script(
      """
      printf '%s\\n' '\(World.schemaLine)'
      echo up >up; while :; do sleep 0.05; done
      """, as: name)
    try world.succeed(["source", "add", name, "--", "./\(name)"])
    let running = try world.start(["sync", "run", name])
    try world.eventually("the tap runs") { world.lineCount("up") == 1 }
    #expect(World.processes(named: name).count >= 3)
    // What it still writes there may keep a folder from going at once.
    let store = world.folder.appendingPathComponent(".hotglue")
    try world.eventually("the store is deleted") {
      try? FileManager.default.removeItem(at: store)
      return !FileManager.default.fileExists(atPath: store.path)
    }
    running.waitUntilExit()
    #expect(running.terminationStatus == 69)
    // The tap never ends by itself.
    try world.eventually("its handler ends, and the tap with it") {
      World.processes(named: name).isEmpty
    }
  }

  @Test("the handler of syncs says what it is to whoever runs it by hand")
  func handlerByHand() throws {
    let world = try World()
    try world.succeed(["source", "add", "a", "--", "./tap"])
    let result = try world.run(["__sync", "a"])
    #expect(result.status == 64)
    #expect(result.errorOutput.contains("'hotglue __sync' is the handler of sync jobs"))
    #expect(result.errorOutput.contains("hint: to sync a source: 'hotglue sync run a'"))
  }

  @Test("a secret of the configuration is never shown and never an argument")
  func secrets() throws {
    let world = try World()
    try world.script(
      """
      tr '\\0' ' ' </proc/$$/cmdline >arguments
      while [ "$1" != --config ]; do shift; done
      grep -q s3cret "$2" || exit 1
      stat -c %a "$2" >mode
      printf '%s\\n' '\(World.schemaLine)'
      """, as: "tap")
    let added = try world.run(
      ["source", "add", "a", "--config", "-", "--json", "--", "./tap"],
      input: "{\"token\":\"s3cret\"}")
    #expect(added.status == 0, "\(added.errorOutput)")
    try world.succeed(["sync", "run", "a"])
    #expect(world.read("mode") == "600\n")
    #expect(world.read("arguments").contains("--config"))
    var seen = added.output + world.read("arguments")
    for look in [
      ["source", "show", "a"], ["source", "show", "a", "--json"], ["source", "list", "--json"],
      ["job", "show", "1"], ["job", "show", "1", "--json"], ["job", "logs", "1"],
    ] {
      seen += try world.run(look).output
    }
    #expect(!seen.contains("s3cret"))
    try world.succeed(["source", "remove", "a"])
    let left = try FileManager.default.contentsOfDirectory(atPath: world.storeFolder + "/sources")
    #expect(left.isEmpty, "\(left)")
  }

  @Test(
    "a terminal gets no control character of a tap", arguments: ["source test", "source discover"])
  func terminal(_ command: String) throws {
    let world = try World()
    try world.script(#"printf 'a\033]0;owned\007b\n' >&2; exit 1"#, as: "tap.sh")
    try world.succeed(["source", "add", "s", "-w", "main", "--", "./tap.sh"])
    let shown = try world.command(
      "/usr/bin/env", ["script", "-qec", "\(world.binary) \(command) s -w main", "/dev/null"])
    #expect(shown.output.contains("owned"))
    #expect(!shown.output.contains("\u{1b}]") && !shown.output.contains("\u{7}"))
  }
}

import Testing

@testable import HotglueCommands

@Suite("Completions")
struct CompletionLineTests {
  private func offered(_ place: CommandPlace, _ words: [String]) -> [String] {
    let answer = place.run(["__complete", "--"] + words)
    return answer.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
  }

  @Test(
    "what may stand at the cursor follows from the words before it",
    arguments: [
      (["wor"], ["workspace"]), (["workspace", "sw"], ["switch"]),
      (["-q", "workspace", "-w", "beta", "sw"], ["switch"]), (["help", "wor"], ["workspace"]),
      (["help", "workspace", "sw"], ["switch"]), (["job", "list", "--qui"], ["--quiet"]),
      (["job", "list", "--quiet", "--qui"], []), (["--stor"], ["--store"]),
      (["job", "list", "--color", "a"], ["auto", "always"]),
      (["job", "list", "--color=n"], ["--color=never"]),
      (["workspace", "switch", ""], ["acme", "beta"]), (["-w", "b"], ["beta"]),
      (["job", "list", "--workspace=b"], ["--workspace=beta"]),
      (["job", "list", "--expect", "a"], ["acme"]), (["workspace", "create", ""], []),
      (["workspace", "switch", "acme", ""], []), (["job", "list", "--state", "un"], ["uncertain"]),
      (["job", "resolve", "--as", "s"], ["succeeded"]),
      (["job", "enqueue", "--replay", ""], ["safe", "keyed", "unsafe"]),
      (["job", "enqueue", "--cwd", ""], [":folders"]), (["type", "apply", "x"], [":files"]),
      (["job", "enqueue", "--", ""], [":programs"]),
      (["job", "enqueue", "--", "ls", ""], [":files"]), (["completions", "z"], ["zsh"]),
      (["frobnicate", ""], [":files"]), (["workspace", "frob", ""], []), (["--", ""], []),
      (["workspace", "switch", "'be"], ["beta"]), (["__"], []), ([], []),
    ])
  func words(words: [String], expected: [String]) throws {
    let place = try CommandPlace.ready()
    let offered = offered(place, words)
    if words.isEmpty {
      #expect(Set(offered).isSuperset(of: ["init", "job", "help"]))
    } else {
      #expect(offered == expected)
    }
  }

  @Test("jobs are those of the resolved workspace that the verb can do something to")
  func jobs() throws {
    let place = try CommandPlace.ready()
    _ = try place.enqueue(2)
    _ = try place.enqueue(1, in: "beta")
    #expect(place.run("job cancel 1").status == 0)
    #expect(place.run("type set thumb --queue images -- ./thumb").status == 0)
    #expect(offered(place, ["job", "show", ""]) == ["2", "1"])
    #expect(offered(place, ["job", "show", "1"]) == ["1"])
    #expect(offered(place, ["job", "cancel", ""]) == ["2"])
    #expect(offered(place, ["job", "cancel", "2", ""]) == [])
    #expect(offered(place, ["job", "retry", ""]) == ["1"])
    #expect(offered(place, ["job", "resolve", ""]) == [])
    #expect(offered(place, ["-w", "beta", "job", "show", ""]) == ["3"])
    #expect(offered(place, ["job", "show", "--expect", "beta", ""]) == [])
    #expect(offered(place, ["type", "show", ""]) == ["thumb"])
    #expect(offered(place, ["job", "enqueue", ""]) == ["thumb"])
    #expect(offered(place, ["job", "list", "--queue", ""]) == ["default", "images"])
    let store = place.storePath
    #expect(offered(place, ["--store", store, "-w", "beta", "job", "show", ""]) == ["3"])
    #expect(offered(place, ["--store", "'\(store)'", "-wbeta", "job", "show", ""]) == ["3"])
    #expect(offered(place, ["--store", store, "job", "show", ""]) == [])
    #expect(offered(place, ["--store", store, "-w", ""]) == ["acme", "beta"])
  }

  @Test("where nothing can be resolved nothing is offered, and nothing is said")
  func nothing() throws {
    var place = try CommandPlace()
    let silent = Answer(status: 0, output: "", error: "")
    #expect(place.run(["__complete", "--", "-w", ""]) == silent)
    #expect(place.run(["__complete", "--", "job", "show", ""]) == silent)
    place.variables["HOTGLUE_CONTEXT"] = "/missing"
    #expect(place.run(["__complete", "--", "-w", ""]) == silent)
  }

  @Test("a completion rolls no switch that was cut short")
  func rollsNothing() throws {
    struct Killed: Error {}
    var place = try CommandPlace.ready()
    place.switchStep = { step in if step == .intentRecorded { throw Killed() } }
    _ = place.run("workspace switch beta")
    #expect(try place.record()?.intent != nil)
    #expect(offered(place, ["-w", "b"]) == ["beta"])
    #expect(try place.record()?.intent != nil)
  }

  @Test(
    "a typed word is read without its quotes, and nothing in it is run",
    arguments: [
      ("plain", "plain"), ("'a b'", "a b"), (#"a\ b"#, "a b"), (#""a \"b\"""#, #"a "b""#),
      ("~/x", "/home/me/x"), ("'~/x'", "~/x"), ("'open", "open"), ("$(rm x)", "$(rm x)"),
      (#"a\"#, "a"), ("", ""),
    ])
  func quotes(word: String, plain: String) {
    #expect(CompletionLine.unquoted(word, home: "/home/me") == plain)
  }

  @Test("the prompt is the same with and without the parser")
  func prompt() throws {
    var place = try CommandPlace.ready()
    for flags in [
      [], ["-w", "beta"], ["--workspace=beta"], ["--expect", "acme"], ["-q"], ["--no-input", "-v"],
      ["--expect", "beta"], ["-w", "Nope"], ["--context", "/missing"], ["--store", "/x"],
      ["--store=/x", "-w", "beta"], ["-w", "a", "-w", "b"], ["extra"], ["--bogus"], ["-w"],
    ] {
      let quick = place.run(["context", "prompt"] + flags)
      // A flag that only the parser reads.
      var parsed = place.run(["context", "prompt", "--color", "never"] + flags)
      // Which a hint repeats.
      parsed.error = parsed.error.replacing(" --color never", with: "")
      #expect(quick == parsed, "\(flags)")
      #expect(place.run(flags + ["context", "prompt"]).status == quick.status, "\(flags)")
    }
    #expect(place.run("context -w beta prompt").output == "beta\n")
    #expect(place.run("context prompt --json").output.hasPrefix(#"{"workspace":"acme","gen"#))
    #expect(place.run("prompt context").status == 64)
    place.variables["HOTGLUE_CONTEXT"] = ""
    let empty = place.run("context prompt")
    #expect(empty.status == 78)
    #expect(empty.error.hasPrefix("hotglue: no context: $HOTGLUE_CONTEXT is empty\n"))
  }
}

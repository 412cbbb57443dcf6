import HotglueCore
import Testing

@Suite("Job types")
struct TypeTests {
  @Test("a definition reads what it writes")
  func roundTrip() throws {
    var definition = TypeDefinition(command: ["./resize", "a b"], directory: "/srv")
    #expect(definition.policy.maxAttempts == 5)
    #expect(TypeDefinition(json: definition.json) == definition)
    definition.queue = "bulk"
    definition.priority = -3
    definition.limit = 2
    definition.limitKey = "source"
    definition.limitMax = 4
    definition.isStream = true
    definition.policy.maxAttempts = 1
    definition.policy.timeout = .minutes(5)
    definition.policy.replay = .keyed
    #expect(TypeDefinition(json: try JSON.parse(definition.json.text)) == definition)
    #expect(TypeDefinition.keys == definition.settings.map(\.key))
  }

  @Test("a diff names each setting that differs, with its value before and after")
  func diff() {
    let old = TypeDefinition(command: ["a"], directory: "/")
    var new = old
    new.limit = 2
    new.policy.timeout = .minutes(5)
    #expect(
      new.changes(from: old).map { "\($0.key) \($0.before?.text ?? "-") \($0.after.text)" } == [
        "limit null 2", "timeout null \"5m\"",
      ])
    #expect(old.changes(from: old) == [])
    #expect(new.changes(from: nil).map(\.key) == ["command", "cwd", "limit", "timeout"])
  }

  @Test(
    "what a request says of the policy goes over what its type says, also that there is no bound")
  func overrides() throws {
    var type = JobPolicy.jobType
    type.timeout = .minutes(5)
    type.lease = .seconds(30)
    let own = try #require(
      type.applying(
        .object([JSON.Member("timeout", .null), JSON.Member("max_attempts", .integer(9))])))
    #expect(own.timeout == nil)
    #expect(own.maxAttempts == 9)
    #expect(own.lease == .seconds(30))
    #expect(type.applying(.object([JSON.Member("lease", .string("soon"))])) == nil)
  }

  @Test(
    "every wait of every job lies between the bounds that are previewed",
    arguments: [
      Jitter.none, .equal, .full,
    ])
  func previewedWaits(jitter: Jitter) {
    var policy = JobPolicy.jobType
    policy.jitter = jitter
    for failure in 1...12 {
      let bounds = policy.delayBounds(afterFailure: failure)
      for job in JobID(1)...200 {
        let wait = policy.delay(afterFailure: failure, job: job, attempt: failure)
        #expect(bounds.contains(wait))
      }
    }
  }

  @Test(
    "a type's name is short and plain",
    arguments: [
      ("resize", true), ("email.send", true), ("A-1_b", true), ("9", true), ("", false),
      (".x", false), ("-x", false), ("a b", false), ("ä", false), ("a/b", false),
      (String(repeating: "x", count: 63), true), (String(repeating: "x", count: 64), false),
    ])
  func names(name: String, isValid: Bool) { #expect(TypeName.isValid(name) == isValid) }
}

@Suite("Settings files")
struct TOMLTests {
  private func read(_ text: String) throws -> [TOMLFile.Table] {
    try TOMLFile(reading: text.utf8).tables
  }

  @Test("tables, keys, values and comments are read with their lines")
  func reads() throws {
    let tables = try read(
      """
      # a comment
      [type.resize] # another
      command = [
        "./resize",   # the program
        'C:\\dir', "a\\tb\\u00e9\\\\",
      ]
      limit = 1_000
      persistent=false

      [ type . "email.send" ]\r
      "queue" = "b#lk"\r

      """)
    #expect(tables.map(\.path) == [["type", "resize"], ["type", "email.send"]])
    #expect(tables.map(\.line) == [2, 10])
    #expect(tables[0].entries.map(\.key) == ["command", "limit", "persistent"])
    #expect(tables[0].entries.map(\.line) == [3, 7, 8])
    #expect(tables[0].entries[0].value == .strings(["./resize", "C:\\dir", "a\tb\u{e9}\\"]))
    #expect(tables[0].entries[1].value == .integer(1000))
    #expect(tables[0].entries[2].value == .bool(false))
    #expect(tables[1].entries.map(\.value) == [.string("b#lk")])
    #expect(try read("") == [])
    #expect(try read("a = 1").map(\.path) == [[]])
  }

  @Test(
    "what it writes as a string or key it reads again",
    arguments: [
      "", "plain", "a \"b\" \\ c", "tab\tline\nreturn\r", "\u{1}\u{7F}é😀", "#=[]'",
    ])
  func quoting(text: String) throws {
    let tables = try read("[\(TOMLFile.key(text))]\nk = \(TOMLFile.quoted(text))")
    #expect(tables.map(\.path) == [[text]])
    #expect(tables[0].entries[0].value == .string(text))
  }

  @Test(
    "a mistake is told with its line and column",
    arguments: [
      ("a = 1\na = 2", 2, 1), ("[t]\n[t]", 2, 1), ("a", 1, 2), ("a =", 1, 4), ("a = yes", 1, 5),
      ("a = 1.5", 1, 5), ("a = \"x", 1, 5), ("a = \"\\q\"", 1, 8), ("a = [1 2]", 1, 8),
      ("a = [1", 1, 7), ("[t", 1, 3), ("[[t]]", 1, 2), ("a.b = 1", 1, 2), ("a = {}", 1, 5),
      ("a = 1 b = 2", 1, 7), ("a = \"\"\"x\"\"\"", 1, 5), ("\n\n = 1", 3, 2),
    ])
  func mistakes(text: String, line: Int, column: Int) throws {
    let problem = #expect(throws: TOMLFile.Problem.self) { try read(text) }
    #expect(problem?.line == line)
    #expect(problem?.column == column)
  }

  @Test("no bytes make the reader fail in any other way")
  func anyBytes() {
    var seed: UInt64 = 42
    let alphabet = Array("[]\"'=.,#\\\n\r\t aU0_u{}\u{0}é".utf8) + [0xFF, 0xC3]
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0..<12 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(alphabet[Int(seed >> 33) % alphabet.count])
      }
      do {
        _ = try TOMLFile(reading: bytes)
      } catch {
        #expect(error.line >= 1 && error.column >= 1)
      }
    }
  }
}

import HotglueCore
import Testing

@testable import HotglueCommands

@Suite("The table of settings")
struct SettingTableTests {
  /// One row more: a second name for a property that the policy has.
  static let added = JobSetting(
    "max_naps", \.policy.maxSnoozes, .count(0...9), .policy, "Times that a job may take a nap")

  private func withAdded<Value>(_ body: () throws -> Value) rethrows -> Value {
    try JobSettingTable.$current.withValue(
      JobSettingTable(JobSettingTable.current.all + [Self.added]), operation: body)
  }

  @Test("a setting that is added to the table is a flag of each command that makes jobs or types")
  func flags() throws {
    let place = try CommandPlace.ready()
    let store = try place.store()
    let acme = try #require(WorkspaceID("acme"))
    try withAdded { () throws in
      #expect(place.run("job enqueue --max-naps 7 -- true").status == 0)
      // Which the fast reader of arguments leaves to the parser.
      #expect(place.run("job enqueue --color never --max-naps=8 -- true").status == 0)
      #expect(place.run("type set mail --max-naps 6 -- true").status == 0)
      let refused = place.run("job enqueue --max-naps 10 -- true")
      #expect(refused.status == 64)
      #expect(
        refused.error
          == "hotglue: invalid value '10' for '--max-naps': expected a whole number from 0 to 9\n"
          + "hint: for example: --max-naps 3\n")
      #expect(try store.job(1, in: acme).request.policy.maxSnoozes == 7)
      #expect(try store.job(2, in: acme).request.policy.maxSnoozes == 8)
      #expect(try store.type("mail", in: acme).definition.policy.maxSnoozes == 6)
    }
  }

  @Test("it is a key of JSON Lines and of files of types")
  func keys() throws {
    var place = try CommandPlace.ready()
    let acme = try #require(WorkspaceID("acme"))
    try withAdded { () throws in
      place.input = Array(#"{"command":["true"],"max_naps":5}"#.utf8)
      #expect(place.run("job enqueue --jsonl -").status == 0)
      #expect(try place.store().job(1, in: acme).request.policy.maxSnoozes == 5)
      place.input = Array("[type.mail]\ncommand = [\"true\"]\nmax_naps = 4\n".utf8)
      #expect(place.run("type apply -").status == 0)
      #expect(try place.store().type("mail", in: acme).definition.policy.maxSnoozes == 4)
      #expect(place.run("type export mail").output.contains("\nmax_naps = 4\n"))
      place.input = Array("[type.mail]\ncommand = [\"true\"]\nmax_nap = 4\n".utf8)
      #expect(place.run("type apply -").error.contains("did you mean 'max_naps'?"))
    }
  }

  @Test("'type show' has it, for people and for scripts")
  func shown() throws {
    let place = try CommandPlace.ready()
    withAdded {
      #expect(place.run("type set mail --max-naps 6 -- true").status == 0)
      #expect(place.run("type show mail").output.contains("--max-naps 6"))
      #expect(place.run("type show mail --json").output.contains(#""max_naps":6"#))
      #expect(place.run("type set mail --max-naps 7").output.contains("max_naps: 6 -> 7"))
    }
  }

  @Test(
    "help, completion and what the manual is made of have it", arguments: ["job run", "type set"])
  func described(command: String) throws {
    let place = try CommandPlace.ready()
    try withAdded { () throws in
      let lines = place.run("\(command) --help").output.split(whereSeparator: \.isWhitespace)
      let help = lines.joined(separator: " ")
      #expect(help.contains("--max-naps <n>"))
      #expect(help.contains("Times that a job may take a nap: 0 to 9 (default: 1000)."))
      let words = command.split(separator: " ").map(String.init)
      let offered = place.run(["__complete", "--"] + words + ["--max-n"]).output
      #expect(offered.hasPrefix("--max-naps\tTimes that a job may take a nap"))
      let dump = try JSON.parse(RootCommand._dumpHelp())
      #expect(dump.text.contains(#""abstract":"Times that a job may take a nap: 0 to 9"#))
    }
  }

  @Test("each setting refuses a value with an example that it takes")
  func examples() throws {
    let clock = SettingClock(now: Timestamp(milliseconds: 1_770_000_000_000)) { .utc }
    for setting in JobSettingTable.current.all {
      var settings = JobSettings()
      try settings.set(setting, to: setting.shape.example, clock)
      #expect(settings.given == [setting])
      let refused = #expect(throws: BadSetting.self) { try settings.set(setting, to: "", clock) }
      let message = try #require(refused).message(for: setting.flag)
      #expect(
        message == "invalid value '' for '\(setting.flag)': expected \(setting.shape.expected)")
    }
  }
}

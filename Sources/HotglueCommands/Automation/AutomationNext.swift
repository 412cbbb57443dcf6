import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationNext: HotglueCommand {
  static let record = CommandRecord(
    "automation next", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "next", abstract: "Show the next occurrences of an automation or of a schedule",
    usage: """
      hotglue automation next (NAME | --cron EXPR | --every D) [--timezone Z] [--count N] [--since T]
      """,
    discussion: """
      With '--cron' or '--every' no store is needed. Occurrences that daylight saving moves or repeats \
      are marked.

      EXAMPLES
        hotglue automation next backup
        hotglue automation next --cron '30 2 * * *' --timezone Europe/Berlin --since 2026-03-28
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var schedule: ScheduleOptions

  @Option(help: ArgumentHelp("So many occurrences (default: 10).", valueName: "n"))
  var count = 10

  @Option(help: ArgumentHelp("Those after this time (default: now).", valueName: "time"))
  var since: String?

  @Argument(help: ArgumentHelp("The automation's name or link.", valueName: "automation"))
  var automation: String?

  func validate() throws {
    guard (1...100_000).contains(count) else {
      throw ValidationError("--count is a number from 1 to 100000")
    }
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    guard let automation else {
      guard !schedule.isEmpty else {
        throw CommandError.usage(
          "there is neither an automation nor a schedule",
          hint: "give a name, or --cron '0 2 * * *'")
      }
      return try preview(in: environment)
    }
    guard schedule.given.isEmpty else {
      throw CommandError.usage(
        "'\(automation)' has its own schedule",
        hint: "leave '--cron', '--every' and '--timezone' out")
    }
    let session = try WorkspaceSession.open(for: Self.record, global, in: environment)
    return try session.telling {
      let automation = try session.automation(automation)
      let zone = try environment.zone(named: automation.definition.zone)
      try show(automation.definition, automation.name, zone, environment)
      return .done
    }
  }

  private func preview(in environment: CommandEnvironment) throws -> ExitStatus {
    var settings = AutomationSettings("", in: nil, environment)
    for (setting, text) in schedule.given { try settings.set(setting, to: text) }
    let (definition, zone) = try settings.definition()
    try show(definition, nil, zone, environment)
    return .done
  }

  private func show(
    _ definition: AutomationDefinition, _ name: String?, _ zone: Zone,
    _ environment: CommandEnvironment
  ) throws {
    let output = Output(environment, global)
    var start = environment.now()
    if let since {
      // A time that is named is itself shown, where it is an occurrence.
      guard
        let time = TimeExpression.time(
          since, now: environment.now(), zone: zone, direction: .last)
      else {
        throw CommandError.usage(
          "invalid value '\(since)' for '--since': expected a time such as "
            + TimeExpression.examples)
      }
      start = Timestamp(milliseconds: time.milliseconds - 1000)
    }
    let found = definition.next(count, after: start, in: zone)
    if output.isJSON {
      for occurrence in found {
        output.jsonLine(AutomationJSON.occurrence(occurrence, of: name, definition))
      }
      return
    }
    if output.isQuiet {
      for occurrence in found { output.line(occurrence.at.rfc3339) }
      return
    }
    let usesUTC = global.utc || !output.isTerminal
    output.table(
      ["at", "local", "note"],
      found.map { occurrence in
        [
          Cell(usesUTC ? occurrence.at.rfc3339 : zone.text(occurrence.at)),
          Cell(zone.text(occurrence.at)), Cell(occurrence.noteText),
        ]
      })
  }
}

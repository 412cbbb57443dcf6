import ArgumentParser
import HotglueCore
import HotglueStore

struct AutomationImportCrontab: WorkspaceCommand {
  static let record = CommandRecord(
    "automation import crontab", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "crontab", abstract: "Take over the lines of a crontab as automations",
    discussion: """
      All lines or none. The command runs by the crontab's SHELL in its HOME, with its variables; text \
      after '%' becomes its standard input; CRON_TZ is the time zone. Lines and settings without a \
      counterpart, such as MAILTO and @reboot, are listed. Late occurrences and overlap follow the \
      defaults of 'automation add'. The crontab itself is not changed: remove the lines there. The same \
      file a second time changes nothing.
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Only show what would be added.")
  var dryRun = false

  @Flag(help: "The lines name a user, as those of /etc/crontab and /etc/cron.d.")
  var system = false

  @Argument(help: ArgumentHelp("The crontab, or '-' for what is piped in.", valueName: "file|-"))
  var file: String

  private static let longest = 1 << 20

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let crontab = CrontabFile(try text(in: session), hasUsers: system)
    var problems = crontab.problems
    var taken: [AutomationSetting] = []
    for entry in crontab.entries {
      do throws(CommandError) {
        taken.append(try setting(entry, others: taken, session))
      } catch {
        problems.append(
          CrontabFile.Problem(
            line: entry.line, text: entry.schedule + " " + entry.command, reason: error.message))
      }
      if let user = entry.user, user != session.base.user {
        problems.append(
          CrontabFile.Problem(
            line: entry.line, text: user, reason: "the worker's user runs it, not '\(user)'"))
      }
    }
    let changes = try session.store.apply(
      [], taken, in: session.workspace, dryRun: dryRun, by: session.actor, at: session.now
    ).automations
    show(changes, problems.sorted { $0.line < $1.line }, session)
    if !dryRun, !changes.isEmpty { try session.noteWithoutTicker() }
    return .done
  }

  private func text(in session: WorkspaceSession) throws -> String {
    var bytes: [UInt8] = []
    if file == "-" {
      while bytes.count <= Self.longest {
        let more = try session.environment.readInput(1 << 16)
        if more.isEmpty { break }
        bytes += more
      }
    } else {
      bytes = try LineInput.bytes(of: session.environment.path(file), limit: Self.longest)
    }
    guard bytes.count <= Self.longest else {
      throw CommandError.badInput("the crontab is longer than 1 MiB", hint: "split it")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandError.badInput("the crontab is not UTF-8 text", hint: "save it as UTF-8")
    }
    return text
  }

  /// The automation of a line. One that is there already, set to the same, keeps its name.
  private func setting(
    _ entry: CrontabFile.Entry, others: [AutomationSetting], _ session: WorkspaceSession
  ) throws(CommandError) -> AutomationSetting {
    let stem = Self.name(of: entry.command)
    var number = 1
    while true {
      let name = number == 1 ? stem : "\(stem)-\(number)"
      number += 1
      if others.contains(where: { $0.name == name }) { continue }
      let made = try setting(entry, named: name, session)
      do throws(StoreError) {
        let known = try session.store.automation(name, in: session.workspace)
        if known.contract == made.contract { return made }
      } catch {
        guard case .unknownAutomation = error else { throw CommandError(error) }
        return made
      }
    }
  }

  private func setting(
    _ entry: CrontabFile.Entry, named name: String, _ session: WorkspaceSession
  ) throws(CommandError) -> AutomationSetting {
    var settings = AutomationSettings(
      name, in: session.workspace, session.environment, origin: .crontab)
    try settings.set(.cron, to: entry.schedule)
    if let zone = entry.timezone { try settings.set(.timezone, to: zone) }
    let (definition, zone) = try settings.definition()
    var command = [entry.shell, "-c", entry.command]
    if let input = entry.input {
      // A handler's standard input is its payload, which is JSON: the text comes through a pipe.
      command = [
        "/bin/sh", "-c", "printf %s \"$3\" | \"$1\" -c \"$2\"", "cron", entry.shell, entry.command,
        input,
      ]
    }
    let home = entry.home ?? session.environment.variables["HOME"]
    var request = EnqueueRequest(
      command: command,
      directory: home.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/",
      environment: entry.environment)
    request.umask = session.environment.umask
    return AutomationSetting(
      name: name, contract: AutomationContract(definition: definition, job: request),
      next: definition.next(after: session.now, in: zone).first?.at)
  }

  /// The program's name, without its directory and its ending.
  static func name(of command: String) -> String {
    var words = command.split { " \t;|&<>()".contains($0) }[...]
    while let word = words.first {
      if word == "cd" {
        words = words.dropFirst(2)
      } else if word.contains("=") || ["exec", "nice", "ionice", "["].contains(word) {
        words = words.dropFirst()
      } else {
        break
      }
    }
    let program = words.first
    var name = program.map(String.init) ?? "cron"
    if let slash = name.lastIndex(of: "/") { name = String(name[name.index(after: slash)...]) }
    if let dot = name.lastIndex(of: "."), dot != name.startIndex { name = String(name[..<dot]) }
    let plain = name.map { character -> Character in
      character.isASCII && (character.isLetter || character.isNumber || "-_".contains(character))
        ? character : "-"
    }
    let trimmed = String(String(plain).drop { "-_".contains($0) }.prefix(50))
    return trimmed.isEmpty ? "cron" : trimmed
  }

  private func show(
    _ changes: [AutomationChange], _ problems: [CrontabFile.Problem], _ session: WorkspaceSession
  ) {
    let output = session.output
    var rows: [[Cell]] = []
    for change in changes {
      if output.isJSON {
        let next = session.nextOccurrences(of: change.after, 1).first
        output.jsonLine(AutomationJSON.object(change.after, next: next))
      } else if output.isQuiet {
        output.line(change.after.name)
      } else {
        let state = !change.isChange ? "already there" : dryRun ? "would be added" : "added"
        rows.append([
          Cell(change.after.name), Cell(state), Cell(change.after.definition.schedule.words),
          Cell(ShellWords.joined(change.after.contract.job.command)),
        ])
      }
    }
    if !rows.isEmpty { output.table(["name", "state", "schedule", "command"], rows) }
    for problem in problems {
      output.note("not taken over: line \(problem.line): \(problem.text): \(problem.reason)")
    }
  }
}

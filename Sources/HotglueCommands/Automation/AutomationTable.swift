import HotglueCore
import HotglueStore

/// An automation as a table of a file: `[automation.NAME]` with the flags of `automation add` in
/// snake_case. `type apply`, drafts and `automation export` share it.
struct AutomationTable {
  static let noun = "automation"

  /// Where the file or draft is, and what is there.
  let session: WorkspaceSession
  let folder: String

  private static let jobKeys = ["command", "type", "sync", "payload", "cwd", "env"]
  private static var keys: [String] {
    AutomationKey.allCases.map(\.rawValue) + jobKeys + JobSettingTable.current.contract.map(\.key)
  }

  func read(_ table: TOMLFile.Table) throws(CommandError) -> AutomationSetting {
    guard table.path.count == 2, table.path[0] == Self.noun else {
      throw Self.wrong(
        table.line,
        "[\(table.path.map(TOMLFile.key).joined(separator: "."))] is not an automation",
        "begin with [automation.NAME]")
    }
    let name = table.path[1]
    do {
      try AutomationWords.check(name)
    } catch {
      throw Self.wrong(table.line, error.message, error.hint)
    }
    var settings = AutomationSettings(
      name, in: session.workspace, session.environment, origin: .file)
    var job = JobSettings()
    var parts = JobParts()
    for entry in table.entries {
      do {
        try take(entry, &settings, &job, &parts)
      } catch let error as CommandError {
        throw Self.wrong(entry.line, error.message, error.hint)
      } catch let error as BadSetting {
        throw Self.wrong(
          entry.line, error.message(for: entry.key),
          Hint(error.hint { "\(entry.key) = \($0.text)" }))
      } catch let error as UnusableRequest {
        throw Self.wrong(entry.line, error.problem, error.hint)
      } catch {
        throw Self.wrong(entry.line, "\(error)", nil)
      }
    }
    do {
      var (definition, zone) = try settings.definition()
      if let known = try known(name)?.definition, known.zone == definition.zone {
        definition.zoneOrigin = known.zoneOrigin
      }
      let contract = AutomationContract(
        definition: definition, job: try request(job, parts, name))
      try AutomationWords.checkTurns(contract)
      return AutomationSetting(
        name: name, contract: contract,
        next: definition.next(after: session.now, in: zone).first?.at)
    } catch let error as CommandError {
      throw Self.wrong(table.line, error.message, error.hint)
    } catch let error as UnusableRequest {
      throw Self.wrong(table.line, error.problem, error.hint)
    } catch {
      throw Self.wrong(table.line, CommandError(from: error).message, nil)
    }
  }

  private func known(_ name: String) throws(StoreError) -> Automation? {
    do throws(StoreError) {
      return try session.store.automation(name, in: session.workspace)
    } catch {
      if case .unknownAutomation = error { return nil }
      throw error
    }
  }

  private struct JobParts {
    var command: [String] = []
    var type: String?
    var source: String?
    var payload: String?
    var directory: String?
    var environment: [String] = []
  }

  private func take(
    _ entry: TOMLFile.Entry, _ settings: inout AutomationSettings, _ job: inout JobSettings,
    _ parts: inout JobParts
  ) throws {
    let text = entry.value.stringValue
    switch entry.key {
    case "command":
      guard let command = entry.value.stringArray else {
        throw CommandError.usage(
          "'command' is not an array of strings",
          hint: "a command runs without a shell: [\"sh\", \"-c\", \"…\"] asks for one")
      }
      try CommandWords.check(command)
      parts.command = command
    case "type": parts.type = try Self.string(entry)
    case "sync": parts.source = try Self.string(entry)
    case "cwd":
      let path = try Self.string(entry)
      let below = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
      parts.directory = below == "." || below.isEmpty ? folder : Path.joined(folder, below)
    case "payload": parts.payload = try Payload.checked(Array((text ?? entry.value.text).utf8))
    case "env":
      guard let list = entry.value.stringArray else {
        throw CommandError.usage(
          "'env' is not an array of strings", hint: "give [\"NAME=VALUE\"]")
      }
      for word in list {
        parts.environment.append(
          try RecordedVariable.parse(word, current: session.environment.recordedValue))
      }
    case "cron":
      for expression in try entry.value.stringArray ?? [Self.string(entry)] {
        try settings.set(.cron, to: expression)
      }
    default:
      // A back-off's jitter has words, the automation's is a duration.
      let isBackoff = text == Jitter.equal.rawValue || text == Jitter.full.rawValue
      if let key = AutomationKey(rawValue: entry.key), !(key == .jitter && isBackoff) {
        try settings.set(key, to: text ?? entry.value.text)
        return
      }
      guard let setting = JobSettingTable.current[entry.key], setting.scope != .job else {
        throw unknown(entry.key)
      }
      try job.set(setting, to: setting.text(given: entry.value), SettingClock(now: session.now))
    }
  }

  private func request(
    _ job: JobSettings, _ parts: JobParts, _ name: String
  ) throws -> EnqueueRequest {
    let named = [!parts.command.isEmpty, parts.type != nil, parts.source != nil]
    guard named.count(where: { $0 }) == 1 else {
      throw CommandError.badInput(
        "automation '\(name)' needs one of 'command', 'type' and 'sync'",
        hint: "say what it enqueues, as command = [\"./backup.sh\"]")
    }
    if let source = parts.source {
      let found = try session.source(source)
      var request = SyncJob.request(SyncOrder(source: found.id), of: found)
      if let policy = request.policy.applying(.object(job.policyChange)) { request.policy = policy }
      request.queue = job.queue
      request.priority = job.priority
      return request
    }
    if let type = parts.type {
      return try job.request(
        type: type, directory: folder, chosenDirectory: parts.directory,
        environment: parts.environment, payload: parts.payload, now: session.now,
        name: \.key)
    }
    return try job.request(
      command: parts.command, directory: parts.directory ?? folder,
      umask: session.environment.umask, environment: parts.environment, payload: parts.payload,
      now: session.now, name: \.key)
  }

  private static func string(_ entry: TOMLFile.Entry) throws(CommandError) -> String {
    guard let text = entry.value.stringValue, !text.isEmpty, !text.utf8.contains(0) else {
      throw .usage("'\(entry.key)' is not a string", hint: "give it between quotes")
    }
    return text
  }

  private func unknown(_ key: String) -> CommandError {
    let near = NearMatch.among(Self.keys, to: key)
    return .usage(
      "unknown key '\(key)'",
      hint: near.isEmpty
        ? "keys are the flags of 'automation add' in snake_case"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
  }

  static func wrong(_ line: Int, _ problem: String, _ hint: Hint?) -> CommandError {
    .badInput(
      "line \(line): \(problem)", hint: hint, facts: [JSON.Member("line", .integer(line))])
  }
}

extension AutomationTable {
  /// The automation as a table that reads back as the same one. `source`: the name of the source that
  /// it syncs.
  static func text(_ automation: Automation, source: String?) -> String {
    let definition = automation.definition
    var lines = ["[automation.\(TOMLFile.key(automation.name))]"]
    for member in definition.settings where member.value != .null {
      let isStandard = member.key == "jitter" && definition.jitter == .zero
      if !isStandard { lines.append("\(member.key) = \(value(member.value))") }
    }
    let job = automation.contract.job
    if job.type == SyncJob.type {
      lines.append("sync = \(TOMLFile.quoted(source ?? ""))")
      lines += settings(job.policy.json(complete: true), standard: SyncJob.policy)
      if job.queue != "default" { lines.append("queue = \(TOMLFile.quoted(job.queue))") }
      if job.priority != 0 { lines.append("priority = \(job.priority)") }
      return lines.joined(separator: "\n") + "\n"
    }
    if let overrides = job.overrides {
      lines.append("type = \(TOMLFile.quoted(job.type))")
      if let directory = overrides.directory { lines.append("cwd = \(TOMLFile.quoted(directory))") }
      lines += overrides.policy.filter { $0.key != "jitter" || isWord($0.value) }.map {
        "\($0.key) = \(value($0.value))"
      }
      if let queue = overrides.queue { lines.append("queue = \(TOMLFile.quoted(queue))") }
      if let priority = overrides.priority { lines.append("priority = \(priority)") }
      if let key = overrides.limitKey {
        lines.append("limit_key = \(TOMLFile.quoted(key ?? "none"))")
      }
      if let most = overrides.limitMax { lines.append("limit_max = \(most)") }
    } else {
      lines.append("command = \(value(.strings(job.command)))")
      lines.append("cwd = \(TOMLFile.quoted(job.directory))")
      lines += settings(job.policy.json(complete: true), standard: .bareCommand)
      if job.queue != "default" { lines.append("queue = \(TOMLFile.quoted(job.queue))") }
      if job.priority != 0 { lines.append("priority = \(job.priority)") }
      if let key = job.limitKey {
        lines += ["limit_key = \(TOMLFile.quoted(key))", "limit_max = \(job.limitMax)"]
      }
    }
    if let payload = job.payload { lines.append("payload = \(TOMLFile.quoted(payload))") }
    if !job.environment.isEmpty { lines.append("env = \(value(.strings(job.environment)))") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func isWord(_ value: JSON) -> Bool {
    value.stringValue == Jitter.equal.rawValue || value.stringValue == Jitter.full.rawValue
  }

  private static func settings(_ policy: JSON, standard: JobPolicy) -> [String] {
    let plain = standard.json(complete: true)
    return (policy.members ?? []).filter {
      $0.value != plain[$0.key] && ($0.key != "jitter" || isWord($0.value))
    }.map { "\($0.key) = \($0.value == .null ? "\"none\"" : value($0.value))" }
  }

  private static func value(_ value: JSON) -> String {
    if let text = value.stringValue { return TOMLFile.quoted(text) }
    guard let values = value.arrayValue else { return value.text }
    return "[" + values.map(self.value).joined(separator: ", ") + "]"
  }
}

extension WorkspaceSession {
  /// The automation as a table of a file.
  func table(of automation: Automation) throws -> String {
    var source: String?
    if automation.contract.job.type == SyncJob.type,
      let payload = automation.contract.job.payload,
      let order = (try? JSON.parse(payload)).flatMap({ SyncOrder($0) })
    {
      source = try store.owner(ofSource: order.source)?.name
    }
    return AutomationTable.text(automation, source: source)
  }
}

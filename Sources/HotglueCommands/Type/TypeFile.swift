import HotglueCore

/// A file of job types: a table `[type.NAME]` for each, with the flags of `type set` in snake_case.
struct TypeFile {
  var types: [(name: String, definition: TypeDefinition)] = []

  static let longest = 4 << 20

  /// `folder` is where a type's command runs, with `umask` unless the file says another, and what a
  /// relative `cwd` starts from.
  init(
    _ bytes: [UInt8], folder: String, umask: FileMask, now: Timestamp
  ) throws(CommandError) {
    try self.init(Self.tables(of: bytes), folder: folder, umask: umask, now: now)
  }

  /// The tables of a file, whatever they are of.
  static func tables(of bytes: [UInt8]) throws(CommandError) -> TOMLFile {
    guard bytes.count <= Self.longest else {
      throw .badInput(
        "the file is longer than \(Self.longest >> 20) MiB", hint: "split it into several")
    }
    do {
      return try TOMLFile(reading: bytes)
    } catch {
      throw .badInput(
        "line \(error.line), column \(error.column): \(error.reason)",
        hint: "a type is written as [type.NAME], then a line for each setting, as lease = \"60s\"",
        facts: [
          JSON.Member("line", .integer(error.line)), JSON.Member("column", .integer(error.column)),
        ])
    }
  }

  init(
    _ file: TOMLFile, folder: String, umask: FileMask, now: Timestamp
  ) throws(CommandError) {
    for table in file.tables {
      let name = try Self.name(of: table)
      types.append(
        (name, try Self.definition(of: table, folder: folder, umask: umask, now: now)))
    }
  }

  private static func name(of table: TOMLFile.Table) throws(CommandError) -> String {
    let line = table.entries.first?.line ?? table.line
    if table.path.isEmpty {
      throw wrong(line, "a setting stands before the first type", "begin with [type.NAME]")
    }
    guard table.path.count == 2, table.path[0] == "type" else {
      let shown = table.path.map(TOMLFile.key).joined(separator: ".")
      throw wrong(table.line, "[\(shown)] is no type", hint(for: table.path))
    }
    do {
      try JobTypeWords.check(table.path[1])
    } catch {
      throw wrong(table.line, error.problem, error.hint)
    }
    return table.path[1]
  }

  /// What was meant by a table that is no type: its first word misspelled, left out, or too much.
  private static func hint(for path: [String]) -> Hint {
    if path.count > 1, path[0] != "type" {
      return NearMatch.among(["type"], to: path[0].lowercased()).isEmpty
        ? "a file of types holds tables [type.NAME], and nothing else"
        : "write [type.\(TOMLFile.key(path.dropFirst().joined(separator: ".")))]"
    }
    let meant = path[0] == "type" ? path.dropFirst().joined(separator: ".") : path[0]
    let isName = !meant.isEmpty && NearMatch.among(["type"], to: meant.lowercased()).isEmpty
    return isName ? "write [type.\(TOMLFile.key(meant))]" : "write [type.NAME]"
  }

  private static func definition(
    of table: TOMLFile.Table, folder: String, umask: FileMask, now: Timestamp
  ) throws(CommandError) -> TypeDefinition {
    var definition = TypeDefinition(command: [], directory: folder)
    definition.umask = umask
    var said = JobSettings()
    for entry in table.entries {
      do {
        try take(entry, &definition, &said, folder: folder, now: now)
      } catch let error as BadSetting {
        throw wrong(
          entry.line, error.message(for: entry.key),
          Hint(error.hint { "\(entry.key) = \($0.text)" }))
      } catch let error as UnusableRequest {
        throw wrong(entry.line, error.problem, error.hint)
      } catch {
        throw wrong(entry.line, "\(error)", nil)
      }
    }
    do throws(UnusableRequest) {
      if !table.entries.contains(where: { $0.key == TypeSetting.cwd.rawValue }) {
        definition.directory = try RealFolder.path(named: .string("."), from: folder)
      }
      guard !definition.command.isEmpty else {
        throw UnusableRequest(
          problem: "type '\(table.path[1])' has no command",
          hint: "give it as an array: command = [\"./handler\"]")
      }
      try definition.take(said)
    } catch {
      throw wrong(table.line, error.problem, error.hint)
    }
    return definition
  }

  private static func take(
    _ entry: TOMLFile.Entry, _ definition: inout TypeDefinition, _ said: inout JobSettings,
    folder: String, now: Timestamp
  ) throws {
    switch TypeSetting(rawValue: entry.key) {
    case .command:
      guard let command = entry.value.stringArray else {
        throw UnusableRequest(
          problem: "'command' is not an array of strings",
          hint: "a command runs without a shell: [\"sh\", \"-c\", \"…\"] asks for one")
      }
      try CommandWords.check(command)
      definition.command = command
    case .cwd:
      definition.directory = try RealFolder.path(named: entry.value, from: folder)
    case .umask:
      guard let umask = FileMask(entry.value.stringValue ?? "") else {
        throw UnusableRequest(
          problem: "'umask' cannot be \(entry.value.text)",
          hint: "give it as umask prints it, as a string: \"0022\"")
      }
      definition.umask = umask
    case .persistent:
      guard let isPersistent = entry.value.boolValue else {
        throw UnusableRequest(
          problem: "'persistent' cannot be \(entry.value.text)", hint: "give true or false")
      }
      definition.isStream = isPersistent
    case .limit:
      definition.limit = try TypeSetting.limit(entry.value.stringValue ?? entry.value.text)
    case nil:
      guard let setting = JobSettingTable.current[entry.key], setting.scope != .job else {
        throw unknown(entry.key)
      }
      try said.set(setting, to: setting.text(given: entry.value), SettingClock(now: now))
    }
  }

  private static func unknown(_ key: String) -> UnusableRequest {
    let near = NearMatch.among(TypeSetting.keys, to: key)
    if JobSettingTable.current[key] != nil {
      return UnusableRequest(
        problem: "'\(key)' is said of one job, not of a type",
        hint: "give it to 'hotglue job enqueue'")
    }
    return UnusableRequest(
      problem: "unknown key '\(key)'",
      hint: near.isEmpty
        ? "keys are command, cwd, and the flags of 'type set' in snake_case"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
  }

  private static func wrong(_ line: Int, _ problem: String, _ hint: Hint?) -> CommandError {
    .badInput(
      "line \(line): \(problem)", hint: hint, facts: [JSON.Member("line", .integer(line))])
  }
}

extension TypeFile {
  /// The types as a file that reads back as the same definitions.
  static func text(_ types: [(name: String, definition: TypeDefinition)]) -> String {
    types.map { name, definition in
      let settings = definition.saidSettings.map { "\($0.key) = \(value($0.value))\n" }
      return "[type.\(TOMLFile.key(name))]\n" + settings.joined()
    }.joined(separator: "\n")
  }

  private static func value(_ value: JSON) -> String {
    if let text = value.stringValue { return TOMLFile.quoted(text) }
    guard let values = value.arrayValue else { return value.text }
    return "[" + values.map(self.value).joined(separator: ", ") + "]"
  }
}

import HotglueCore
import HotglueStore

/// The draft of a source: one table `[source.NAME]` with the flags of `source add` in snake_case.
///
/// The catalog and what is selected of it are no part of the text: they are the tap's words, and
/// `source discover` and `source select` change them.
struct SourceDraftForm: DraftForm {
  var kind: DraftKind { .source }

  func template(of name: String?, in session: WorkspaceSession) throws -> String {
    if let name { try SourceName.check(name) }
    let folder = try session.environment.recordedDirectory(DraftWords.elsewhere)
    return """
      # A source of workspace '\(session.workspace)'. Nothing changes before 'hotglue draft submit'.
      # Lines that begin with '#' say nothing. A key is the flag of 'hotglue source add', its dashes as '_'.
      \(name.map { "[source.\(TOMLFile.key($0))]" } ?? "# [source.crm]")
      # The tap and its own arguments, run without a shell; --config, --catalog and --state are added.
      # command = ["tap-jsonl"]
      # cwd = \(TOMLFile.quoted(folder))

      # A file that is read at every run. What is in it is secret, and stays there.
      # config = "config.json"

      # Key fields of a stream that the tap gives none, or others.
      # key = ["contacts=id", "lines=order,number"]
      # properties = true
      # ignore = ["contacts=_sdc_extracted_at"]
      # validate = "off"
      # line_limit = "100M"
      # on_reject = "default"
      # idle_timeout = "10m"
      # resume = "end"

      """
  }

  func existing(_ name: String, in session: WorkspaceSession) throws -> DraftStart {
    let source = try session.source(name)
    let definition = source.definition
    var lines = [
      "# Source '\(source.name)' of workspace '\(session.workspace)', from revision "
        + "\(source.revision).",
      "# What is not said becomes the default. Its catalog and what is selected of it stay as they are.",
      "[source.\(TOMLFile.key(source.name))]",
      "command = \(Self.list(definition.command))",
      "cwd = \(TOMLFile.quoted(definition.directory))",
    ]
    if let config = definition.config {
      let isKept = SourceFiles.isKept(config)
      if isKept { lines.append("# \"-\": the one that is kept in the store's folder.") }
      lines.append("config = \(TOMLFile.quoted(isKept ? "-" : config))")
    }
    if !definition.keys.isEmpty {
      let keys = definition.keys.sorted { $0.key < $1.key }.map {
        "\($0.key)=\($0.value.joined(separator: ","))"
      }
      lines.append("key = \(Self.list(keys))")
    }
    if definition.takesProperties { lines.append("properties = true") }
    if !definition.ignored.isEmpty {
      let ignored = definition.ignored.sorted { $0.key < $1.key }.map {
        "\($0.key)=\($0.value.joined(separator: ","))"
      }
      lines.append("ignore = \(Self.list(ignored))")
    }
    if !definition.validates { lines.append("validate = \"off\"") }
    if let limit = definition.lineLimit {
      lines.append("line_limit = \(TOMLFile.quoted(ByteCount.text(Int64(limit))))")
    }
    lines.append("on_reject = \(TOMLFile.quoted(definition.rejects?.text ?? Self.standardRejects))")
    if let idle = definition.idleTimeout {
      lines.append("idle_timeout = \(TOMLFile.quoted(idle.text))")
    }
    if definition.resumesAtEnd { lines.append("resume = \"end\"") }
    return DraftStart(
      name: source.name, text: lines.joined(separator: "\n") + "\n", revision: source.revision)
  }

  /// The standard bound, which also fails a run that rejects most records of a stream.
  static let standardRejects = "default"

  private static func list(_ texts: [String]) -> String {
    "[\(texts.map(TOMLFile.quoted).joined(separator: ", "))]"
  }

  func name(in file: TOMLFile) -> String? {
    guard let table = file.tables.first, file.tables.count == 1, table.path.count == 2,
      table.path[0] == "source"
    else { return nil }
    return table.path[1]
  }

  func read(
    _ file: TOMLFile, of draft: Draft, in session: WorkspaceSession
  ) throws(CommandError) -> DraftSubmission {
    let (name, table) = try Self.table(of: file)
    if draft.baseRevision != nil, let known = draft.name, known != name {
      throw SourceLine.wrong(
        table.line, "the draft is of source '\(known)', and is called '\(name)' now",
        "sources are not renamed: begin a new draft, 'hotglue draft new source \(name)'")
    }
    let present = try Self.source(name, in: session)?.definition
    var reader = SourceLine(
      folder: draft.directory, umask: session.environment.umask, present: present)
    for entry in table.entries { try reader.take(entry) }
    guard !reader.definition.command.isEmpty else {
      throw SourceLine.wrong(
        table.line, "source '\(name)' has no command",
        "give it as an array: command = [\"tap-jsonl\"]")
    }
    return .source(name: name, definition: reader.definition)
  }

  private static func table(
    of file: TOMLFile
  ) throws(CommandError) -> (name: String, TOMLFile.Table) {
    for table in file.tables where table.path.count != 2 || table.path.first != "source" {
      let line = table.path.isEmpty ? table.entries.first?.line ?? 1 : table.line
      throw SourceLine.wrong(
        line,
        table.path.isEmpty
          ? "a setting stands before the source"
          : "[\(table.path.map(TOMLFile.key).joined(separator: "."))] is no source",
        "begin with [source.NAME]")
    }
    guard let table = file.tables.first else {
      throw SourceLine.wrong(1, "there is no [source.NAME]", "begin with [source.NAME]")
    }
    guard file.tables.count == 1 else {
      throw SourceLine.wrong(
        file.tables[1].line, "a draft is of one source", "begin another draft for it")
    }
    do {
      try SourceName.check(table.path[1])
    } catch {
      throw SourceLine.wrong(table.line, error.message, error.hint)
    }
    return (table.path[1], table)
  }

  private static func source(
    _ name: String, in session: WorkspaceSession
  ) throws(CommandError) -> Source? {
    do throws(StoreError) {
      return try session.store.source(name, in: session.workspace)
    } catch {
      if case .unknownSource = error { return nil }
      throw CommandError(error, in: session)
    }
  }
}

/// Reads the settings of one source, a line each.
private struct SourceLine {
  let folder: String
  /// The source as it is now.
  let present: SourceDefinition?
  var definition: SourceDefinition

  init(folder: String, umask: FileMask, present: SourceDefinition?) {
    self.folder = folder
    self.present = present
    definition = SourceDefinition(command: [], directory: folder)
    definition.umask = umask
    definition.catalog = present?.catalog
    definition.selection = present?.selection ?? StreamSelection()
    definition.missing = present?.missing ?? MissingRule()
  }

  private static let known = [
    "command", "cwd", "config", "properties", "key", "ignore", "validate", "line_limit",
    "on_reject", "idle_timeout", "resume",
  ]

  mutating func take(_ entry: TOMLFile.Entry) throws(CommandError) {
    do {
      switch entry.key {
      case "command": definition.command = try Self.command(entry.value)
      case "cwd": definition.directory = try RealFolder.path(named: entry.value, from: folder)
      case "config": definition.config = try config(entry)
      case "key": definition.keys = try Self.assignments(entry)
      case "ignore": definition.ignored = try Self.assignments(entry)
      case "properties":
        guard let isTaken = entry.value.boolValue else {
          throw CommandError.usage(
            "'properties' cannot be \(entry.value.text)", hint: "give true or false")
        }
        definition.takesProperties = isTaken
      case "validate":
        guard let text = entry.value.stringValue,
          let validation = SourceOptions.Validation(rawValue: text)
        else {
          throw CommandError.usage(
            "'validate' cannot be \(entry.value.text)", hint: "give \"on\" or \"off\"")
        }
        definition.validates = validation == .on
      case "line_limit":
        let text = entry.value.stringValue ?? entry.value.text
        guard let bytes = ByteCount.parse(text), SourceOptions.lineLimits.contains(bytes) else {
          throw CommandError.usage(
            "'line_limit' cannot be \(entry.value.text)",
            hint: "give a number of bytes up to 1G, such as \"100M\"")
        }
        definition.lineLimit = Int(bytes)
      case "on_reject":
        let text = entry.value.stringValue ?? entry.value.text
        guard text == SourceDraftForm.standardRejects || RejectRule(text) != nil else {
          throw CommandError.usage(
            "'on_reject' cannot be \(entry.value.text)",
            hint: "give a number, \"fail\" or \"default\"")
        }
        definition.rejects = RejectRule(text)
      case "idle_timeout":
        guard let text = entry.value.stringValue, text == "none" || Span(text) != nil else {
          throw CommandError.usage(
            "'idle_timeout' cannot be \(entry.value.text)",
            hint: "give a duration as \"10m\", or \"none\"")
        }
        definition.idleTimeout = text == "none" ? nil : Span(text)
      case "resume":
        guard let resume = entry.value.stringValue.flatMap({ SourceOptions.Resume(rawValue: $0) })
        else {
          throw CommandError.usage(
            "invalid value \(entry.value.text) for 'resume'", hint: "give \"bookmark\" or \"end\"")
        }
        definition.resumesAtEnd = resume == .end
      default: throw unknown(entry.key)
      }
    } catch let error as CommandError {
      throw Self.wrong(entry.line, error.message, error.hint)
    } catch let error as UnusableRequest {
      throw Self.wrong(entry.line, error.problem, error.hint)
    } catch {
      throw Self.wrong(entry.line, CommandError(from: error).message, nil)
    }
  }

  private static func assignments(_ entry: TOMLFile.Entry) throws -> [String: [String]] {
    guard let texts = entry.value.stringArray else {
      throw CommandError.usage(
        "'\(entry.key)' is not an array of strings", hint: "give [\"STREAM=FIELD,…\"]")
    }
    var lists: [String: [String]] = [:]
    for text in texts {
      let (stream, fields) = try SourceOptions.assignment(text, flag: entry.key)
      lists[stream] = fields
    }
    return lists
  }

  private static func command(_ value: JSON) throws -> [String] {
    guard let command = value.stringArray else {
      throw CommandError.usage(
        "'command' is not an array of strings",
        hint: "a tap runs without a shell: [\"tap-jsonl\"]")
    }
    try TapWords.check(command)
    return command
  }

  private func path(_ entry: TOMLFile.Entry) throws(CommandError) -> String {
    guard let path = entry.value.stringValue, !path.isEmpty, !path.utf8.contains(0) else {
      throw .usage("'\(entry.key)' is not a path", hint: "give it as a string")
    }
    let below = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return below == "." || below.isEmpty ? folder : Path.joined(folder, below)
  }

  /// One that is named anew is read, to see that it can be; what is in it is never said.
  private func config(_ entry: TOMLFile.Entry) throws -> String? {
    if entry.value.stringValue == "-" {
      guard let kept = present?.config, SourceFiles.isKept(kept) else {
        throw CommandError.usage(
          "no configuration is kept in the store's folder",
          hint: "name a file, or pipe one in with 'hotglue source edit NAME --config -'")
      }
      return kept
    }
    let path = try path(entry)
    if path != present?.config { try SourceOptions.checkConfig(at: path) }
    return path
  }

  private func unknown(_ key: String) -> CommandError {
    let near = NearMatch.among(Self.known, to: key)
    return .usage(
      ["catalog", "streams"].contains(key)
        ? "'\(key)' is not written here" : "unknown key '\(key)'",
      hint: ["catalog", "streams"].contains(key)
        ? "'hotglue source discover NAME' and 'hotglue source select NAME' change it"
        : near.isEmpty
          ? "keys are \(Self.known.joined(separator: ", "))"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
  }

  static func wrong(_ line: Int, _ problem: String, _ hint: Hint?) -> CommandError {
    .badInput(
      "line \(line): \(problem)", hint: hint, facts: [JSON.Member("line", .integer(line))])
  }
}

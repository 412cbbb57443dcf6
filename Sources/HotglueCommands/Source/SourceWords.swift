import ArgumentParser
import HotglueCore
import HotglueStore

/// The names of sources: they stand in links, limit keys and names of views.
enum SourceName {
  static let rule = "1 to 63 letters, digits, '-' or '_', not starting with one of the last two"

  static func check(_ name: String) throws(CommandError) {
    let bytes = name.utf8
    func isPlain(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }
    guard (1...63).contains(bytes.count), let first = bytes.first, isPlain(first),
      bytes.allSatisfy({ isPlain($0) || $0 == 0x2D || $0 == 0x5F })
    else { throw .usage("'\(name)' is no name of a source", hint: "use \(SourceName.rule)") }
  }
}

extension WorkspaceSession {
  /// The source that an argument names: its name, or a link with its number.
  func source(_ text: String) throws -> Source {
    guard text.hasPrefix(EntityLink.scheme) else {
      return try store.source(text, in: workspace)
    }
    guard let link = EntityLink(text), link.kind == .source, let id = SourceID(link.id) else {
      throw CommandError.usage(
        "'\(text)' is no link to a source",
        hint: "give a source's name, or hotglue://\(workspace)/source/3")
    }
    guard link.workspace == workspace else {
      _ = try store.workspace(link.workspace)
      throw CommandError.mismatch(of: "source", link.text, owner: link.workspace, in: self)
    }
    guard let found = try store.owner(ofSource: id) else {
      throw StoreError.unknownSource(link.id, workspace, near: [])
    }
    guard found.workspace == workspace else {
      let meant = EntityLink(workspace: found.workspace, kind: .source, id: link.id)
      throw CommandError.mismatch(
        of: "source", meant.text, owner: found.workspace, in: self,
        changes: [.argument(text, meant.text)])
    }
    return try store.source(found.name, in: workspace)
  }
}

/// What `source add` and `source edit` say of a source, apart from its command.
struct SourceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The tap's configuration: a file that is read at every run, or '-' for what is piped in, "
        + "which is kept in the store's folder, readable by its users alone.", valueName: "file|-"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "The tap's catalog; 'source discover' asks the tap for one.", valueName: "file"))
  var catalog: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Give the tap its catalog by --properties, as older taps require, not by --catalog.")
  var properties: Bool?

  @Option(
    help: ArgumentHelp(
      "Key fields of a stream that the tap gives none, or others; may be repeated.",
      valueName: "stream=field,…"))
  var key: [String] = []

  @Option(
    help: ArgumentHelp(
      "Leave fields out when a record is compared with the stored one; STREAM may be a pattern. "
        + "May be repeated.", valueName: "stream=field,…"))
  var ignore: [String] = []

  @Option(
    help: ArgumentHelp(
      "Whether records are checked against their schema (default: on).", valueName: "on|off"))
  var validate: Validation?

  @Option(
    help: ArgumentHelp(
      "The longest line of the tap's output, such as 64M or 1G (default: 100M).",
      valueName: "bytes"), transform: Arguments.value)
  var lineLimit: LineLimit?

  @Option(
    help: ArgumentHelp(
      "What becomes of a run when records break their schema: set aside as many, or 'fail' "
        + "(default: 1000).", valueName: "n|fail"), transform: Arguments.value)
  var onReject: RejectRule?

  @Option(
    help: ArgumentHelp(
      "A tap that sends nothing for so long is stopped, and run again (default: none).",
      valueName: "duration|none"), transform: Arguments.value)
  var idleTimeout: Bound?

  @Option(
    help: ArgumentHelp(
      "From where a sync that was killed resumes: its last bookmark, if the records came in order, or "
        + "always the one at the end of the last whole run (default: bookmark).",
      valueName: "bookmark|end"))
  var resume: Resume?

  enum Resume: String, ExpressibleByArgument, CaseIterable { case bookmark, end }

  enum Validation: String, ExpressibleByArgument, CaseIterable {
    case on, off
  }

  static let lineLimits = Int64(1)...Int64(1 << 30)

  struct LineLimit: ArgumentValue {
    static let expected = "a number of bytes up to 1G, such as 100M"
    let bytes: Int

    init?(argument: String) {
      guard let bytes = ByteCount.parse(argument), lineLimits.contains(bytes) else { return nil }
      self.bytes = Int(bytes)
    }
  }

  enum Bound: Hashable, Sendable, ArgumentValue {
    case none
    case span(Span)

    static let expected = "a duration such as 30s or 5m, or none"

    init?(argument: String) {
      guard argument != "none" else {
        self = .none
        return
      }
      guard let span = Span(argument) else { return nil }
      self = .span(span)
    }

    var span: Span? { if case .span(let span) = self { span } else { nil } }
  }

  var isEmpty: Bool {
    config == nil && catalog == nil && key.isEmpty && onReject == nil && idleTimeout == nil
      && properties == nil && ignore.isEmpty && validate == nil && lineLimit == nil
      && resume == nil
  }
}

extension SourceOptions {
  /// Brings what was said into a definition; a configuration that is piped in is kept by `keep`.
  func apply(
    to definition: inout SourceDefinition, in environment: CommandEnvironment,
    keep: ([UInt8]) throws -> String
  ) throws {
    if let catalog {
      definition.catalog = try Self.catalog(at: environment.path(catalog)).json
    }
    for text in key {
      let (stream, fields) = try Self.assignment(text, flag: "--key")
      definition.keys[stream] = fields
    }
    for text in ignore {
      let (stream, fields) = try Self.assignment(text, flag: "--ignore")
      definition.ignored[stream] = fields
    }
    if let properties { definition.takesProperties = properties }
    if let validate { definition.validates = validate == .on }
    if let lineLimit { definition.lineLimit = lineLimit.bytes }
    if let onReject { definition.rejects = onReject }
    if let idleTimeout { definition.idleTimeout = idleTimeout.span }
    if let resume { definition.resumesAtEnd = resume == .end }
    if let config {
      if config == "-" {
        let bytes = try Self.standardInput(environment)
        try Self.checkConfig(bytes, named: "what is piped in")
        definition.config = try keep(bytes)
      } else {
        let path =
          config.hasPrefix("/")
          ? config : Path.joined(try environment.recordedDirectory(TapWords.elsewhere), config)
        try Self.checkConfig(at: path)
        definition.config = path
      }
    }
  }

  private static let longest = 16 << 20

  /// `STREAM=FIELD,…`; the last '=' counts, since a stream's name may hold one.
  static func assignment(
    _ text: String, flag: String, form: String = "STREAM=FIELD,…", hint: Hint? = nil
  ) throws(CommandError) -> (String, [String]) {
    guard let equals = text.lastIndex(of: "="), equals > text.startIndex else {
      throw .usage("invalid value '\(text)' for '\(flag)': expected \(form)", hint: hint)
    }
    let fields = text[text.index(after: equals)...].split(separator: ",").map(String.init)
    guard !fields.isEmpty, Set(fields).count == fields.count else {
      throw .usage(
        "invalid value '\(text)' for '\(flag)': expected \(form), each field once", hint: hint)
    }
    return (String(text[..<equals]), fields)
  }

  static func catalog(at path: String) throws -> Catalog {
    try catalog(LineInput.bytes(of: path, limit: longest), named: path)
  }

  static func catalog(_ bytes: [UInt8], named name: String) throws(CommandError) -> Catalog {
    let json = try parse(bytes, named: name)
    guard let catalog = Catalog(json) else {
      throw .badInput(
        "\(name) is no catalog: it has no list 'streams' of streams with names",
        hint: "'source discover' asks the tap for one")
    }
    return catalog
  }

  /// The JSON text of a file, or with '-' of what is piped in.
  static func json(of path: String, in environment: CommandEnvironment) throws -> JSON {
    if path == "-" {
      return try parse(try standardInput(environment), named: "what is piped in")
    }
    let place = Path.joined(environment.currentDirectory ?? "/", path)
    return try parse(try LineInput.bytes(of: place, limit: longest), named: path)
  }

  static func checkConfig(at path: String) throws {
    try checkConfig(try LineInput.bytes(of: path, limit: longest), named: path)
  }

  /// Nothing of a configuration is ever said: it may hold secrets.
  private static func checkConfig(_ bytes: [UInt8], named name: String) throws(CommandError) {
    guard case .object = try parse(bytes, named: name) else {
      throw .badInput("\(name) is no configuration: it is not a JSON object")
    }
  }

  private static func parse(_ bytes: [UInt8], named name: String) throws(CommandError) -> JSON {
    do {
      return try JSON.parse(bytes)
    } catch {
      throw .badInput(
        "\(name) is not JSON: \(error.reason) (line \(error.line), column \(error.column))")
    }
  }

  private static func standardInput(
    _ environment: CommandEnvironment
  ) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count <= longest {
      let more = try environment.readInput(1 << 16)
      if more.isEmpty { break }
      bytes += more
    }
    return bytes
  }
}

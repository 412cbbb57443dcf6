/// A user's crontab, as Debian's crontab(5) reads it, or the system's, whose lines name a user.
public struct CrontabFile: Hashable, Sendable {
  /// A line that runs a command.
  public struct Entry: Hashable, Sendable {
    public var line: Int
    /// Five fields or `@daily`.
    public var schedule: String
    public var user: String?
    /// For the shell, with `%` taken care of.
    public var command: String
    /// What follows the first `%`: the command's standard input.
    public var input: String?
    /// The lines `NAME=VALUE` above it, without those that mean something to cron alone.
    public var environment: [String]
    public var shell: String
    public var home: String?
    public var timezone: String?
  }

  /// A line, or a part of one, that has no counterpart.
  public struct Problem: Hashable, Sendable {
    public var line: Int
    public var text: String
    public var reason: String

    public init(line: Int, text: String, reason: String) {
      self.line = line
      self.text = text
      self.reason = reason
    }
  }

  public private(set) var entries: [Entry] = []
  /// What is not taken over.
  public private(set) var problems: [Problem] = []

  /// Reads the lines; `hasUsers`: the field after the schedule is a user, as in /etc/crontab.
  public init(_ text: String, hasUsers: Bool) {
    var environment: [String: String] = [:]
    var order: [String] = []
    for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = String(raw.drop { $0 == " " || $0 == "\t" })
      let number = index + 1
      if line.isEmpty || line.hasPrefix("#") { continue }
      if let (name, value) = Self.assignment(line) {
        if Self.ignored.contains(name) {
          if !(name == "MAILTO" && value.isEmpty) {
            problems.append(
              Problem(line: number, text: line, reason: "'\(name)' has no counterpart"))
          }
          continue
        }
        if environment.updateValue(value, forKey: name) == nil { order.append(name) }
        continue
      }
      guard var entry = Self.entry(line, number, hasUsers) else {
        problems.append(
          Problem(line: number, text: line, reason: "expected five fields and a command"))
        continue
      }
      let own: Set<String> = ["SHELL", "HOME", "CRON_TZ", "LOGNAME", "USER"]
      entry.environment = order.filter { !own.contains($0) }.map {
        "\($0)=\(environment[$0] ?? "")"
      }
      entry.shell = environment["SHELL"] ?? "/bin/sh"
      entry.home = environment["HOME"]
      entry.timezone = environment["CRON_TZ"]
      entries.append(entry)
    }
  }

  /// Settings of cron itself.
  private static let ignored: Set<String> = [
    "MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", "RANDOM_DELAY",
    "START_HOURS_RANGE", "NO_MAIL_OUTPUT",
  ]

  /// `NAME = VALUE`, either of them in quotes.
  private static func assignment(_ line: String) -> (String, String)? {
    guard let equals = line.firstIndex(of: "=") else { return nil }
    let name = unquoted(trimmed(line[..<equals]))
    let isName =
      !name.isEmpty
      && name.utf8.allSatisfy { byte in
        byte.isDigit || byte == UInt8(ascii: "_")
          || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      }
    guard isName, name.utf8.first?.isDigit == false else { return nil }
    return (name, unquoted(trimmed(line[line.index(after: equals)...])))
  }

  private static func trimmed(_ text: Substring) -> String {
    var rest = text.drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" || last == "\r" { rest.removeLast() }
    return String(rest)
  }

  private static func unquoted(_ text: String) -> String {
    for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote)
    {
      return String(text.dropFirst().dropLast())
    }
    return text
  }

  private static func entry(_ line: String, _ number: Int, _ hasUsers: Bool) -> Entry? {
    var rest = line[...]
    func word() -> String? {
      rest = rest.drop { $0 == " " || $0 == "\t" }
      let word = rest.prefix { $0 != " " && $0 != "\t" }
      rest = rest.dropFirst(word.count)
      return word.isEmpty ? nil : String(word)
    }
    var fields: [String] = []
    for _ in 0..<(line.hasPrefix("@") ? 1 : 5) {
      guard let field = word() else { return nil }
      fields.append(field)
    }
    var user: String?
    if hasUsers {
      guard let name = word() else { return nil }
      user = name
    }
    let (command, input) = parted(trimmed(rest))
    guard !command.isEmpty else { return nil }
    return Entry(
      line: number, schedule: fields.joined(separator: " "), user: user, command: command,
      input: input, environment: [], shell: "/bin/sh", home: nil, timezone: nil)
  }

  /// The command, and behind the first `%` its standard input, where each further one is a line end.
  /// `\%` is a percent sign.
  private static func parted(_ text: String) -> (command: String, input: String?) {
    var parts = [""]
    var isEscaped = false
    for character in text {
      switch character {
      case "%" where isEscaped:
        parts[parts.count - 1].removeLast()
        parts[parts.count - 1].append("%")
      case "%": parts.append("")
      default: parts[parts.count - 1].append(character)
      }
      isEscaped = character == "\\" && !isEscaped
    }
    guard parts.count > 1 else { return (parts[0], nil) }
    return (trimmed(parts[0][...]), parts.dropFirst().joined(separator: "\n") + "\n")
  }
}

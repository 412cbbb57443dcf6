/// One setting of a job, declared once.
///
/// Its flag, its key in JSON Lines and in files of types, its form in the store, its help, its
/// completion and its place in `type show` and in the manual are all made of this.
public final class JobSetting: Sendable {
  public enum Scope: Sendable {
    /// Part of the policy: how a job is run. A type's is read when an attempt is claimed.
    case policy
    /// Part of a type's contract, and fixed for a job when it is enqueued: where it waits.
    case placement
    /// Of one job alone.
    case job
  }

  /// In JSON Lines, in files of types and in the store: `max_snoozes`.
  public let key: String
  /// `--max-snoozes`.
  public let flag: String
  public let scope: Scope
  /// How its values are written.
  public let shape: SettingShape
  private let meaning: String
  private let standardText: String?
  private let read: @Sendable (String, SettingClock, inout JobSettings) -> SettingMisfit?
  private let write: @Sendable (JobSettings) -> JSON
  private let decode: @Sendable (JSON, inout JobSettings) -> Bool
  private let compare: @Sendable (JobSettings, JobSettings) -> Bool

  /// `meaning` begins the help. `standard` is the default in words, where it is not the value of
  /// `JobSettings()`.
  public init<Value: Equatable & Sendable>(
    _ key: String, _ path: any WritableKeyPath<JobSettings, Value> & Sendable,
    _ form: SettingForm<Value>, _ scope: Scope, standard: String? = nil, _ meaning: String
  ) {
    self.key = key
    flag = Self.flag(key)
    self.scope = scope
    shape = form.shape
    self.meaning = meaning
    standardText = standard
    read = { text, clock, settings in
      guard let value = form.read(text, clock) else { return SettingMisfit() }
      if let misfit = form.objection(value) { return misfit }
      settings[keyPath: path] = value
      return nil
    }
    write = { form.json($0[keyPath: path]) }
    decode = { json, settings in
      guard let value = form.decode(json) else { return json == .null }
      settings[keyPath: path] = value
      return true
    }
    compare = { $0[keyPath: path] == $1[keyPath: path] }
  }

  /// The flag of a key.
  public static func flag(_ key: String) -> String {
    "--" + key.map { $0 == "_" ? "-" : String($0) }.joined()
  }

  /// Reads a value that a user wrote.
  func set(
    _ settings: inout JobSettings, to text: String, _ clock: SettingClock
  ) throws(BadSetting) {
    if let misfit = read(text, clock, &settings) { throw bad(text, misfit) }
  }

  public func json(of settings: JobSettings) -> JSON { write(settings) }

  /// Reads what `json(of:)` wrote, whatever its bounds are now; `null` takes away a bound, and changes
  /// nothing where there must be a value. False when it is not of the setting's form.
  func take(_ json: JSON, into settings: inout JobSettings) -> Bool { decode(json, &settings) }

  func isSame(_ one: JobSettings, _ other: JobSettings) -> Bool { compare(one, other) }

  /// A value as its flag is written.
  public func text(of json: JSON) -> String {
    if json == .null { return "none" }
    if shape.kind == .bytes, let bytes = json.integerValue { return ByteCount.text(bytes) }
    return json.stringValue ?? json.text
  }

  /// A value of JSON Lines or of a file as its flag would be given it: a number or a truth value where
  /// the setting is one, else a string.
  public func text(given value: JSON) throws(BadSetting) -> String {
    switch (shape.kind, value) {
    case (.truth, .bool(let truth)): return String(truth)
    case (.truth, _): throw bad(value.text, SettingMisfit())
    case (_, .string(let text)), (.number, .number(let text)), (.bytes, .number(let text)):
      return text
    case (.text, _), (.number, _), (.bytes, _):
      throw bad(value.text, SettingMisfit(problem: "expected a string"))
    }
  }

  private func bad(_ value: String, _ misfit: SettingMisfit) -> BadSetting {
    BadSetting(setting: self, value: value, misfit: misfit)
  }

  /// What the flag is for, its bounds and its default.
  public var help: String {
    let bounds = shape.bounds.map { ": \($0)" } ?? ""
    return meaning + bounds + (standard.map { " (default: \($0))" } ?? "") + "."
  }

  /// The default in words, of a bare command and of a type.
  private var standard: String? {
    guard scope != .job else { return nil }
    if let standardText { return standardText }
    let bare = text(of: json(of: JobSettings()))
    let typed = text(of: json(of: JobSettings(policy: .jobType)))
    return bare == typed ? bare : "\(bare), of a type \(typed)"
  }
}

extension JobSetting: Hashable {
  public static func == (left: JobSetting, right: JobSetting) -> Bool { left.key == right.key }
  public func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// A value that its setting does not take.
public struct BadSetting: Error, Equatable {
  public let setting: JobSetting
  public let value: String
  let misfit: SettingMisfit

  /// As it is said below the flag or key, which the reader of the text knows.
  public func message(for name: String) -> String {
    "invalid value '\(value)' for '\(name)': \(misfit.problem ?? "expected \(setting.shape.expected)")"
  }

  /// What to write in its place; `write` shows a value with its flag or key.
  public func hint(_ write: (JSON) -> String) -> String {
    if let hint = misfit.hint { return hint }
    let near = NearMatch.among(setting.shape.words, to: value)
    return near.isEmpty
      ? "for example: \(write(setting.shape.exampleValue))"
      : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
  }
}

/// The settings that there are.
public struct JobSettingTable: Sendable {
  public let all: [JobSetting]
  /// Those of a type's contract.
  public let contract: [JobSetting]
  let policy: [JobSetting]

  public init(_ all: [JobSetting]) {
    self.all = all
    contract = all.filter { $0.scope != .job }
    policy = all.filter { $0.scope == .policy }
  }

  /// What the program runs on. A test binds a table with one setting more.
  @TaskLocal public static var current = JobSettingTable(JobSetting.standard)

  public subscript(key: String) -> JobSetting? { all.first { $0.key == key } }
}

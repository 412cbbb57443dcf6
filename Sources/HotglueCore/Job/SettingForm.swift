/// How the values of a setting are written, whatever type they have.
public struct SettingShape: Sendable {
  public enum Kind: Sendable {
    case text
    case number
    /// A number, which may be written with a unit.
    case bytes
    /// A flag that stands alone.
    case truth
  }

  public var kind = Kind.text
  /// What the help calls the value.
  public var valueName: String
  /// What a refusal says was expected.
  public var expected: String
  public var example: String
  /// The bounds of a value, or its words, in the help.
  public var bounds: String?
  /// The words that completion offers.
  public var words: [String] = []
  /// A value may begin with a dash.
  public var takesDash = false

  var exampleValue: JSON {
    switch kind {
    case .text, .bytes: .string(example)
    case .number: .number(example)
    case .truth: .bool(true)
    }
  }
}

/// When a value is read, and where: for times relative to now, and for local ones.
public struct SettingClock {
  public var now: Timestamp
  /// Asked for only where a time is local.
  public var zone: () -> Zone?

  public init(now: Timestamp, zone: @escaping () -> Zone? = { nil }) {
    self.now = now
    self.zone = zone
  }
}

/// Why a value is not taken, where that is more than its form.
public struct SettingMisfit: Hashable, Sendable {
  var problem: String?
  var hint: String?
}

/// How the values of a setting are read, bounded and written.
public struct SettingForm<Value: Equatable & Sendable>: Sendable {
  var shape: SettingShape
  /// Reads what a user wrote; `nil` when that is not as expected.
  var read: @Sendable (String, SettingClock) -> Value?
  var objection: @Sendable (Value) -> SettingMisfit? = { _ in nil }
  var json: @Sendable (Value) -> JSON
  /// Reads what `json` wrote.
  var decode: @Sendable (JSON) -> Value?
}

extension SettingForm {
  /// Values that are one text everywhere.
  init(
    _ shape: SettingShape, text: @escaping @Sendable (Value) -> String,
    parse: @escaping @Sendable (String) -> Value?,
    within: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    self.init(
      shape: shape, read: { text, _ in parse(text).flatMap { within($0) ? $0 : nil } },
      json: { .string(text($0)) }, decode: { $0.stringValue.flatMap(parse) })
  }
}

extension SettingForm where Value == Span {
  static func duration(_ bounds: ClosedRange<Span>) -> SettingForm {
    let range = "\(bounds.lowerBound.text) to \(bounds.upperBound.text)"
    return SettingForm(
      SettingShape(
        valueName: "duration", expected: "a duration such as 30s or 5m, from \(range)",
        example: "90s", bounds: range),
      text: \.text, parse: { Span($0) }, within: bounds.contains)
  }

  /// Any but no time at all, unless `orZero`.
  static func anyDuration(orZero: Bool = false) -> SettingForm {
    var form = duration((orZero ? .zero : Span(milliseconds: 1))...JobSettings.longestSpan)
    form.shape.expected = "a duration such as 30s or 5m"
    form.shape.bounds = nil
    return form
  }
}

extension SettingForm where Value == Int {
  public static func count(_ bounds: ClosedRange<Int>) -> SettingForm {
    let range = "\(bounds.lowerBound) to \(bounds.upperBound)"
    return SettingForm(
      shape: SettingShape(
        kind: .number, valueName: "n", expected: "a whole number from \(range)",
        example: String(min(bounds.upperBound, max(bounds.lowerBound, 3))), bounds: range,
        takesDash: bounds.lowerBound < 0),
      read: { text, _ in Int(text).flatMap { bounds.contains($0) ? $0 : nil } },
      json: { .integer($0) }, decode: { $0.boundedInteger.map { Int($0) } })
  }
}

extension SettingForm where Value == Int64 {
  static func bytes(_ bounds: ClosedRange<Int64>) -> SettingForm {
    let range = "\(ByteCount.text(bounds.lowerBound)) to \(ByteCount.text(bounds.upperBound))"
    return SettingForm(
      shape: SettingShape(
        kind: .bytes, valueName: "bytes",
        expected: "bytes from \(range), plain or with K, M or G, such as 64M", example: "64M",
        bounds: range),
      read: { text, _ in ByteCount.parse(text).flatMap { bounds.contains($0) ? $0 : nil } },
      json: { .integer($0) }, decode: { $0.boundedInteger })
  }
}

extension SettingForm where Value == Bool {
  static let truth = SettingForm(
    shape: SettingShape(
      kind: .truth, valueName: "", expected: "true or false", example: "true"),
    read: { text, _ in Bool(text) }, json: { .bool($0) }, decode: { $0.boolValue })
}

extension SettingForm where Value == String {
  /// Names are for people and for indexes: bounded, and free of control characters.
  static func name(_ longest: Int, _ valueName: String, example: String) -> SettingForm {
    SettingForm(
      SettingShape(
        valueName: valueName,
        expected: "a name of 1 to \(longest) bytes without control characters", example: example),
      text: { $0 }, parse: { $0 },
      within: { text in
        !text.isEmpty && text.utf8.count <= longest
          && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
      })
  }

  static let command = SettingForm(
    SettingShape(
      valueName: "command",
      expected: "a command for sh -c that exits with 0 (it happened) or 1 (it did not)",
      example: "test -e done"),
    text: { $0 }, parse: { $0 }, within: { !$0.isEmpty && !$0.utf8.contains(0) })
}

extension SettingForm
where Value: RawRepresentable & CaseIterable & Equatable & Sendable, Value.RawValue == String {
  static func words(_ list: String) -> SettingForm {
    let words = Value.allCases.map(\.rawValue)
    return SettingForm(
      SettingShape(
        valueName: "kind", expected: list, example: words.last ?? "", bounds: list, words: words),
      text: \.rawValue, parse: { Value(rawValue: $0) })
  }
}

extension SettingForm where Value == StopSequence {
  static let stopSequence = SettingForm(
    SettingShape(
      valueName: "sequence",
      expected:
        "at most \(StopSequence.mostSteps) signals with waits between them, ending in KILL, "
        + "such as TERM,10s,KILL",
      example: "INT,5s,KILL"),
    text: \.text, parse: { StopSequence($0) })
}

extension SettingForm where Value == Backoff {
  static let backoff = SettingForm(
    SettingShape(
      valueName: "kind[:base[:cap]]",
      expected: "KIND[:BASE[:CAP]] of exponential, linear or fixed, such as exponential:10s:1h",
      example: "fixed:30s", bounds: "exponential, linear or fixed",
      words: Backoff.Kind.allCases.map(\.rawValue)),
    text: \.text, parse: { Backoff($0) })
}

extension SettingForm where Value == ExitRules {
  static let exitRules: SettingForm = {
    let outcomes = ExitRules.outcomes.map(\.rawValue).joined(separator: ", ")
    return SettingForm(
      shape: SettingShape(
        valueName: "rules|none",
        expected:
          "RULE,… of STATUS=OUTCOME, FIRST-LAST=OUTCOME, SIGNAL=OUTCOME or *=OUTCOME, with an "
          + "outcome of \(outcomes); or none",
        example: "3=failed,SIGTERM=retry,*=retry"),
      read: { text, _ in text == "none" ? ExitRules.none : ExitRules(text) },
      objection: { rules in
        rules.idleRule.map {
          SettingMisfit(
            problem: "rule '\($0.text)' never fits, since the first rule that fits counts",
            hint: "put it before the rules that take its place, or leave it out")
        }
      },
      json: { $0 == .none ? .null : .string($0.text) },
      decode: { $0 == .null ? ExitRules.none : $0.stringValue.flatMap { ExitRules($0) } })
  }()
}

extension SettingForm where Value == Timestamp {
  static let time = SettingForm(
    moment: "a time such as \(TimeExpression.examples)", valueName: "time", bareSpan: false)
  static let deadline = SettingForm(
    moment: "a duration from now such as 10m, or a time such as \(TimeExpression.examples)",
    valueName: "time|duration", bareSpan: true)

  private init(moment expected: String, valueName: String, bareSpan: Bool) {
    self.init(
      shape: SettingShape(valueName: valueName, expected: expected, example: "+10m"),
      read: { Moment.parse($0, now: $1.now, zone: $1.zone, bareSpan: bareSpan) },
      json: { .string($0.rfc3339) }, decode: { Timestamp(rfc3339: $0.stringValue ?? "") })
  }
}

extension SettingForm where Value == JobSettings.KeyHold {
  static let keyHold = SettingForm(
    SettingShape(
      valueName: "duration|done", expected: "a duration such as 24h, or done", example: "24h",
      words: ["done"]),
    text: { hold in
      switch hold {
      case .done: "done"
      case .span(let span): span.text
      }
    },
    parse: { text in text == "done" ? .done : Span(text).map { .span($0) } },
    within: { hold in
      guard case .span(let span) = hold else { return true }
      return span > .zero && span <= JobSettings.longestSpan
    })
}

extension SettingForm {
  /// The same, or nothing: with a `word` for that, what is bounded can be unbounded again.
  static func optional<Wrapped>(
    _ form: SettingForm<Wrapped>, word: String? = nil
  ) -> SettingForm where Value == Wrapped? {
    var shape = form.shape
    if let word {
      shape.valueName += "|\(word)"
      shape.expected += ", or \(word)"
    }
    return SettingForm(
      shape: shape,
      read: { text, clock in
        text == word ? .some(nil) : form.read(text, clock).map { .some($0) }
      },
      objection: { $0.flatMap(form.objection) },
      json: { $0.map(form.json) ?? .null },
      decode: { $0 == .null ? .some(nil) : form.decode($0).map { .some($0) } })
  }
}

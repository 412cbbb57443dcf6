/// How far an attempt says it is.
public struct JobProgress: Hashable, Sendable {
  public var current: Int64?
  public var total: Int64?
  public var message: String?

  public init(current: Int64?, total: Int64?, message: String?) {
    self.current = current
    self.total = total
    self.message = message
  }
}

/// A line by which a handler says something of itself: one JSON object.
///
///     {"type":"progress","current":4,"total":10,"message":"…"}
///     {"type":"result","outcome":"succeeded","value":…}
///     {"type":"result","outcome":"retry","error":{"code":"…","message":"…"},"after":"30s"}
///
/// Members that are not known are passed over, and of repeated ones the last counts.
public enum HandlerLine: Hashable, Sendable {
  case progress(JobProgress)
  /// `problems` are what is wrong with parts that do not change the outcome; those parts are left out.
  case result(HandlerResult, problems: [String])
  /// It says that it is a result, and its outcome is not known, or it is not whole: something was
  /// declared, and nobody knows what.
  case unclear

  /// What of a message is kept, in characters.
  public static let longestMessage = 4000
  /// What of an error's code is kept, in characters.
  public static let longestCode = 100
  /// The longest delay a handler may ask for.
  public static let longestDelay = Span.days(366)
}

extension HandlerLine {
  /// Reads a line; `nil`: it is not understood.
  ///
  /// The supervisor reads each line by the same rules, which are written a second time there.
  public init?(_ bytes: [UInt8]) {
    // Letters that are none are no mistake of the line's form.
    let isText = String(validating: bytes, as: UTF8.self) != nil
    let text = isText ? bytes : Array(String(decoding: bytes, as: UTF8.self).utf8)
    guard let json = try? JSON.parse(text) else {
      var reader = JSONReader(bytes: text[...])
      guard JSON.object(reader.leadingMembers())["type"]?.stringValue == "result" else {
        return nil
      }
      self = .unclear
      return
    }
    switch json["type"]?.stringValue {
    case "progress":
      guard isText, let progress = Self.progress(json) else { return nil }
      self = .progress(progress)
    case "result":
      guard let outcome = json["outcome"]?.stringValue.flatMap(Self.outcome) else {
        self = .unclear
        return
      }
      self = Self.result(outcome, json, isText: isText)
    default: return nil
    }
  }

  /// The outcomes that a handler may declare; the others are found out by whoever minds it. `unknown`
  /// is for one that knows that it does not know what has happened on another side.
  public static let outcomes: [AttemptOutcome] = [
    .succeeded, .retry, .failed, .snooze, .unknown,
  ]

  private static func outcome(_ word: String) -> AttemptOutcome? {
    outcomes.first { $0.rawValue == word }
  }

  private static func progress(_ json: JSON) -> JobProgress? {
    func number(_ name: String) -> (value: Int64?, isGood: Bool) {
      guard let found = json[name], found != .null else { return (nil, true) }
      return (found.integerValue, found.integerValue != nil)
    }
    let current = number("current")
    let total = number("total")
    let message = json["message"] ?? .null
    guard current.isGood, total.isGood, message == .null || message.stringValue != nil else {
      return nil
    }
    return JobProgress(
      current: current.value, total: total.value,
      message: message.stringValue.map { cut($0, to: longestMessage) })
  }

  private static func result(
    _ outcome: AttemptOutcome, _ json: JSON, isText: Bool
  ) -> HandlerLine {
    func given(_ name: String) -> JSON? { json[name].flatMap { $0 == .null ? nil : $0 } }
    var problems: [String] = []
    var result = HandlerResult(outcome: outcome)
    if let value = given("value") {
      if isText {
        result.value = value
      } else {
        // What it should have been cannot be told.
        problems.append("the result is not UTF-8, and its value was left out")
      }
    }
    if let error = given("error") { take(error, into: &result, &problems) }
    if let after = given("after") { take(after: after, into: &result, &problems) }
    return .result(result, problems: problems)
  }

  private static func take(
    _ error: JSON, into result: inout HandlerResult, _ problems: inout [String]
  ) {
    guard error.members != nil else {
      problems.append("the result's error is no object with a code and a message: \(shown(error))")
      return
    }
    result.errorCode = error["code"]?.stringValue.map { cut($0, to: longestCode) }
    result.errorMessage = error["message"]?.stringValue.map { cut($0, to: longestMessage) }
    for name in ["code", "message"] {
      guard let part = error[name], part != .null, part.stringValue == nil else { continue }
      problems.append("the \(name) of the result's error is no text: \(shown(part))")
    }
    if result.errorCode == nil, result.errorMessage == nil, problems.isEmpty {
      problems.append("the result's error has neither a code nor a message that is text")
    }
  }

  private static func take(
    after wish: JSON, into result: inout HandlerResult, _ problems: inout [String]
  ) {
    if let after = wish.stringValue.flatMap({ Span($0) }), after <= longestDelay {
      result.after = after
    } else {
      problems.append(
        "the result's 'after' is no duration of at most 366 days, as \"30s\": \(shown(wish))")
    }
    if result.outcome != .retry, result.outcome != .snooze {
      problems.append("'after' has no meaning with outcome '\(result.outcome.rawValue)'")
    }
  }

  private static func shown(_ value: JSON) -> String { cut(value.text, to: 40) }

  private static func cut(_ text: String, to length: Int) -> String {
    text.utf8.count <= length ? text : String(text.prefix(length))
  }

  /// The line that says this.
  public var json: JSON {
    switch self {
    case .progress(let progress):
      return .object([
        JSON.Member("type", .string("progress")),
        JSON.Member("current", .optional(progress.current)),
        JSON.Member("total", .optional(progress.total)),
        JSON.Member("message", .text(progress.message)),
      ])
    case .unclear:
      return .object([JSON.Member("type", .string("result"))])
    case .result(let result, _):
      var members = [
        JSON.Member("type", .string("result")),
        JSON.Member("outcome", .string(result.outcome.rawValue)),
      ]
      if let value = result.value { members.append(JSON.Member("value", value)) }
      if result.errorCode != nil || result.errorMessage != nil {
        members.append(
          JSON.Member(
            "error",
            .object([
              JSON.Member("code", .text(result.errorCode)),
              JSON.Member("message", .text(result.errorMessage)),
            ])))
      }
      if let after = result.after { members.append(JSON.Member("after", .string(after.text))) }
      return .object(members)
    }
  }
}

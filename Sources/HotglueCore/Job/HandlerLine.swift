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
/// Members that are not known are passed over.
public enum HandlerLine: Hashable, Sendable {
  case progress(JobProgress)
  /// `problems` are what is wrong with parts that do not change the outcome.
  case result(HandlerResult, problems: [String])

  /// What of a message is kept, in characters.
  public static let longestMessage = 4000
  /// What of an error's code is kept, in characters.
  public static let longestCode = 100
  /// The longest delay a handler may ask for.
  public static let longestDelay = Span.days(366)
}

extension HandlerLine {
  /// Reads a line; `nil`: it is not understood.
  public init?(_ bytes: [UInt8]) {
    let json: JSON
    do {
      json = try JSON.parse(bytes)
    } catch {
      return nil
    }
    switch json["type"]?.stringValue {
    case "progress":
      guard let progress = Self.progress(json) else { return nil }
      self = .progress(progress)
    case "result":
      guard let outcome = json["outcome"]?.stringValue.flatMap(Self.outcome) else { return nil }
      self = Self.result(outcome, json)
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
    guard current.isGood, total.isGood else { return nil }
    return JobProgress(
      current: current.value, total: total.value,
      message: json["message"]?.stringValue.map { cut($0, to: longestMessage) })
  }

  private static func result(_ outcome: AttemptOutcome, _ json: JSON) -> HandlerLine {
    var problems: [String] = []
    var result = HandlerResult(outcome: outcome)
    if let value = json["value"], value != .null { result.value = value }
    if let error = json["error"], error != .null {
      result.errorCode = error["code"]?.stringValue.map { cut($0, to: longestCode) }
      result.errorMessage = error["message"]?.stringValue.map { cut($0, to: longestMessage) }
      if result.errorCode == nil, result.errorMessage == nil {
        problems.append("the result's error has neither a code nor a message that is text")
      }
    }
    if let text = json["after"]?.stringValue {
      if let after = Span(text), after <= longestDelay {
        result.after = after
      } else {
        let shown = cut(text, to: 40)
        problems.append("the result's 'after' is no duration of at most 366 days: '\(shown)'")
      }
      if outcome != .retry, outcome != .snooze {
        problems.append("'after' has no meaning with outcome '\(outcome.rawValue)'")
      }
    }
    return .result(result, problems: problems)
  }

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

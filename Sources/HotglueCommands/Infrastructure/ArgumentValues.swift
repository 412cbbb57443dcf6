import ArgumentParser
import HotglueCore
import HotglueRunner

/// Values of options that are read by their own type.
enum Arguments {
  /// The transform of an option.
  static func value<Value: ArgumentValue>(_ text: String) throws -> Value {
    guard let value = Value(argument: text) else {
      throw ValidationError("expected \(Value.expected)")
    }
    return value
  }
}

extension Int: ArgumentValue {
  static var expected: String { "a whole number" }
}

extension Int64: ArgumentValue {
  static var expected: String { "a whole number" }
}

extension Span: ArgumentValue {
  static var expected: String { "a duration such as 30s or 5m" }
  init?(argument: String) { self.init(argument) }
}

extension RejectRule: ArgumentValue {
  static var expected: String { "a whole number, or fail" }
  init?(argument: String) { self.init(argument) }
}

extension UnknownPolicy: ArgumentValue {
  static var expected: String { "refuse, rerun or check=COMMAND" }
  init?(argument: String) { self.init(argument) }
}

extension NotDoneStatuses: ArgumentValue {
  static var expected: String { "numbers and ranges from 1 to 255 such as 6,7,40-49" }
  init?(argument: String) { self.init(argument) }
}

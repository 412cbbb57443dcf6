/// One promise of a store, and a check that fails where it is not kept.
public struct ConformanceRule: Sendable, CustomStringConvertible {
  public let name: String
  public let check: @Sendable (StoreFixture) throws -> Void

  public init(_ name: String, _ check: @escaping @Sendable (StoreFixture) throws -> Void) {
    self.name = name
    self.check = check
  }

  public var description: String { name }
}

/// A promise that was not kept.
public struct BrokenRule: Error, CustomStringConvertible {
  public let description: String
}

func require(
  _ condition: Bool, _ message: @autoclosure () -> String, line: UInt = #line
) throws {
  guard condition else { throw BrokenRule(description: "\(message()) (line \(line))") }
}

func requireEqual<Value: Equatable>(
  _ found: Value, _ expected: Value, _ what: String = "value", line: UInt = #line
) throws {
  guard found == expected else {
    throw BrokenRule(
      description: "\(what) is \(found), and should be \(expected) (line \(line))")
  }
}

func requireValue<Value>(
  _ value: Value?, _ what: String = "value", line: UInt = #line
) throws -> Value {
  guard let value else { throw BrokenRule(description: "\(what) is missing (line \(line))") }
  return value
}

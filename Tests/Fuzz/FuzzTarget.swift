/// What was found: an input on which a reader broke its word.
struct Finding: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// One reader of foreign input, and the rules it keeps.
protocol FuzzTarget: AnyObject {
  /// An input by chance; the same chance makes the same input.
  func input(_ chance: inout Chance) -> [UInt8]
  /// Gives the input to the reader. It throws a `Finding` where a rule is broken; ending the program or
  /// never returning is for the parent to see.
  func run(_ input: [UInt8]) throws
}

/// The targets by name. `folder` is one of a run's own, `samples` what `Scripts/fuzz` has prepared.
enum FuzzTargets {
  static let names = [
    "toml", "json", "catalogs", "schemas", "messages", "handler-lines", "job-lines", "slots",
    "rows",
  ]

  static func make(_ name: String, folder: String, samples: String) throws -> any FuzzTarget {
    switch name {
    case "toml": TOMLTarget()
    case "json": JSONTarget()
    case "catalogs": CatalogTarget()
    case "schemas": SchemaTarget()
    case "messages": MessageTarget()
    case "handler-lines": HandlerLineTarget()
    case "job-lines": try JobLineTarget(folder: folder)
    case "slots": try SlotTarget(folder: folder, samples: samples)
    case "rows": try RowTarget(folder: folder, samples: samples)
    default: throw Finding("there is no target '\(name)': one of \(names.joined(separator: ", "))")
    }
  }
}

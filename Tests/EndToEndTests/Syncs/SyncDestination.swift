import Foundation
import Testing

/// Where a sync takes its records, and what has arrived there.
protocol SyncDestination {
  /// What `sync run SOURCE` is given.
  var arguments: [String] { get }

  /// The program that the records go to, if any.
  var program: String? { get }

  /// Whether rows that the source no longer has are removed.
  var removes: Bool { get }

  /// Whether a column may get another type.
  var retypes: Bool { get }

  /// Some fields of each record, separated by '|', as `DatabaseServer.rows` gives them.
  func rows(_ schema: String, _ table: String, _ fields: [String]) throws -> [String]
}

/// The store.
struct StoreDestination: SyncDestination {
  let world: World
  let source: String

  var arguments: [String] { [] }
  var program: String? { nil }
  var removes: Bool { true }
  var retypes: Bool { true }

  func rows(_ schema: String, _ table: String, _ fields: [String]) throws -> [String] {
    try world.succeed(["record", "export", source, "\(schema)-\(table)"])
      .split(separator: "\n").map { try JSONLine.fields(fields, of: $0) }
  }
}

/// meltanolabs-target-postgres, into another database of the same server.
struct PostgresDestination: SyncDestination {
  let world: World
  let server: PostgresServer

  init(_ world: World, _ taps: String, beside server: PostgresServer) throws {
    self.world = world
    self.server = try server.sibling("copy")
    program = taps + "/meltanolabs-target-postgres/bin/target-postgres"
    // Without a schema of its own the target takes that of each stream.
    try world.write(
      self.server.config(["hard_delete": true, "default_target_schema": ""]), to: "target.json")
  }

  let program: String?
  var removes: Bool { true }
  var retypes: Bool { false }

  var arguments: [String] {
    ["--replay", "safe", "--", program ?? "", "--config", world.folder.path + "/target.json"]
  }

  func rows(_ schema: String, _ table: String, _ fields: [String]) throws -> [String] {
    try server.rows("SELECT \(fields.joined(separator: ", ")) FROM \(schema).\(table)")
  }
}

/// target-jsonl: a file for each of its processes, and the last line of a key counts.
struct JSONLinesDestination: SyncDestination {
  let world: World
  let program: String?

  init(_ world: World, _ taps: String) throws {
    self.world = world
    program = taps + "/target-jsonl/bin/target-jsonl"
    try world.write(["destination_path": world.folder.path + "/written"], to: "target.json")
  }

  var removes: Bool { false }
  var retypes: Bool { true }

  var arguments: [String] {
    ["--replay", "safe", "--", program ?? "", "--config", world.folder.path + "/target.json"]
  }

  func rows(_ schema: String, _ table: String, _ fields: [String]) throws -> [String] {
    let folder = world.folder.appendingPathComponent("written")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    var last: [String: String] = [:]
    for name in names.sorted() where name.hasPrefix("\(schema)-\(table)-") {
      let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      // A kill may cut off the last line of a file.
      for line in text.split(separator: "\n") where line.hasSuffix("}") {
        last[try JSONLine.fields(["id"], of: line)] = try JSONLine.fields(fields, of: line)
      }
    }
    return Array(last.values)
  }
}

/// A line of JSON, read field by field.
enum JSONLine {
  static func fields(_ fields: [String], of line: Substring) throws -> String {
    let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return fields.map { field in
      guard let value = record?[field], !(value is NSNull) else { return "NULL" }
      return "\(value)"
    }.joined(separator: "|")
  }
}

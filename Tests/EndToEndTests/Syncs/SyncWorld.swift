import Foundation
import Testing

/// What tests of syncs need beside the world: taps, and a look at records.
extension World {
  static let syncFixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  /// Where `Scripts/taps` has put the real taps and their data.
  static func realTaps() throws -> String {
    let folder = ProcessInfo.processInfo.environment["HOTGLUE_TAPS"] ?? ""
    try #require(
      FileManager.default.fileExists(atPath: folder + "/target-jsonl/.made"),
      "HOTGLUE_TAPS names the folder that Scripts/taps prints; Scripts/test sets it")
    return folder
  }

  /// Starts hotglue with its standard output in a pipe that the test reads when it likes.
  func startPiped(_ arguments: [String]) throws -> (Process, Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: World.binaryPath)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = environment
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.runWithoutBlockedSignals()
    return (process, pipe)
  }

  func place(_ tap: String) throws -> String {
    let path = folder.appendingPathComponent(tap)
    try FileManager.default.copyItem(
      at: World.syncFixtures.appendingPathComponent("Taps/\(tap)"), to: path)
    return path.path
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  func write(_ object: [String: Any], to name: String) throws {
    try JSONSerialization.data(withJSONObject: object)
      .write(to: folder.appendingPathComponent(name))
  }

  /// A tap that is a shell script.
  func script(_ body: String, as name: String) throws {
    try write("#!/bin/sh\n\(body)\n", to: name)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder.appendingPathComponent(name).path)
  }

  /// The records of a source, a line each, as they were sent and in the order of their keys.
  func records(_ source: String) throws -> String {
    try succeed(["record", "export", source])
  }

  func standing(_ source: String) throws -> [String: Any] {
    let text = try succeed(["sync", "status", source, "--json"])
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: Any])
  }

  /// What the last sync did with the only stream there is.
  func counts(_ source: String) throws -> [String: Int] {
    let streams = try #require(try standing(source)["streams"] as? [[String: Any]])
    try #require(streams.count == 1)
    return streams[0].compactMapValues { $0 as? Int }
  }

  func runs(_ source: String) throws -> [[String: Any]] {
    try run(["sync", "history", source, "--json"]).lines.map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  /// Of the processes with this text in their command lines those that are not hotglue's own: a
  /// supervisor, which ends in its own time, has the words of the command that it was forked from.
  static func programs(named text: String) -> [Int32] {
    processes(named: text).filter { pid in
      let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? ""
      return !name.isEmpty && !name.hasPrefix("hotglue")
    }
  }

  static let schemaLine = #"""
    {"type":"SCHEMA","stream":"a","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"}}}}
    """#
}

/// SplitMix64: the same moments in every run.
struct Seeded {
  var state: UInt64

  mutating func next() -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) >> 33)
  }
}

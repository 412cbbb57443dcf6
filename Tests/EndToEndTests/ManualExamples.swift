import Foundation
import Testing

/// The worked examples of a manual page, as they stand there.
struct ManualExamples {
  private let texts: [String: String]

  /// Reads what stands between `.\" example: NAME` and `.\" end`, as `man` would show it.
  init(page: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let source = try String(
      contentsOf: root.appendingPathComponent("man/man7/\(page)"), encoding: .utf8)
    var texts: [String: String] = [:]
    var name: String?
    for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix(".\\\" example: ") {
        name = String(line.dropFirst(".\\\" example: ".count))
      } else if line == ".\\\" end" {
        name = nil
      } else if let name, line != ".EX", line != ".EE" {
        texts[name, default: ""] += Self.shown(line) + "\n"
      }
    }
    self.texts = texts
  }

  private static func shown(_ line: Substring) -> String {
    String(line).replacing("\\-", with: "-").replacing("\\e", with: "\\")
      .replacing("\\(aq", with: "'")
  }

  func text(_ name: String) throws -> String {
    try #require(texts[name], "no example '\(name)'")
  }

  /// Writes an example as an executable file of its name.
  func write(_ name: String, in world: World) throws {
    let text = try text(name)
    let file = world.folder.appendingPathComponent(name)
    try text.write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
  }
}

/// A hand-written manual page, by sections.
struct ManualPage {
  private let text: String

  init(_ name: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    text = try String(contentsOf: root.appendingPathComponent("man/man7/\(name)"), encoding: .utf8)
  }

  /// What stands below the heading, as the page's source has it.
  func section(_ heading: String) throws -> String {
    let parts = text.components(separatedBy: "\n.SH ")
    return try #require(parts.first { $0.hasPrefix(heading + "\n") }, "no section \(heading)")
  }
}

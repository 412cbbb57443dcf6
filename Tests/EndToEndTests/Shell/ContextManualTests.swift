import Foundation
import Testing

/// The examples of hotglue-context(7), run as they stand in the page: commands behind '$', and below
/// each what it prints.
@Suite
struct ContextManualTests {
  private struct Example {
    var command: String
    var output = ""
  }

  private func page() throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try String(
      contentsOf: root.appendingPathComponent("man/man7/hotglue-context.7"), encoding: .utf8)
  }

  /// Those of the page in their order, as a reader sees them.
  private func examples() throws -> [Example] {
    var examples: [Example] = []
    for block in try page().components(separatedBy: "\n.EX\n").dropFirst() {
      let body = block.components(separatedBy: "\n.EE")[0]
      for line in body.split(separator: "\n", omittingEmptySubsequences: false) {
        let shown = String(line).replacing("\\-", with: "-").replacing("\\(aq", with: "'")
          .replacing("\\&", with: "").replacing("\\e", with: "\\")
        if shown.hasPrefix("$ ") {
          examples.append(Example(command: String(shown.dropFirst(2))))
        } else if !examples.isEmpty {
          examples[examples.count - 1].output += shown + "\n"
        }
      }
    }
    return examples
  }

  @Test("every example of the page prints what the page says, one after the other")
  func examplesWork() throws {
    let examples = try examples()
    try #require(examples.count > 30)
    let world = try World(initialized: false)
    for folder in ["shop", "bin"] {
      try FileManager.default.createDirectory(
        atPath: world.folder.path + "/" + folder, withIntermediateDirectories: true)
    }
    world.environment["PATH"] = world.folder.path + "/bin:" + (world.environment["PATH"] ?? "")
    for example in examples {
      let result = try world.command(
        "/bin/sh", ["-c", "cd ~/shop || exit; exec 2>&1; \(example.command)"])
      let shown = result.output.replacing(world.folder.path, with: "/home/me")
      #expect(shown == example.output, "$ \(example.command)")
    }
  }

  @Test("each rule of the page has an example")
  func everyRule() throws {
    let sections = try page().components(separatedBy: "\n.S").dropFirst().map { String($0) }
    let without = ["NAME", "DESCRIPTION", "ENVIRONMENT", "SEE ALSO"]
    for section in sections {
      let heading = section.split(separator: "\n")[0].dropFirst(2)
      if without.contains(String(heading)) { continue }
      #expect(section.contains("\n.EX\n"), "\(heading)")
    }
  }
}

import Foundation
import Testing

@Suite("The page of the guards")
struct GuardsPageTests {
  @Test("the page names every command with its access and its role, as the program has them")
  func everyCommand() throws {
    let (status, output) = try Repository.run(
      Repository.binary, ["workspace", "member", "roles", "--json"])
    try #require(status == 0, "\(output)")
    let told = try output.split(separator: "\n").map {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
    let page = try Repository.text("man/man7/hotglue-guards.7").split(separator: "\n")
      .drop { $0 != "command\taccess\trole" }.dropFirst(2).prefix { $0 != ".TE" }
    #expect(page.map(String.init) == told.map(\.line))
  }

  @Test("the registry has every command that a file declares")
  func everyRecord() throws {
    let declared = try Repository.files(under: "Sources/HotglueCommands", suffix: ".swift").flatMap
    {
      try Repository.text($0).matches(of: /CommandRecord\(\s*"([^"]+)"/).map { String($0.1) }
    }
    let registry = try Repository.text(
      "Sources/HotglueCommands/Infrastructure/CommandRegistry.swift")
    #expect(declared.count == registry.matches(of: /\w+\.self\b/).count)
  }
}

/// A line of `workspace member roles --json`.
private struct Row: Decodable {
  let command: String
  let access: String
  let role: String?
  let everywhere: Bool

  var line: String {
    let role = role.map { $0 + (everywhere ? "*" : "") } ?? "\\-"
    return "\(command)\t\(access.replacing("_", with: " "))\t\(role)"
  }
}

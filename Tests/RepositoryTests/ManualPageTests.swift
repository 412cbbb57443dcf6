import Foundation
import Testing

@Suite("Manual pages")
struct ManualPageTests {
  @Test("there is a page for every command and none for any other")
  func aPagePerCommand() throws {
    let (status, output) = try Repository.run(Repository.binary, ["--experimental-dump-help"])
    try #require(status == 0, "\(output)")
    let tree = try JSONDecoder().decode(Tree.self, from: Data(output.utf8))
    let expected = tree.command.pages(below: [])
    #expect(try Repository.names(in: "man/man1") == expected.sorted())
  }

  @Test("the pages say what the commands say of themselves")
  func pagesAreCurrent() throws {
    let (status, output) = try Repository.run(
      URL(filePath: "/usr/bin/env"), ["bash", "Scripts/man", "--check"],
      environment: ["HOTGLUE_BINARY": Repository.binary.path])
    #expect(status == 0, "\(output)")
  }
}

/// The part of the parser's description of its commands that names them.
private struct Tree: Decodable {
  let command: Command

  struct Command: Decodable {
    let commandName: String
    let shouldDisplay: Bool?
    let subcommands: [Command]?

    func pages(below path: [String]) -> [String] {
      if shouldDisplay == false || commandName == "help" { return [] }
      let path = path + [commandName]
      return [path.joined(separator: "-") + ".1"]
        + (subcommands ?? []).flatMap { $0.pages(below: path) }
    }
  }
}

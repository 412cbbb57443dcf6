import Foundation
import Testing

@Suite("The page of the contract")
struct ContractPageTests {
  @Test("the table of events names every row of the lifecycle, each state it may lead to, no more")
  func everyRowOfTheLifecycle() throws {
    let (status, output) = try Repository.run(Repository.binary, ["job", "lifecycle", "--json"])
    try #require(status == 0, "\(output)")
    let lifecycle = try output.split(separator: "\n").map {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
    let page = eventTable(in: try Repository.text("man/man7/hotglue-contract.7"))
    #expect(page.map(\.name) == lifecycle.map(\.name))
    for (row, entry) in zip(lifecycle, page) where !entry.text.contains("the same") {
      for state in row.to {
        let isNamed = entry.text.contains(state)
        #expect(isNamed, "\(row.name) may lead to \(state)")
      }
    }
  }

  @Test("a row of the table is read with its text")
  func tableIsRead() {
    let page = """
      .SH EVENTS
      .TS
      from\tevent\tto
      \\-\tenqueue\tT{
      pending;
      blocked
      T}
      .TE
      .SH FENCE
      running\tnot part of it\tT{
      """
    let table = eventTable(in: page)
    #expect(table.map(\.name) == ["- enqueue"])
    #expect(table.map(\.text) == ["pending;\nblocked\n"])
  }

  /// The rows of the section EVENTS: the state and event that begin each, and its text.
  private func eventTable(in page: String) -> [(name: String, text: String)] {
    var table: [(name: String, text: String)] = []
    var isInside = false
    for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix(".SH ") { isInside = line == ".SH EVENTS" }
      guard isInside else { continue }
      let cells = line.split(separator: "\t")
      if cells.count == 3, cells[2] == "T{" {
        table.append((cells[0].replacing("\\-", with: "-") + " " + cells[1], ""))
      } else if !table.isEmpty, line != "T}", !line.hasPrefix(".") {
        table[table.count - 1].text += line + "\n"
      }
    }
    return table
  }
}

/// A line of `job lifecycle --json`.
private struct Row: Decodable {
  let from: String?
  let event: String
  let to: [String]

  var name: String { "\(from ?? "-") \(event)" }
}

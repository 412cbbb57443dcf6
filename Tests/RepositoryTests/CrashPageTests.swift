import Foundation
import Testing

@Suite("The page of crashes")
struct CrashPageTests {
  private let page: String

  init() throws { page = try Repository.text("man/man7/hotglue-crash.7") }

  @Test("every row of the table is a point that a test kills at, and the other way round")
  func everyRowHasItsTest() throws {
    let names = try tags(in: "WHERE A PROCESS DIES")
    let points = try found(#/CrashPoint\("([a-z-]+)"\)/#)
    #expect(names.count > 60)
    #expect(Set(names).count == names.count, "a row has a name of its own")
    #expect(names.sorted() == points.sorted())
  }

  @Test("every point is in a list that a test runs through")
  func everyListIsRun() throws {
    let lists = try found(#/static let (\w+) = \[\n    CrashPoint/#)
    let suite = try Repository.text("Tests/EndToEndTests/Crash/CrashPoint.swift")
    for list in lists {
      let isRun = suite.contains("arguments: CrashPoint.\(list))")
      #expect(isRun, "\(list)")
    }
    #expect(lists.count >= 9)
  }

  @Test("every place where a process is stopped is one that a test stops at")
  func everyFreezeHasItsTest() throws {
    let names = try tags(in: "WHERE A PROCESS IS STOPPED")
    let points = try found(#/@Test\("(freeze-[a-z-]+):/#)
    #expect(names.sorted() == points.sorted())
  }

  @Test("every code of the doctor is on the page, as what it is")
  func everyCodeIsNamed() throws {
    let source = try Repository.text("Sources/HotglueCore/Doctor/FindingCode.swift")
    let codes = source.matches(of: #/case \w+ = "([a-z_]+)"/#).map { String($0.1) }
    let named = try tags(in: "WHAT THE DOCTOR FINDS")
    #expect(codes.count > 40)
    #expect(named.sorted() == codes.sorted())
  }

  /// The tagged paragraphs of a section.
  private func tags(in section: String) throws -> [String] {
    let start = try #require(page.range(of: ".SH \(section)\n"))
    let rest = page[start.upperBound...]
    let end = rest.range(of: "\n.SH ")?.lowerBound ?? rest.endIndex
    return rest[..<end].matches(of: #/\.TP\n\.B ([^\n]+)/#).map {
      String($0.1).replacing("\\-", with: "-")
    }
  }

  private func found(_ pattern: Regex<(Substring, Substring)>) throws -> [String] {
    try Repository.files(under: "Tests/EndToEndTests/Crash", suffix: ".swift").flatMap { path in
      try Repository.text(path).matches(of: pattern).map { String($0.1) }
    }
  }
}

import Testing

@Suite("Migrations")
struct MigrationTests {
  @Test("migrations are files numbered from 1 without a gap")
  func numbers() throws {
    let numbers = try Self.numbers()
    #expect(!numbers.isEmpty)
    #expect(numbers == Array(1...max(1, numbers.count)))
  }

  @Test("every released schema has a migration test")
  func everyReleasedSchemaIsTested() throws {
    let tests = try Repository.files(under: "Tests/HotglueStoreSQLiteTests", suffix: ".swift")
      .map { try Repository.text($0) }.joined()
    let hasRelease = try Repository.text("CHANGELOG.md").split(separator: "\n")
      .contains { $0.hasPrefix("## [") && $0 != "## [Unreleased]" }
    #expect(untested(try Self.numbers(), hasRelease: hasRelease, in: tests) == [])
  }

  @Test("a schema counts as released once another follows it, or the changelog has a release")
  func whatIsReleased() {
    let tests = #"@Test("a store of schema 1 opens with all it holds")"#
    #expect(untested([1], hasRelease: false, in: "") == [])
    #expect(untested([1], hasRelease: true, in: "") == [1])
    #expect(untested([1, 2], hasRelease: false, in: "") == [1])
    #expect(untested([1, 2], hasRelease: false, in: tests) == [])
    #expect(untested([1, 2], hasRelease: true, in: tests) == [2])
  }

  /// The released schemas that no test is named for. The newest one may still change until there is
  /// a release; a schema that another migration starts from may not.
  private func untested(_ schemas: [Int], hasRelease: Bool, in tests: String) -> [Int] {
    let released = hasRelease ? schemas : Array(schemas.dropLast())
    return released.filter { !tests.contains("@Test(\"a store of schema \($0) opens") }
  }

  /// The numbers in the names of the files: `Migration001_Initial.swift`.
  private static func numbers() throws -> [Int] {
    let name = try Regex(#"Migration(\d{3})_\w+\.swift"#, as: (Substring, Substring).self)
    return try Repository.names(in: "Sources/HotglueStoreSQLite/Migrations").compactMap {
      $0.wholeMatch(of: name).flatMap { Int($0.output.1) }
    }
  }
}

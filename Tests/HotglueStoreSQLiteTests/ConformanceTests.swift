import StoreConformance
import Testing

@Suite("what any store keeps, kept by SQLite")
struct ConformanceTests {
  @Test("jobs", arguments: JobStoreConformance.rules)
  func jobs(_ rule: ConformanceRule) throws {
    let fixture = try SQLiteFixture()
    try rule.check(fixture.conformance())
  }
}

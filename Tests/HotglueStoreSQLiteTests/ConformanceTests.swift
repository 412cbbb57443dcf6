import StoreConformance
import Testing

@Suite("what any store keeps, kept by SQLite")
struct ConformanceTests {
  @Test("jobs", arguments: JobStoreConformance.rules)
  func jobs(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("claims", arguments: ClaimStoreConformance.rules)
  func claims(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("types", arguments: TypeStoreConformance.rules)
  func types(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("reports", arguments: ReportStoreConformance.rules)
  func reports(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("effects", arguments: EffectStoreConformance.rules)
  func effects(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("sources", arguments: SourceStoreConformance.rules)
  func sources(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("automations", arguments: AutomationStoreConformance.rules)
  func automations(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("syncs", arguments: SyncStoreConformance.rules)
  func syncs(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("workspaces", arguments: WorkspaceStoreConformance.rules)
  func workspaces(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("drafts", arguments: DraftStoreConformance.rules)
  func drafts(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("members", arguments: MemberStoreConformance.rules)
  func members(_ rule: ConformanceRule) throws { try check(rule) }

  @Test("the log", arguments: ActivityStoreConformance.rules)
  func activity(_ rule: ConformanceRule) throws { try check(rule) }

  private func check(_ rule: ConformanceRule) throws {
    let fixture = try SQLiteFixture()
    try rule.check(fixture.conformance())
  }
}

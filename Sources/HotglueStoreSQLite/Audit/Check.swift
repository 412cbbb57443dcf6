import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func violations() throws(StoreError) -> [StoreViolation] {
    try read(findings)
  }

  /// The violations within the snapshot or transaction that is open.
  func findings() throws(StoreError) -> [StoreViolation] {
    var findings = try SchemaAudit.differences(in: connection).map {
      StoreViolation(.schemaChanged, $0)
    }
    findings += try violations(of: CheckSQL.integrity, as: .storeCorrupt)
      .filter { $0.message != "ok" }
    for rule in CheckSQL.rules { findings += try violations(of: rule, as: .inconsistent) }
    return findings + (try forbiddenSteps()) + (try exceededBudgets())
  }

  private func violations(
    of rule: SQL, as code: FindingCode
  ) throws(StoreError) -> [StoreViolation] {
    try connection.all(rule, []) { row in
      StoreViolation(
        code, row.text(0), workspace: row.optionalText(2).flatMap { WorkspaceID($0) },
        job: row.optionalInteger(1))
    }
  }

  /// Steps that no row of the transition table allows: looked for by kind, since there are few kinds
  /// however many jobs there are.
  private func forbiddenSteps() throws(StoreError) -> [StoreViolation] {
    let kinds = try connection.all(CheckSQL.kindsOfSteps, []) { row in
      (from: row.optionalText(0), event: row.text(1), to: row.text(2))
    }
    var found: [StoreViolation] = []
    for (from, event, to) in kinds where !Lifecycle.allows(from: from, event: event, to: to) {
      found += try connection.all(
        CheckSQL.stepsOfKind, [.optional(from), .text(event), .text(to)]
      ) { row in
        StoreViolation(
          .inconsistent,
          "job \(row.integer(0)) went from \(from ?? "nothing") to \(to) by '\(event)'",
          workspace: WorkspaceID(row.text(1)), job: row.integer(0))
      }
    }
    return found
  }

  private func exceededBudgets() throws(StoreError) -> [StoreViolation] {
    try connection.all(CheckSQL.usedBudgets, []) { (row) throws(StoreError) in
      let count = BudgetCount(
        failures: Int(row.integer(2)), losses: Int(row.integer(3)), snoozes: Int(row.integer(4)))
      guard let excess = count.excess(over: try decodePolicy(row.optionalText(5))) else {
        return nil
      }
      return StoreViolation(
        .inconsistent, "job \(row.integer(0)) is to be tried again after \(excess)",
        workspace: WorkspaceID(row.text(1)), job: row.integer(0))
    }.compactMap { $0 }
  }
}

import HotglueCore
import HotglueRunner
import HotglueStore

/// What the doctor found, ready to be shown.
struct DoctorReport {
  /// The store's path; `nil` when the context did not lead to one.
  var store: String?
  var info: StoreInfo?
  var diagnosis = Doctor.Diagnosis()
  private(set) var findings: [Finding] = []
  private(set) var notes: [Finding] = []

  init(store: String?) { self.store = store }

  mutating func add(_ found: [Finding]) {
    findings += found.filter { !$0.isNote }
    notes += found.filter(\.isNote)
  }

  func show(on output: Output) {
    if output.isJSON {
      output.object(json)
    } else if output.isQuiet {
      for finding in findings { output.rawLine(finding.code.rawValue) }
    } else if output.isTable {
      for finding in findings { tell(finding, on: output) }
      for note in notes { tell(note, on: output) }
      tellFacts(output)
      if findings.isEmpty { output.note("nothing is wrong with '\(store ?? "")'") }
    } else {
      output.table(
        [],
        (findings + notes).map { finding in
          [
            Cell(finding.isNote ? "note" : "finding"), Cell(finding.code.rawValue),
            Cell(finding.message), Cell(finding.code.meaning), Cell(finding.remedy),
          ]
        })
      if findings.isEmpty { output.note("nothing is wrong with '\(store ?? "")'") }
    }
  }

  private func tell(_ finding: Finding, on output: Output) {
    let head = output.styled(
      finding.code.rawValue, finding.isNote ? .doubtful : .bad)
    output.rawLine("\(head)  \(Visible.text(finding.message))")
    output.line("    \(finding.code.meaning)")
    if let remedy = finding.remedy {
      output.rawLine("    \(output.styled("mend:", .faint)) \(Visible.text(remedy))")
    }
  }

  /// What protects the store, and who has it open: for a person who wants to be sure.
  private func tellFacts(_ output: Output) {
    guard let info else { return }
    let guarded =
      info.gateProtects ? "the writer gate guards its log" : "its log needs no guard"
    output.fields([
      ("sqlite", Cell("\(info.sqliteVersion) (\(guarded))")), ("log_bytes", Cell(info.logBytes)),
      ("free_bytes", Cell(diagnosis.freeBytes.map(String.init))),
      (
        "open_by",
        Cell(
          diagnosis.openBy.isEmpty
            ? nil : diagnosis.openBy.map { "\($0.program) (\($0.pid))" }.joined(separator: ", "))
      ),
    ])
  }

  var json: JSON {
    .object([
      JSON.Member("store", .text(store)), JSON.Member("store_id", .text(info?.storeID)),
      JSON.Member("sound", .bool(findings.isEmpty)),
      JSON.Member("findings", .array(findings.map(\.json))),
      JSON.Member("notes", .array(notes.map(\.json))),
      JSON.Member("sqlite_version", .text(info?.sqliteVersion)),
      JSON.Member("gate_protects", info.map { .bool($0.gateProtects) } ?? .null),
      JSON.Member("log_bytes", .optional(info?.logBytes)),
      JSON.Member("free_bytes", .optional(diagnosis.freeBytes)),
      JSON.Member(
        "open_by",
        .array(
          diagnosis.openBy.map { file in
            .object([
              JSON.Member("pid", .integer(Int64(file.pid))),
              JSON.Member("program", .string(file.program)),
              JSON.Member("hotglue", .bool(file.isHotglue)),
              JSON.Member("writable", .bool(file.isWritable)),
            ])
          })),
    ])
  }
}

extension Finding {
  var json: JSON {
    .object([
      JSON.Member("code", .string(code.rawValue)), JSON.Member("message", .string(message)),
      JSON.Member("meaning", .string(code.meaning)), JSON.Member("remedy", .text(remedy)),
      JSON.Member("workspace", .text(workspace?.text)), JSON.Member("job", .optional(job)),
      JSON.Member("pid", .optional(pid.map { Int64($0) })), JSON.Member("path", .text(path)),
    ])
  }
}

import HotglueCore
import Testing

@Suite("Drafts")
struct DraftTests {
  private static func draft(
    _ kind: DraftKind, _ template: String, _ text: String
  ) throws -> Draft {
    let workspace = try #require(WorkspaceID("acme"))
    let start = Timestamp(milliseconds: 0)
    return Draft(
      id: 1, workspace: workspace, kind: kind, name: nil, state: .open,
      template: Array(template.utf8), text: Array(text.utf8), directory: "/", baseRevision: nil,
      version: 1, createdAt: start, updatedAt: start, entity: nil)
  }

  @Test(
    "an untouched draft is reset, and so is one of a job whose payload was not edited",
    arguments: [
      (DraftKind.job, "[job]\n", "[job]\n", DraftFate.reset),
      (.type, "# t\n", "# t\n", .reset),
      (.source, "# s\n", "# s\n", .reset),
      (.type, "# t\n", "# t\n\n", .needsConfirmation),
      (.source, "# s\n", "x", .needsConfirmation),
      (.automation, "# a\n", "x", .needsConfirmation),
      (.job, "[job]\n", "[job]\ncommand = [\"x\"]\nqueue = \"q\"\n", .reset),
      (.job, "[job]\n", "[job]\npayload = '1'\n", .needsConfirmation),
      (.job, "[job]\npayload = '1'\n", "[job]\npayload = '1'\nqueue = \"q\"\n", .reset),
      (.job, "[job]\npayload = '1'\n", "[job]\npayload = '2'\n", .needsConfirmation),
      (.job, "[job]\npayload = '1'\n", "[job]\n", .needsConfirmation),
      (.job, "[job]\n", "[job\n", .needsConfirmation),
      (.job, "[job]\n", "[job]\npayload = '{\n", .needsConfirmation),
      (.job, "[job]\n", "", .reset),
    ])
  func fate(_ kind: DraftKind, _ template: String, _ text: String, _ fate: DraftFate) throws {
    let draft = try Self.draft(kind, template, text)
    #expect(DraftFate.onSwitch(draft) == fate)
    #expect(DraftFate.onSwitch(draft, isOpenInEditor: true) == .needsConfirmation)
    #expect(DraftFate.onSwitch(draft, isOpenInEditor: true, isArchived: true) == .kept)
    // What needs a decision needs it from everybody; the rest is left alone by who may not move it.
    #expect(DraftFate.onSwitch(draft, mayMove: false) == (fate == .reset ? .kept : fate))
  }

  @Test("a decision is on drafts that need one, and on no others")
  func decision() {
    #expect(DraftFate.needsConfirmation.decided(.discard) == .discarded)
    #expect(DraftFate.needsConfirmation.decided(.keep) == .kept)
    #expect(DraftFate.needsConfirmation.decided(nil) == .needsConfirmation)
    #expect(DraftFate.reset.decided(.keep) == .reset)
    #expect(
      [DraftFate.reset, .discarded, .kept, .needsConfirmation].map(\.movesToBin)
        == [true, true, false, false])
  }

  @Test("remarks come off a text as they were put on it, and nothing else does")
  func remarks() {
    for text in ["", "[job]\n", "# mine\n[job]\n", "\n#!hotglue: mine\n"] {
      let bytes = Array(text.utf8)
      let shown = DraftRemark.putting(["line 1: no\nsecond", "hint: yes"], onTopOf: bytes)
      #expect(String(decoding: shown, as: UTF8.self).hasPrefix("#!hotglue: line 1: no second\n"))
      #expect(DraftRemark.removed(from: shown) == bytes)
      #expect(DraftRemark.removed(from: bytes) == bytes)
    }
    #expect(DraftRemark.removed(from: Array("#!hotglue: cut sho".utf8)) == [])
    #expect(DraftRemark.removed(from: [0xFF, 0x0A]) == [0xFF, 0x0A])
  }

  @Test("a string between three quotes goes over several lines and stands as it is")
  func lines() throws {
    func value(_ text: String) throws -> JSON? {
      try TOMLFile(reading: Array(text.utf8)).tables.first?.entries.first?.value
    }
    #expect(try value("a = '''\n{\"b\":\r\n 1}\n'''") == .string("{\"b\":\n 1}\n"))
    #expect(try value("a = '''x'''") == .string("x"))
    #expect(try value("a = ''''x''y'''''") == .string("'x''y''"))
    #expect(try value("a = ''''''") == .string(""))
    #expect(try value("a = '''\\n'''\n") == .string("\\n"))
    for bad in [
      "a = '''x", "a = '''\u{1}'''", "a = '''x''''''", "'''a''' = 1", "a = \"\"\"x\"\"\"",
    ] {
      #expect(throws: TOMLFile.Problem.self, "\(bad)") { try value(bad) }
    }
  }
}

import HotglueCore
import HotglueStore

/// What one kind of draft is: how its text begins, what it means, and what there is to begin from.
protocol DraftForm {
  var kind: DraftKind { get }

  /// The commented text that a new draft begins with.
  func template(of name: String?, in session: WorkspaceSession) throws -> String

  /// Something that is there, by its name or link, as a draft of it begins.
  func existing(_ name: String, in session: WorkspaceSession) throws -> DraftStart

  /// What the text is of, as far as it can be told; it need not be valid.
  func name(in file: TOMLFile) -> String?

  /// What a draft asks for; `badInput` says in which line it does not.
  func read(
    _ file: TOMLFile, of draft: Draft, in session: WorkspaceSession
  ) throws(CommandError) -> DraftSubmission
}

/// What a draft of something that is there begins with.
struct DraftStart {
  let name: String
  let text: String
  let revision: Int
}

/// The kinds of drafts and their forms, in one table.
enum DraftForms {
  /// `nil`: there are no drafts of this kind yet.
  private static func known(_ kind: DraftKind) -> (any DraftForm)? {
    switch kind {
    case .job: JobDraftForm()
    case .type: TypeDraftForm()
    case .source: SourceDraftForm()
    case .automation: AutomationDraftForm()
    }
  }

  static func form(of kind: DraftKind) throws(CommandError) -> any DraftForm {
    guard let form = known(kind) else {
      throw .usage("drafts of the kind '\(kind.rawValue)' are not there yet", hint: offer)
    }
    return form
  }

  private static var offered: [String] {
    DraftKind.allCases.filter { known($0) != nil }.map(\.rawValue)
  }

  private static var offer: Hint {
    "one of \(offered.map { "'\($0)'" }.joined(separator: ", "))"
  }

  static func form(named word: String) throws(CommandError) -> any DraftForm {
    guard let kind = DraftKind(rawValue: word) else {
      let near = NearMatch.among(offered, to: word)
      throw .usage(
        "'\(word)' is no kind of draft",
        hint: near.isEmpty
          ? offer
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
    }
    return try form(of: kind)
  }

  /// The name that a text gives itself, or `nil`.
  static func name(in text: [UInt8], of kind: DraftKind) -> String? {
    guard let form = try? form(of: kind), let file = try? TOMLFile(reading: text) else {
      return nil
    }
    return form.name(in: file)
  }

  /// What the draft asks for; `badInput` with the line where it asks for nothing that can be had.
  static func read(
    _ draft: Draft, in session: WorkspaceSession
  ) throws(CommandError) -> DraftSubmission {
    let form = try form(of: draft.kind)
    return try form.read(try file(draft.text), of: draft, in: session)
  }

  /// What the draft asked for when it was begun: its template, read as a text of its own. `nil` when
  /// that asks for nothing.
  static func base(of draft: Draft, in session: WorkspaceSession) -> DraftSubmission? {
    var begun = draft
    begun.text = draft.template
    return try? read(begun, in: session)
  }

  private static func file(_ text: [UInt8]) throws(CommandError) -> TOMLFile {
    guard text.count <= Draft.longest else {
      throw .badInput("the text is longer than \(Draft.longest >> 20) MiB", hint: "shorten it")
    }
    if String(validating: text, as: UTF8.self) == nil {
      let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
      let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
      throw .badInput(
        "line \(line + 1): this is not UTF-8 text", hint: "save the file as UTF-8",
        facts: [JSON.Member("line", .integer(line + 1))])
    }
    do {
      return try TOMLFile(reading: text)
    } catch {
      throw .badInput(
        "line \(error.line), column \(error.column): \(error.reason)",
        hint: "each setting has a line, as queue = \"bulk\"; lines that begin with '#' say nothing",
        facts: [
          JSON.Member("line", .integer(error.line)), JSON.Member("column", .integer(error.column)),
        ])
    }
  }
}

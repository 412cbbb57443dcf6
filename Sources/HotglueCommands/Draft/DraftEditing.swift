import Glibc
import HotglueCore
import HotglueProcess
import HotglueStore

/// Which editor a person wants: `$VISUAL`, else `$EDITOR`, else `vi`.
struct EditorChoice {
  let command: String

  init(in session: WorkspaceSession) throws(CommandError) {
    let environment = session.environment
    guard !session.options.noInput else {
      throw .needsConfirmation(
        "--no-input opens no editor", hint: "give the text with --from FILE, or --from - for a pipe"
      )
    }
    for name in ["VISUAL", "EDITOR"] {
      guard let value = environment.variables[name], !value.isEmpty else { continue }
      command = value
      return
    }
    // Without a terminal it could neither be seen nor left.
    guard environment.isTerminal(.input), environment.isTerminal(.output) else {
      throw .needsConfirmation(
        "no editor is named, and there is no terminal for 'vi'",
        hint: "set EDITOR, or give the text with --from FILE")
    }
    command = "vi"
  }
}

/// A draft in a person's editor, until its text is good or they leave it as it is.
///
/// ```
///   store                    STORE.d/drafts/ID.toml      killed here
///   text as before           -                           nothing was typed
///   text as before           text, then what is typed    the next command on drafts takes it up
///   what was typed           what was typed              taken up: the same
///   what was typed           -
/// ```
struct DraftEditing {
  let session: WorkspaceSession
  let editor: EditorChoice
  private let desk: DraftDesk
  private let storeID: String

  init(_ session: WorkspaceSession, with editor: EditorChoice) throws {
    self.session = session
    self.editor = editor
    desk = DraftDesk(session.store)
    storeID = try session.store.info().storeID
  }

  /// Whether the person can be asked again: at a terminal the editor is opened anew on an error.
  private var isInteractive: Bool {
    session.environment.isTerminal(.input) && session.environment.isTerminal(.error)
  }

  /// Returns the draft as it is kept, and what is wrong with its text, if anything is.
  func edit(_ start: Draft) throws -> (Draft, problem: CommandError?) {
    guard let lock = try desk.take(start.id) else { throw DraftWords.isOpen(start.id) }
    defer { lock.removeFile() }
    var draft = try session.store.draft(start.id, in: session.workspace)
    guard draft.state == .open else {
      throw StoreError.draftNotOpen(draft.id, state: draft.state)
    }
    try session.store.noteEditor(ofDraft: draft.id, in: draft.workspace, by: session.actor)
    var remarks: [String] = []
    // A file that is there holds what could not be taken up: it is edited as it is.
    if try desk.text(of: draft.id) == nil { try put(draft, remarks) }
    while true {
      let end = try EditorProcess.run(
        editor.command, on: desk.path(of: draft.id), environment: variables, keeping: lock)
      let before = draft.text
      draft = try keep(draft)
      guard end == .exited(0) else {
        try desk.clear(start.id)
        throw failure(end, draft)
      }
      let problem = problem(of: draft)
      guard let problem, isInteractive, draft.text != before, draft.id == start.id else {
        try desk.clear(start.id)
        return (draft, problem)
      }
      remarks = Self.remarks(on: problem, for: session.environment.given)
      try put(draft, remarks)
    }
  }

  private func problem(of draft: Draft) -> CommandError? {
    do {
      _ = try DraftForms.read(draft, in: session)
      return nil
    } catch {
      return error
    }
  }

  private static func remarks(
    on problem: CommandError, for given: GivenArguments
  ) -> [String] {
    // The lines that it counts are those below the remarks.
    var lines = ["\(problem.message) (not counting these lines)"]
    if let hint = problem.hint { lines.append("hint: \(hint.text(for: given))") }
    return lines + ["To stop, leave the editor without a change: the draft is kept as it is."]
  }

  private func put(_ draft: Draft, _ remarks: [String]) throws(CommandError) {
    do {
      try desk.put(DraftRemark.putting(remarks, onTopOf: draft.text), draft.id)
    } catch {
      throw CommandError(
        "input_output", .inputOutput,
        "no file for the editor: cannot \(error.operation) '\(error.path)': \(error.reason)",
        hint: "draft \(draft.id) is kept: continue with 'hotglue draft edit \(draft.id)'",
        facts: [JSON.Member("draft", .integer(draft.id))])
    }
  }

  /// Takes what the editor left into the store: opened anew, since an editor may be open for days, and
  /// another store may be at its path by now. When it cannot be kept there the file stays.
  private func keep(_ draft: Draft) throws -> Draft {
    let path = desk.path(of: draft.id)
    do {
      guard let bytes = try desk.text(of: draft.id) else { return draft }
      guard bytes.count <= Draft.longest else {
        throw CommandError.badInput("the text is longer than \(Draft.longest >> 20) MiB")
      }
      let store = try session.environment.stores.open(session.context.store, storeID)
      let keeper = DraftKeeper(
        store: store, actor: session.actor, now: session.environment.now())
      let kept = try keeper.keep(bytes, of: store.draft(draft.id, in: draft.workspace))
      if case .anew(let other) = kept {
        session.output.note(
          "draft \(draft.id) was submitted meanwhile: what was typed is draft \(other.id)")
      }
      return kept.draft
    } catch {
      var refusal = CommandError(from: error)
      refusal.message += "; what was typed is in '\(path)'"
      refusal.hint =
        "that file is yours to keep; 'hotglue draft edit \(draft.id)' takes it up, or 'hotglue draft "
        + "new \(draft.kind.rawValue) --from \(Shell.quoted(path))'"
      refusal.facts += [
        JSON.Member("draft", .integer(draft.id)), JSON.Member("file", .string(path)),
      ]
      throw refusal
    }
  }

  private func failure(_ end: ChildEnd, _ draft: Draft) -> CommandError {
    let editor = "the editor '\(editor.command)'"
    let words =
      switch end {
      case .exited(127): "\(editor) \(whyNotFound)"
      case .exited(126): "\(editor) cannot be run"
      case .exited(let status): "\(editor) ended with status \(status)"
      case .killed(let signal): "\(editor) was ended by signal \(signal)"
      }
    return CommandError(
      "editor_failed", .unsuccessful,
      "\(words); draft \(draft.id) of workspace '\(draft.workspace)' is kept with what was saved",
      hint: end == .exited(127)
        ? "set VISUAL or EDITOR to one that can be run, then 'hotglue draft edit \(draft.id)'"
        : "go on with 'hotglue draft edit \(draft.id)', or put it aside with 'hotglue draft discard "
          + "\(draft.id)'",
      facts: [
        JSON.Member("draft", .integer(draft.id)),
        JSON.Member("workspace", .string(draft.workspace.text)),
      ])
  }

  /// The shell says 127 where the editor is not there, and where the interpreter of a script is not.
  private var whyNotFound: String {
    let environment = session.environment
    let words = editor.command.split(separator: " ")
    guard let word = words.first.map(String.init),
      case .program = ProgramSearch(environment: environment).find(word)
    else { return "is not there" }
    let folder = environment.currentDirectory
    let interpreter = ScriptInterpreter.of(
      word, path: environment.variables["PATH"], in: folder)
    if let interpreter, access(interpreter, F_OK) != 0 {
      return "cannot be executed: "
        + environment.executionFailure(word, code: errno, in: folder)
    }
    return words.count == 1 ? "ended with status 127" : "is not there"
  }

  private var variables: [String] {
    session.environment.variables.map { "\($0.key)=\($0.value)" }.sorted()
  }
}

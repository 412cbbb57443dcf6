import HotglueCore

extension CommandError {
  static let makeContext: Hint =
    "make one here with 'hotglue init', or name one with --context FILE or $HOTGLUE_CONTEXT"

  init(_ error: ContextError) {
    func path(_ path: String) -> [JSON.Member] { [JSON.Member("path", .string(path))] }
    switch error {
    case .missingFile("", .environment):
      self.init(
        "no_context", .badContext, "no context: $HOTGLUE_CONTEXT is empty",
        hint: "name one with --context FILE, or unset HOTGLUE_CONTEXT")
    case .missingFile(let place, let origin) where ContextResolution.isPrivateContext(place):
      self.init(
        "context_missing", .badContext,
        "the shell or command that the context '\(place)' was made for has ended",
        hint: origin == .flag
          ? "leave out --context" : "unset HOTGLUE_CONTEXT to act outside of it",
        facts: path(place))
    case .missingFile(let place, let origin):
      let name = origin == .flag ? "--context" : "$HOTGLUE_CONTEXT"
      let without = origin == .flag ? "leave out --context" : "unset HOTGLUE_CONTEXT"
      self.init(
        "context_missing", .badContext, "no context file '\(place)' (named by \(name))",
        hint: "name one that exists, or \(without)", facts: path(place))
    case .nothingFound:
      self.init(
        "no_context", .badContext, "no context: no .hotglue/context.json in this folder or above",
        hint: Self.makeContext)
    case .passedOver(let place):
      self.init(
        "no_context", .badContext,
        "no context: '\(place)' does not count, since other users may have put it there",
        hint: "if you trust it: hotglue context trust \(Shell.quoted(place)); else "
          + Self.makeContext, facts: path(place))
    case .noWorkspace(let file):
      self.init(
        "no_workspace", .badContext,
        file.map { "no workspace is selected in '\($0)'" } ?? "no workspace is named",
        hint: "select one with 'hotglue workspace switch ID', or name one with -w ID",
        facts: [JSON.Member("context_file", .text(file))])
    case .storeNeedsWorkspace(let store):
      self.init(
        "store_needs_workspace", .badContext,
        "--store '\(store)' needs -w: the context's workspace belongs to the context's store",
        hint: "\(again: .option("-w", "ID"))", facts: [JSON.Member("store", .string(store))])
    case .badWorkspaceID(let text):
      self.init(
        "bad_workspace_id", .usage, "'\(text)' is not a workspace ID",
        hint: "use \(WorkspaceID.rule)", facts: [JSON.Member("workspace", .string(text))])
    case .unexpectedWorkspace(let expected, let found, let provenance):
      self.init(
        "unexpected_workspace", .contextMismatch,
        found.map { "expected workspace '\(expected)', but the context is '\($0)' (\(provenance))" }
          ?? "expected workspace '\(expected)', but the context has none (\(provenance))",
        hint: "\(again: .workspace(expected))",
        facts: [
          JSON.Member("expected", .string(expected.text)),
          JSON.Member("workspace", .text(found?.text)),
        ])
    case .attemptEnded(let place):
      self.init(
        "attempt_ended", .refused, "the attempt that the context '\(place)' belongs to has ended",
        hint: "nothing was changed; leave out HOTGLUE_CONTEXT to act outside the attempt",
        facts: path(place))
    case .otherAttempt(let pin, let job, let fence):
      let said = [job.map { "HOTGLUE_JOB is '\($0)'" }, fence.map { "HOTGLUE_FENCE is '\($0)'" }]
      self.init(
        "other_attempt", .refused,
        "the context is that of job \(pin.job) (fence \(pin.fence)), but "
          + said.compactMap { $0 }.joined(separator: " and "),
        hint: "nothing was changed; give this process the context of its own job, or unset the "
          + "variables",
        facts: [
          JSON.Member("job", .integer(pin.job)), JSON.Member("fence", .integer(pin.fence)),
          JSON.Member("variable_job", .text(job)), JSON.Member("variable_fence", .text(fence)),
        ])
    case .unusableFile(let place, let reason):
      self.init(unusable: place, reason)
    }
  }

  private init(unusable path: String, _ reason: ContextFileError) {
    var facts = [JSON.Member("path", .string(path))]
    let message: String
    switch reason {
    case .tooLarge: message = "is larger than \(ContextFile.largestSize >> 10) KiB"
    case .notJSON(let error):
      message = "is not JSON: line \(error.line), column \(error.column): \(error.reason)"
      facts.append(JSON.Member("line", .integer(error.line)))
      facts.append(JSON.Member("column", .integer(error.column)))
    case .newerVersion(let version):
      message = "has version \(version), but this hotglue knows \(ContextFile.version) at most"
    case .badMember(let member):
      message = "has no usable '\(member)'"
      facts.append(JSON.Member("member", .string(member)))
    }
    self.init(
      "bad_context_file", .badContext, "context file '\(path)' \(message)",
      hint: "mend the file, or move it away and make a new one with 'hotglue init'", facts: facts)
  }
}

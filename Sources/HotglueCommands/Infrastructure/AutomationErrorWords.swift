import HotglueCore
import HotglueStore

extension CommandError {
  /// What is wrong with what was asked of an automation.
  init(ofAutomation error: StoreError) {
    func name(_ name: String) -> [JSON.Member] { [JSON.Member("automation", .string(name))] }
    switch error {
    case .unknownAutomation(let text, let workspace, let near):
      self.init(
        "unknown_automation", .notFound, "no automation '\(text)' in workspace '\(workspace)'",
        hint: near.isEmpty
          ? "list them with 'hotglue automation list'"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
        facts: name(text) + [
          JSON.Member("workspace", .string(workspace.text)), JSON.Member("near", .strings(near)),
        ])
    case .automationExists(let text, let workspace):
      self.init(
        "automation_exists", .cannotCreate,
        "automation '\(text)' already exists in workspace '\(workspace)'",
        hint:
          "change it with 'hotglue automation edit \(Shell.quoted(text))', or choose another name",
        facts: name(text))
    case .staleAutomation(let text, let expected, let found):
      self.init(
        "stale_automation", .refused,
        "automation '\(text)' has changed: it is at revision \(found), not at \(expected)",
        hint: "see what it is now with 'hotglue automation show \(Shell.quoted(text))'",
        facts: name(text) + [
          JSON.Member("expected", .integer(expected)), JSON.Member("found", .integer(found)),
        ])
    case .automationNotPaused(let text):
      self.init(
        "not_paused", .refused, "automation '\(text)' is not paused",
        hint: "see it with 'hotglue automation show \(Shell.quoted(text))'", facts: name(text))
    default:
      self.init("internal", .internalError, "the store failed: \(error)")
    }
  }
}

import HotglueCore

/// Asks what becomes of the drafts that stop a switch.
struct SwitchQuestion {
  let output: Output

  /// Off a terminal, and when nothing is decided, the switch is refused with the list.
  func ask(_ plan: SwitchPlan) throws -> DraftFate.Decision {
    let left = plan.from.map { "'\($0)'" } ?? "the workspace that is left"
    guard output.canAsk else { throw refusal(plan, "drafts of \(left) need a decision") }
    for words in Self.words(of: plan) { output.ask("  \(words)\n") }
    output.ask("discard or keep these drafts of \(left)? [d(iscard)/k(eep)/N] ")
    switch try output.answer() {
    case "d", "discard": return .discard
    case "k", "keep": return .keep
    default: throw refusal(plan, "declined: nothing was changed")
    }
  }

  private func refusal(_ plan: SwitchPlan, _ message: String) -> CommandError {
    var error = CommandError(
      "drafts_need_confirmation", .needsConfirmation, message,
      hint:
        "submit them, or add --keep-drafts to leave them open there, or --discard-drafts to put "
        + "them into the bin",
      facts: [
        JSON.Member("workspace", .text(plan.from?.text)), JSON.Member("to", .string(plan.to.text)),
        JSON.Member("drafts", .array(plan.hidesDrafts ? [] : plan.undecided.map(\.json))),
      ])
    error.details = Self.words(of: plan)
    return error
  }

  /// Who may not read there is told how many there are, and not what they are called.
  private static func words(of plan: SwitchPlan) -> [String] {
    plan.hidesDrafts
      ? [Count.of(plan.undecided.count, "draft")] : plan.undecided.map(\.words)
  }
}

extension DraftFate {
  var words: String {
    switch self {
    case .reset: "reset, in the bin"
    case .needsConfirmation: "needs a decision (--keep-drafts or --discard-drafts)"
    case .discarded: "discarded, in the bin"
    case .kept: "kept, open in its workspace"
    }
  }
}

import HotglueCore
import HotglueStore

extension CommandError {
  /// What must end before a store can be restored that does not know it, and how to end it.
  static func alive(_ processes: [LivingProcess]) -> CommandError {
    let names = processes.map(\.words)
    let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    return CommandError(
      "processes_alive", .refused,
      "\(shown) \(names.count == 1 ? "lives" : "live"), and no store here knows it: what is restored "
        + "would be run beside it",
      hint: remedy(processes),
      facts: [
        JSON.Member(
          "processes",
          .array(
            processes.map { process in
              .object([
                JSON.Member("pid", .optional(process.pid.map { Int64($0) })),
                JSON.Member("role", .string(process.role.word)),
                JSON.Member("job", .optional(process.attempt?.job)),
                JSON.Member("fence", .optional(process.attempt?.fence)),
              ])
            }))
      ])
  }

  /// A supervisor ends by itself when its handler has, and takes it along when it is killed.
  private static func remedy(_ processes: [LivingProcess]) -> Hint {
    func kill(_ signal: String, _ chosen: [LivingProcess]) -> String? {
      let pids = chosen.compactMap(\.pid).map { String($0) }
      return pids.isEmpty ? nil : "kill -\(signal) \(pids.joined(separator: " "))"
    }
    let handlers = processes.filter { $0.role == .handler }
    let handled = Set(handlers.map(\.attempt))
    let orders = [
      kill("TERM", processes.filter { $0.role == .worker }), kill("TERM", handlers),
      kill("KILL", processes.filter { $0.role == .supervisor && !handled.contains($0.attempt) }),
    ].compactMap { $0 }
    guard !orders.isEmpty else { return "end the container that they run in, then restore" }
    return "wait until they have ended, or end them: \(orders.joined(separator: "; "))"
  }
}

extension LivingProcess {
  var words: String {
    let who = pid.map { "\(role.word) \($0)" } ?? "a \(role.word) in another PID namespace"
    return attempt.map { "\(who) of job \($0.job)" } ?? who
  }
}

extension LivingProcess.Role {
  fileprivate var word: String {
    switch self {
    case .worker: "worker"
    case .supervisor: "supervisor"
    case .handler: "process"
    }
  }
}

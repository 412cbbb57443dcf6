import ArgumentParser
import HotglueCore
import HotglueStore

struct QueueLimit: WorkspaceCommand {
  static let record = CommandRecord("queue limit", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "limit", abstract: "bound how many jobs of a queue run at once",
    discussion: """
      Counts from the next claim on, in this workspace, for all workers together. What runs already \
      counts and is left running. A queue needs no definition: a limit may be set before its first job.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The queue's name.", valueName: "queue"))
  var queue: String

  @Argument(help: ArgumentHelp("How many, or 'none' for no limit.", valueName: "n|none"))
  var limit: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let change = try session.store.setLimit(
      bound(), ofQueue: name(at: session.now), in: session.workspace, by: session.actor,
      at: session.now)
    session.output.result(
      json: .object([
        JSON.Member("name", .string(change.name)),
        JSON.Member("workspace", .string(session.workspace.text)),
        JSON.Member("limit", .optional(change.after)),
        JSON.Member("before", .optional(change.before)),
      ]), id: change.name
    ) {
      let queue = "queue '\(change.name)' in workspace '\(session.workspace)'"
      let now = change.after.map { "runs at most \(Count.of($0, "job")) at once" } ?? "has no limit"
      guard change.isChange else { return "\(queue) \(now) already" }
      return "\(queue) \(now), was \(change.before.map(String.init) ?? "none")"
    }
    return .done
  }

  private func bound() throws(CommandError) -> Int? {
    if limit == "none" { return nil }
    guard let bound = Int(limit), (1...JobSettings.counts.upperBound).contains(bound) else {
      throw .usage(
        "a limit cannot be '\(limit)'",
        hint: "give a whole number from 1 to \(JobSettings.counts.upperBound), or none")
    }
    return bound
  }

  /// The name as '--queue' takes it.
  private func name(at now: Timestamp) throws(CommandError) -> String {
    var settings = JobSettings()
    do throws(BadSetting) {
      try settings.set(.queue, to: queue, SettingClock(now: now))
    } catch {
      throw .usage(
        error.message(for: "<queue>"),
        hint: Hint(error.hint { "hotglue queue limit \($0.stringValue ?? "") \(limit)" }))
    }
    return settings.queue
  }
}

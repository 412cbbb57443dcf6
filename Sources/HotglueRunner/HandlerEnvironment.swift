import HotglueCore
import HotglueProcess
import HotglueStore

/// The environment of a handler: the worker's, plus what was recorded at enqueue, plus `HOTGLUE_*`,
/// with hotglue's own folder added to `PATH`.
struct HandlerEnvironment {
  /// The worker's own variables, `NAME=VALUE` each.
  let inherited: [String]
  /// The folder of the running binary, so that a handler finds `hotglue` also where it is not
  /// installed; it comes last, so that it shadows nothing.
  let binaryFolder: String

  /// Whatever `HOTGLUE_*` the worker itself was given does not reach a handler: inside it, every
  /// such variable speaks of this job.
  func variables(
    for claimed: ClaimedJob, contextPath: String, startedAt: Timestamp
  ) -> [String] {
    let job = claimed.job
    var own = [
      ("HOTGLUE_CONTEXT", contextPath),
      ("HOTGLUE_WORKSPACE", job.workspace.text),
      ("HOTGLUE_JOB", String(job.id)),
      ("HOTGLUE_TYPE", job.request.type),
      ("HOTGLUE_ATTEMPT", String(job.attempt)),
      ("HOTGLUE_MAX_ATTEMPTS", String(job.request.policy.maxAttempts)),
      ("HOTGLUE_FENCE", String(job.fence)),
      ("HOTGLUE_KEY", claimed.idempotencyKey),
      ("HOTGLUE_REPORT_FD", "3"),
    ]
    if let timeout = job.request.policy.timeout {
      own.append(("HOTGLUE_DEADLINE", startedAt.advanced(by: timeout).rfc3339))
    }
    if let occurrence = job.request.occurrence { own += Self.variables(of: occurrence) }
    return variables(
      recorded: job.request.environment, directory: job.request.directory, own: own)
  }

  /// Which occurrence of which automation the job is for. A first one has none before it.
  private static func variables(of occurrence: JobOccurrence) -> [(String, String)] {
    var own = [
      ("HOTGLUE_AUTOMATION", occurrence.name), ("HOTGLUE_OCCURRENCE", occurrence.at.rfc3339),
      ("HOTGLUE_OCCURRENCE_LOCAL", occurrence.local),
    ]
    if let previous = occurrence.previous {
      own.append(("HOTGLUE_PREVIOUS_OCCURRENCE", previous.rfc3339))
    }
    if occurrence.isCatchUp { own.append(("HOTGLUE_CATCH_UP", "1")) }
    return own
  }

  /// Of a stream's handler: what is one job's stands in the job's line.
  func variables(for stream: StreamKey, contextPath: String) -> [String] {
    variables(
      recorded: stream.environment, directory: stream.directory,
      own: [
        ("HOTGLUE_CONTEXT", contextPath),
        ("HOTGLUE_WORKSPACE", stream.workspace.text),
        ("HOTGLUE_TYPE", stream.type),
        ("HOTGLUE_REPORT_FD", "3"),
      ])
  }

  /// Of a `--verify` command: what the attempt that it is asked about was given, but for what speaks
  /// of it while it runs. With the key it can ask whoever the handler gave it to.
  func variables(verifying attempt: MindedAttempt) -> [String] {
    variables(
      recorded: attempt.environment, directory: attempt.directory,
      own: [
        ("HOTGLUE_WORKSPACE", attempt.reference.workspace.text),
        ("HOTGLUE_JOB", String(attempt.reference.job)),
        ("HOTGLUE_TYPE", attempt.type),
        ("HOTGLUE_ATTEMPT", String(attempt.number)),
        ("HOTGLUE_FENCE", String(attempt.reference.fence)),
        ("HOTGLUE_KEY", attempt.idempotencyKey),
      ])
  }

  /// `PWD` is the directory that the handler starts in: a shell's `$PWD` and make's `$(PWD)` would
  /// otherwise be the worker's.
  private func variables(
    recorded: [String], directory: String, own: [(String, String)]
  ) -> [String] {
    var values: [String: String] = [:]
    var order: [String] = []
    func set(_ name: String, _ value: String) {
      if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }
    for entry in inherited + recorded {
      let (name, value) = Self.split(entry)
      if !name.hasPrefix("HOTGLUE_"), name != "OLDPWD" { set(name, value) }
    }
    if values["PATH"] != nil || !InheritedBytes.has("PATH") {
      set("PATH", path(extending: values["PATH"]))
    }
    set("PWD", directory)
    for (name, value) in own { set(name, value) }
    return order.map { "\($0)=\(values[$0] ?? "")" }
  }

  private func path(extending path: String?) -> String {
    guard let path, !path.isEmpty else { return "/usr/local/bin:/usr/bin:/bin:" + binaryFolder }
    let folders = path.split(separator: ":")
    return folders.contains { $0 == binaryFolder } ? path : path + ":" + binaryFolder
  }

  static func split(_ entry: String) -> (name: String, value: String) {
    guard let equals = entry.firstIndex(of: "=") else { return (entry, "") }
    return (String(entry[..<equals]), String(entry[entry.index(after: equals)...]))
  }
}

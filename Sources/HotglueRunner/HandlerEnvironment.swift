import HotglueCore
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
    var values: [String: String] = [:]
    var order: [String] = []
    func set(_ name: String, _ value: String) {
      if values.updateValue(value, forKey: name) == nil { order.append(name) }
    }
    for entry in inherited + claimed.job.request.environment {
      let (name, value) = Self.split(entry)
      if !name.hasPrefix("HOTGLUE_") { set(name, value) }
    }
    let job = claimed.job
    set("PATH", path(extending: values["PATH"]))
    set("HOTGLUE_CONTEXT", contextPath)
    set("HOTGLUE_WORKSPACE", job.workspace.text)
    set("HOTGLUE_JOB", String(job.id))
    set("HOTGLUE_TYPE", job.request.type)
    set("HOTGLUE_ATTEMPT", String(job.attempt))
    set("HOTGLUE_MAX_ATTEMPTS", String(job.request.policy.maxAttempts))
    set("HOTGLUE_FENCE", String(job.fence))
    set("HOTGLUE_KEY", claimed.idempotencyKey)
    set("HOTGLUE_REPORT_FD", "3")
    if let timeout = job.request.policy.timeout {
      set("HOTGLUE_DEADLINE", startedAt.advanced(by: timeout).rfc3339)
    }
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

import HotglueCore

extension CommandEnvironment {
  /// What a handler says of its children's job in their environment holds them to it: a child that
  /// found the context of another one speaks for nobody.
  func requireSpeaker(of pin: ContextFile.Pin) throws(ContextError) {
    try pin.require(job: variables["HOTGLUE_JOB"], fence: variables["HOTGLUE_FENCE"])
  }
}

extension ResolvedContext {
  /// The same for a context that may be pinned, unless a flag leads to another store.
  func requireSpeaker(in environment: CommandEnvironment) throws(ContextError) {
    guard let pinned, origins.store != .flag else { return }
    try environment.requireSpeaker(of: pinned)
  }

  /// Refuses what a job is needed for in a stream's own context. A stream has one job after the other
  /// in hand, so that a process which starts late, or goes on behind an answer, would mean another job
  /// than it was started for.
  func requireJob(for command: CommandRecord, in environment: CommandEnvironment)
    throws(CommandError)
  {
    guard let type = streamType, origins.store != .flag else { return }
    var hint: Hint =
      "name the 'context' of the line that the job was given by, with --context or "
      + "HOTGLUE_CONTEXT"
    if let job = environment.variables["HOTGLUE_JOB"].flatMap({ JobID($0) }),
      let fence = environment.variables["HOTGLUE_FENCE"].flatMap({ Fence($0) }),
      let path = source.flatMap({
        AttemptPlace.contextPath(
          of: ContextFile.Pin(job: job, fence: fence), besideStream: $0.realPath)
      })
    {
      hint = "HOTGLUE_CONTEXT=\(Shell.quoted(path)) \(again: .withoutOption("--context"))"
    }
    throw CommandError(
      "no_job_in_context", .contextMismatch,
      "'\(command.name)' needs a job, and the context of a stream handler of type '\(type)' names none",
      hint: hint,
      facts: [JSON.Member("type", .string(type))])
  }
}

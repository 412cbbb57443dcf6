import ArgumentParser
import HotglueCore
import HotglueStore

/// How far a key reaches, for the verbs of a handler.
struct EffectScopeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      How far the key reaches: the job this runs in, or the workspace, for keys that outlive jobs. \
      Outside any job it must be given.
      """, valueName: "job|workspace"))
  var scope: EffectScopeWord?

  /// A link names key and scope at once; whoever carries an effect out begins none of another job.
  func name(_ key: String, in session: WorkspaceSession) throws -> EffectName {
    guard EntityLink.isMeant(by: key) else {
      return try session.effectName(key, scope, job: nil)
    }
    let name = try linked(key, in: session)
    if let job = name.job, job != session.pinnedAttempt?.job {
      throw CommandError.usage(
        "'\(key)' names an effect of job \(job), and this does not run in it",
        hint: "a job carries out its own effects; see 'hotglue effect show \(key)'")
    }
    return name
  }

  func linked(_ link: String, in session: WorkspaceSession) throws -> EffectName {
    guard scope == nil else {
      throw CommandError.usage(
        "a link names the effect's scope already", hint: "leave '--scope' out")
    }
    let name = try EntityLink(argument: link).effect()
    _ = try session.link(link)
    return name
  }
}

/// As `EffectScopeOptions`, for verbs that people also use from outside of the job.
struct EffectTargetOptions: ParsableArguments {
  @OptionGroup var reach: EffectScopeOptions

  @Option(help: ArgumentHelp("The job whose effect is meant, by ID or link.", valueName: "job"))
  var job: String?

  /// A link names key and scope at once.
  func name(_ key: String, in session: WorkspaceSession) throws -> EffectName {
    guard EntityLink.isMeant(by: key) else {
      return try session.effectName(key, reach.scope, job: job)
    }
    guard job == nil, reach.scope == nil else {
      throw CommandError.usage(
        "a link names the effect's scope already", hint: "leave '--job' and '--scope' out")
    }
    return try reach.linked(key, in: session)
  }
}

enum EffectScopeWord: String, ExpressibleByArgument, CaseIterable {
  case job
  case workspace
}

extension WorkspaceSession {
  /// The attempt that the context is pinned to, if that is one of the resolved workspace.
  var pinnedAttempt: AttemptReference? {
    guard let pin = context.pinned, context.origins.store != .flag,
      context.source?.file.workspace == workspace
    else { return nil }
    return AttemptReference(workspace: workspace, job: pin.job, fence: pin.fence)
  }

  /// Inside a job effects are its own affair: with another workspace named they are refused, and so
  /// they are in a stream's own context, which names no job.
  func refuseForeignEffects() throws(CommandError) {
    try context.requireJob(for: base.command, in: environment)
    guard let pin = context.pinned, pinnedAttempt == nil else { return }
    let home = context.source?.file.workspace?.text ?? "?"
    throw CommandError(
      "context_mismatch", .contextMismatch,
      "this runs in job \(pin.job) of workspace '\(home)', but the context is '\(workspace)' "
        + "(\(context.workspaceProvenance))",
      hint: "leave -w and --store out: a job's effects belong to its own workspace",
      facts: [
        JSON.Member("job", .integer(pin.job)), JSON.Member("workspace", .string(home)),
        JSON.Member("context_workspace", .string(workspace.text)),
      ])
  }

  func effectName(_ key: String, _ scope: EffectScopeWord?, job: String?) throws -> EffectName {
    let reach: EffectName.Scope
    if let job {
      guard scope != .workspace else {
        throw CommandError.usage(
          "'--job' and '--scope workspace' exclude each other", hint: "give one of them")
      }
      reach = .job(try jobID(job))
    } else if scope == .workspace {
      reach = .workspace
    } else if let attempt = pinnedAttempt {
      reach = .job(attempt.job)
    } else if scope == .job {
      throw CommandError.usage(
        "'--scope job' needs a job, and this runs in none",
        hint: "give '--scope workspace', or name the job where '--job' is taken")
    } else {
      throw CommandError.needsConfirmation(
        "outside a job an effect needs its scope",
        hint: "give '--scope workspace': the key then belongs to workspace '\(workspace)'")
    }
    guard let name = EffectName(workspace: workspace, scope: reach, key: key) else {
      throw CommandError.badInput(
        key.isEmpty
          ? "an effect's key is empty"
          : "an effect's key has \(key.utf8.count) bytes, and may have \(EffectName.longestKey)",
        hint: "a short name for the step, as 'charge'; the job is part of it by itself")
    }
    return name
  }
}

/// What is to be done about an effect that may have happened.
struct UnknownOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      When it may have happened: stop (refuse), carry it out again (rerun: the other side knows the \
      key), or ask a command by 'sh -c' (check=COMMAND; 0: it happened, 1: it did not).
      """, valueName: "policy"),
    transform: Arguments.value)
  var unknown = UnknownPolicy.refuse

  @Option(
    name: .customLong("remote-window"),
    help: ArgumentHelp(
      "How long the other side knows a key: past it, rerun becomes refuse.", valueName: "duration"),
    transform: Arguments.value)
  var remoteWindow: Span?

}

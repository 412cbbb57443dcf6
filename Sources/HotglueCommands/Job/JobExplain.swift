import ArgumentParser
import HotglueCore
import HotglueFiles
import HotglueProcess
import HotglueRunner
import HotglueStore

struct JobExplain: WorkspaceCommand {
  static let record = CommandRecord("job explain", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "say why a job does not run, why it was run again, and what happens next",
    discussion: """
      'why' is what holds the job back, or why it is in its state; 'retried' why each earlier attempt \
      was not the last; 'next' what comes, and when; 'change' a command that would change one of these.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The job's ID or link.", valueName: "job"))
  var job: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let id = try session.jobID(job)
    let circumstances = try session.circumstances(of: id)
    let explanation = JobExplanation(circumstances, at: session.now)
    let output = session.output
    if output.isJSON {
      output.object(json(explanation, circumstances, session.environment.given))
    } else if output.isQuiet {
      for reason in explanation.why { output.line(reason.code) }
    } else {
      output.breadcrumb(session.workspace.text, "jobs", String(id))
      output.fields(fields(explanation, circumstances, session))
    }
    return .done
  }

  private func fields(
    _ explanation: JobExplanation, _ job: JobCircumstances, _ session: WorkspaceSession
  ) -> [(name: String, cell: Cell)] {
    var fields: [(name: String, cell: Cell)] = [
      ("job", Cell("\(job.facts.id) in workspace '\(session.workspace)'"))
    ]
    if let state = job.facts.state { fields.append(("state", Cell(state))) }
    var commands: [String] = []
    for (name, statements) in explanation.parts {
      for statement in statements {
        fields.append((name, Cell(statement.text)))
        if let command = statement.command.map({ Hint($0).text(for: session.environment.given) }),
          !commands.contains(command)
        {
          commands.append(command)
        }
      }
    }
    return fields + commands.map { ("change", Cell($0)) }
  }

  private func json(
    _ explanation: JobExplanation, _ job: JobCircumstances, _ given: GivenArguments
  ) -> JSON {
    .object(
      [
        JSON.Member("job", .integer(job.facts.id)),
        JSON.Member("workspace", .string(job.workspace.text)),
        JSON.Member("link", .string(EntityLink.job(job.facts.id, in: job.workspace).text)),
        JSON.Member("state", .text(job.facts.state?.rawValue)),
      ]
        + explanation.parts.map { name, statements in
          JSON.Member(
            name,
            .array(
              statements.map { statement in
                .object([
                  JSON.Member("code", .string(statement.code)),
                  JSON.Member("message", .string(statement.text)),
                  JSON.Member("at", .text(statement.at?.rfc3339)),
                  JSON.Member(
                    "command", .text(statement.command.map { Hint($0).text(for: given) })),
                ])
              }))
        })
  }
}

extension JobExplanation {
  fileprivate var parts: [(String, [Statement])] {
    [("why", why), ("retried", retried), ("next", next)]
  }
}

extension WorkspaceSession {
  /// What the store knows, and what can be seen of the workers on this machine.
  fileprivate func circumstances(of id: JobID) throws -> JobCircumstances {
    var circumstances = try store.circumstances(of: id, in: workspace, at: now)
    switch circumstances.facts.state {
    case .pending:
      circumstances.liveWorkers = try store.registeredWorkers().filter(isAlive).count
    case .running:
      if let attempt = try store.runningAttempt(of: id, in: workspace) {
        let info = try store.info()
        let evidence = try AttemptObserver(folder: info.folder, storePath: info.path)
          .evidence(of: attempt)
        circumstances.live?.evidence = evidence
      }
    default: break
    }
    return circumstances
  }

  /// A worker holds its lock as long as it lives, also when it is seen from another namespace.
  private func isAlive(_ worker: WorkerIdentity) -> Bool {
    switch LockFile.state(of: store.folder + "/" + worker.lockPath) {
    case .free, .missing: false
    case .held, .unknown: true
    }
  }
}

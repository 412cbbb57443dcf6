import HotglueCore
import HotglueStore

extension WorkspaceSession {
  /// Does `body` to each job that `arguments` name, once and on its own: one that is refused is told
  /// on standard error and does not keep the others from being done. The highest status wins. An
  /// argument that is no ID at all is refused before anything is done.
  func forEachJob(
    _ arguments: [String], _ body: (JobID) throws -> ExitStatus
  ) throws -> ExitStatus {
    for argument in arguments {
      do {
        _ = try jobNumber(argument)
      } catch let error as CommandError where error.exit == .usage {
        throw error
      } catch {}
    }
    guard arguments.count > 1 else { return try body(jobNumber(arguments[0])) }
    var worst = ExitStatus.done
    var seen: Set<String> = []
    for argument in arguments where seen.insert(argument).inserted {
      let status: ExitStatus
      do {
        status = try body(jobNumber(argument))
      } catch {
        status = tell(error)
      }
      if status.rawValue > worst.rawValue { worst = status }
    }
    return worst
  }

  /// Writes a refusal as the whole command would end with it, and returns its status.
  private func tell(_ error: any Error) -> ExitStatus {
    let words =
      (error as? StoreError).map { CommandError($0, in: self) } ?? CommandError(from: error)
    // Results and refusals appear in the order in which they came to be. A result that is lost keeps no
    // other job from being done, and is told at the end.
    try? environment.output.flush()
    environment.errorOutput.append(words.lines(json: options.json, in: environment))
    try? environment.errorOutput.flush()
    return words.exit
  }

  /// A job's new state, in the form that was asked for, with its workspace named.
  func tellChange(of job: Job, _ sentence: String) {
    if output.isJSON {
      output.jsonLine(JobJSON.object(job, at: now))
    } else if output.isQuiet {
      output.rawLine(String(job.id))
    } else {
      output.line(sentence)
    }
  }
}

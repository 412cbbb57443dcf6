import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct DoctorCommand: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "check everything that must be true, and say what mends it",
    discussion: """
      Compares the store with itself and with the machine: rows, files and their owners, the writer
      gate, workers, running attempts and what outlives them. Nothing is written and nothing is
      waited for that a stopped process could hold, so it may be run at any time.

      Each finding says what it means and which command mends it, and any finding makes the exit
      status 1. A note is something to know; notes leave the status 0. -q prints the codes of the
      findings. They are listed in hotglue-crash(7).
      """)
  static let record = CommandRecord(
    "doctor", .readsStore, requires: .none)

  @OptionGroup var global: GlobalOptions

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let loader = ContextLoader(environment)
    var report = DoctorReport(store: nil)
    do {
      let context = try loader.resolve(global)
      report = try examine(context, environment)
    } catch {
      // A context that is there and cannot be used is what the doctor is asked about.
      guard let finding = Finding(ofContext: CommandError(from: error), given: environment.given)
      else { throw error }
      report.add([finding])
    }
    report.show(on: Output(environment, global))
    return report.findings.isEmpty ? .done : .unsuccessful
  }

  private func examine(
    _ context: ResolvedContext, _ environment: CommandEnvironment
  ) throws -> DoctorReport {
    let found = environment.stores.examine(context.store)
    var report = DoctorReport(store: found.path)
    report.add(found.problems.map { Finding(ofStore: $0, given: environment.given) })
    guard let store = found.store else {
      report.add(whatLives(of: found, environment.given))
      return report
    }
    do {
      let audit = try store.audit()
      report.info = audit.info
      let hotglue = Self.hotglue(environment.given)
      report.add(try missingWorkspace(context, audit, hotglue))
      if let expected = context.storeID, expected != audit.info.storeID {
        report.add([
          Finding(
            ofStore: .otherStore(
              path: found.path, expected: expected, found: audit.info.storeID),
            given: environment.given)
        ])
      }
      report.diagnosis = try Doctor(
        store: store, audit: audit, hotglue: hotglue, contextFile: context.source?.realPath,
        now: environment.now()
      ).diagnose()
      report.add(report.diagnosis.findings)
    } catch let error as CommandError {
      throw error
    } catch {
      report.add([Finding(ofFailure: error, path: found.path, given: environment.given)])
    }
    return report
  }

  /// One that the command line names is the caller's mistake; one that the context names is found.
  private func missingWorkspace(
    _ context: ResolvedContext, _ audit: StoreAudit, _ hotglue: String
  ) throws -> [Finding] {
    guard let workspace = context.workspace, !audit.workspaces.contains(workspace) else {
      return []
    }
    let near = NearMatch.among(audit.workspaces.map(\.text), to: workspace.text)
    let refusal = CommandError(.unknownWorkspace(workspace, near: near))
    if context.origins.workspace == .flag { throw refusal }
    return [
      Finding(
        .contextUnusable, "the context is '\(workspace)', which the store does not have",
        workspace: workspace, path: context.source?.realPath,
        remedy: "\(hotglue) workspace switch WORKSPACE")
    ]
  }

  /// Attempts and workers go on when their store is gone, and nothing of them is recorded.
  private func whatLives(of found: StoreExamination, _ given: GivenArguments) -> [Finding] {
    guard found.problems.contains(.missing(path: found.path)) else { return [] }
    do throws(RunnerError) {
      return try LivingProcesses.of(folder: found.path + ".d").map { process in
        Finding(
          .attemptUnknown, "\(process.words) lives, and its store is gone",
          job: process.attempt?.job, pid: process.pid,
          remedy: process.pid.map {
            "kill -\(process.role == .supervisor ? "KILL" : "TERM") \($0)"
          })
      }
    } catch {
      return [Finding(ofFailure: error, path: found.path, given: given)]
    }
  }

  /// The command with the flags that make another one mean the same store.
  private static func hotglue(_ given: GivenArguments) -> String {
    (["hotglue"] + given.flags(for: record).map { Shell.exact($0) }).joined(separator: " ")
  }
}

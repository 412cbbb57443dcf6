import ArgumentParser
import HotglueCore
import HotglueRunner
import HotglueStore

struct StoreRestore: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "put the context's store back to what a backup holds",
    discussion: """
      The restored store is a new incarnation: IDs and fences jump ahead, and attempts that were
      running when the backup was taken become unknown. Jobs of the backup keep their idempotency
      keys. What the store holds is replaced by what the backup holds, in one step; workers continue.

      A job that was pending in the backup and is not safe to run twice may have run since: it becomes
      uncertain (reason 'restored'), unless --assume-not-run is given. The question and --dry-run say
      how many there are.

      While an attempt runs, this is refused, since the restored store would run it once more. That is
      also so where the store is lost and no row tells: what still lives below STORE.d is looked for by
      its locks and marks, and named. A store that is damaged must be moved away first, with its -wal
      and -shm; STORE.d stays.
      """)
  static let record = CommandRecord(
    "store restore", .changesStore, requires: .everywhere(.owner))

  @OptionGroup var global: GlobalOptions

  @Flag(name: .customLong("dry-run"), help: "Print what would be replaced, and do nothing.")
  var dryRun = false

  @Flag(
    name: .customLong("assume-not-run"),
    help: "Run jobs that were pending in the backup, also those that are not safe to run twice.")
  var assumeNotRun = false

  @Argument(help: "The backup.", completion: .file())
  var file: String

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let loader = ContextLoader(environment)
    let context = try loader.resolve(global)
    let backup = try loader.absolute(file)
    let output = Output(environment, global)
    let held = try holdings(context, environment)
    let mayHaveRun: Int
    do {
      mayHaveRun = try environment.stores.backupContents(backup).mayHaveRun
    } catch {
      throw Self.refusal(error, of: backup)
    }
    let pending = mayHaveRun == 0 ? "" : "; \(doubt(mayHaveRun))"
    if dryRun {
      output.line(
        "would restore '\(context.store)' from '\(backup)'"
          + (held.map { "; it holds \($0)" } ?? "; there is no store yet") + pending)
      return .done
    }
    if let held {
      try output.confirm(
        "replace '\(context.store)', which holds \(held), by '\(backup)'"
          + (mayHaveRun == 0 ? "?" : " (\(doubt(mayHaveRun)))?"))
    }
    let actor = Actor(for: Self.record, context, in: environment)
    do {
      try environment.stores.restore(
        backup, context.store, assumeNotRun, actor, environment.now(), Self.alive)
    } catch {
      throw Self.refusal(error, of: backup)
    }
    let info = try environment.stores.open(context.store, context.storeID).info()
    output.result(json: info.json, id: info.storeID) {
      "restored '\(context.store)' from '\(backup)': incarnation \(info.incarnation)\(pending)"
    }
    return .done
  }

  /// What becomes of jobs that were pending in the backup and may have run since.
  private func doubt(_ count: Int) -> String {
    let jobs = count == 1 ? "1 unsafe job was" : "\(count) unsafe jobs were"
    let one = count == 1
    return "\(jobs) pending in the backup and may have run since: "
      + (assumeNotRun
        ? "\(one ? "it runs" : "they run") again (--assume-not-run)"
        : "\(one ? "it becomes" : "they become") uncertain")
  }

  private static func alive(below folder: String) throws(StoreError) -> [LivingProcess] {
    do throws(RunnerError) {
      return try LivingProcesses.of(folder: folder)
    } catch {
      throw StoreError.unexpected(String(describing: error))
    }
  }

  /// What is said of a store at a path means the backup here, which nobody else will repair.
  private static func refusal(_ error: StoreError, of backup: String) -> CommandError {
    if error == .missing(path: backup) {
      return CommandError(
        "no_such_file", .notFound, "no backup '\(backup)'",
        hint: "'hotglue store backup FILE' makes one",
        facts: [JSON.Member("path", .string(backup))])
    }
    if error == .notAStore(path: backup) {
      return CommandError(.noBackup(path: backup, reason: "it is not a hotglue store"))
    }
    if case .corrupt(let path, let detail) = error, path == backup {
      return CommandError(.noBackup(path: backup, reason: "it is damaged: \(detail)"))
    }
    return CommandError(error)
  }

  /// What the store in the place holds; `nil` when there is none.
  private func holdings(
    _ context: ResolvedContext, _ environment: CommandEnvironment
  ) throws -> String? {
    do {
      let store = try environment.stores.open(context.store, context.storeID)
      try StoreSession.requireRoleEverywhere(for: Self.record, in: store, environment.user.name())
      let info = try store.info()
      return WorkspaceContents(jobsByState: info.jobsByState).summary
    } catch StoreError.missing {
      return nil
    }
  }
}

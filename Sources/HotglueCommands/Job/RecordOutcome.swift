import ArgumentParser
import HotglueCore
import HotglueRunner

/// Called by a supervisor whose worker is gone: records the outcome in its slot.
///
/// Exit 0 means recorded, or not this attempt's business any more; the supervisor then removes its
/// files. Any other status leaves them for the next worker or `job reclaim`.
struct RecordOutcome: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "__record", abstract: "record what an attempt without a worker came to",
    shouldDisplay: false)
  static let record = CommandRecord(
    "__record", .none, requires: .none)

  @OptionGroup var global: GlobalOptions
  @Argument var storePath: String
  @Argument var slot: String

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let store = try environment.stores.open(storePath, nil)
    let place = try WorkerHost.place(of: store, in: environment)
    return try Recorder(store: store, place: place).record(slot: slot) ? .done : .unsuccessful
  }
}

import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueStore

/// Measures the store alone: claims and completes queued jobs, without a process for each.
///
/// Used by `Scripts/bench`, which runs it beside a C program that does the same on a table of its
/// own. Prints jobs a second, alone.
struct BenchClaim: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "__bench-claim", abstract: "claim and complete queued jobs, and print the rate",
    shouldDisplay: false)
  static let record = CommandRecord(
    "__bench-claim", .none, requires: .none)

  enum Commits: String, ExpressibleByArgument {
    /// A commit for the claim and one for the completion.
    case separate
    /// The completion and the next claim in one commit.
    case fused
  }

  @OptionGroup var global: GlobalOptions
  @Argument var storePath: String
  @Argument var count: Int
  @Argument var commits: Commits

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let store = try environment.stores.open(storePath, nil)
    let me = try ProcessIdentity.current()
    let identity = WorkerIdentity(
      name: "bench:\(me.pid)", bootID: me.bootID, pidNamespace: String(me.pidNamespace),
      pid: me.pid, processStartTime: me.startTime, lockPath: "workers/bench")
    let actor = Actor(
      user: environment.user.name(), command: Self.record.name, workspaceOrigin: "flag")
    let worker = try store.register(identity, by: actor, at: environment.now())
    let workspaces = try store.workspaces().map(\.id)
    let began = BootClock.now()
    var ended: [Settlement] = []
    var done = 0
    while done < count {
      let claim = ClaimRequest(
        worker: worker, workspaces: workspaces, slots: ["bench"],
        bootNow: BootTime(bootID: me.bootID, milliseconds: BootClock.now()))
      if commits == .separate {
        _ = try store.settle(ended, thenClaim: nil, at: environment.now())
        ended = []
      }
      let claimed = try store.settle(ended, thenClaim: claim, at: environment.now()).claimed
      ended = claimed.map { settlement(of: $0, by: identity.name, at: environment.now()) }
      if claimed.isEmpty { break }
      done += claimed.count
    }
    _ = try store.settle(ended, thenClaim: nil, at: environment.now())
    try store.retire(worker)
    let spent = max(1, BootClock.now() - began)
    environment.output.append("\(Int64(done) * 1000 / spent)\n")
    return .done
  }

  private func settlement(of claimed: ClaimedJob, by who: String, at now: Timestamp) -> Settlement {
    let end = AttemptEnd(how: .exited(0))
    return Settlement(
      attempt: claimed.reference, end: end, verdict: end.verdict(by: .none),
      usage: AttemptUsage(
        exitStatus: 0, userMilliseconds: 1, systemMilliseconds: 1, peakMemoryBytes: 1 << 20),
      endedAt: now, by: who)
  }
}

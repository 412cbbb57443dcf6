import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore

/// What a cancel asks of the attempt itself, whether or not a worker lives.
enum CancelOrder {
  /// How long a supervisor may take to answer; it needs a millisecond unless it is frozen.
  private static let patienceMs: Int64 = 500

  /// A job whose attempt nobody minds is first resolved as `job reclaim` would do it: what has ended
  /// by itself is not called cancelled.
  static func resolveIfUnminded(_ job: JobID, _ session: WorkspaceSession) throws {
    guard try session.store.runningAttempt(of: job, in: session.workspace) != nil else { return }
    let place = try WorkerHost.place(of: session.store, in: session.environment)
    // An attempt of which nothing can be found out is asked to stop all the same.
    _ = try Reclaim(
      store: session.store, place: place, user: session.actor.user, actor: session.actor
    )
    .run(in: [session.workspace], only: job, dryRun: false, stops: false)
  }

  /// Tells the attempt's supervisor to stop it; false when nobody answered. The request is in the
  /// store already, so whoever minds the attempt next sees it too.
  static func send(to attempt: RunningAttempt, _ session: WorkspaceSession) throws -> Bool {
    let folder = try session.store.info().folder
    do throws(ProcessError) {
      guard
        let link = try SupervisorLink.connect(
          storeFolder: folder, slot: attempt.slot, timeoutMs: patienceMs)
      else { return false }
      let answer = try link.request(
        .stop(
          job: attempt.reference.job, fence: attempt.reference.fence, watch: nil, reason: .cancel,
          who: session.actor.user), timeoutMs: patienceMs)
      switch answer {
      case .status(.running)?, .status(.ended)?: return true
      case .status(.other)?, .status(.waiting)?, .refused?, nil: return false
      }
    } catch {
      return false
    }
  }
}

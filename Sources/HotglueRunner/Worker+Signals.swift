import HotglueCore
import HotglueProcess
import HotglueStore

/// What a worker does when it is told to go.
extension Worker {
  func takeSignals() {
    for signal in wakeups.receivedSignals() {
      if summary.signal == nil {
        summary.signal = signal
        if options.cancelsOnSignal, let job = options.only {
          order(cancelOf: job)
          continue
        }
        beginFinishing(options.grace)
      } else {
        leaveAtOnce()
      }
    }
  }

  /// No attempt is waited for. Whose end would kill the supervisors stops what is left first.
  func leaveAtOnce() {
    guard options.endsAll else {
      phase = .leaving
      return
    }
    if phase != .stopping { beginStopping() }
  }

  private func beginFinishing(_ grace: Span) {
    phase = .finishing(until: place.bootNow().advanced(by: grace))
    observe(.finishing)
  }

  /// How long a store that is full or busy is asked to take a cancel before its job is left alone.
  private static let cancelPatience = Span.seconds(2)

  /// Cancels the one job this worker is for. A store that does not take it now is asked again for a
  /// moment, and meanwhile nothing is claimed: whoever sent the signal is not kept waiting.
  private func order(cancelOf job: JobID) {
    do throws(StoreError) {
      if try !cancel(job) { beginFinishing(options.grace) }
    } catch {
      tellOnce(error)
      owesCancel = error.passes
      beginFinishing(error.passes ? Self.cancelPatience : options.grace)
    }
  }

  /// Asks the store again for a cancel that it has not taken.
  func payCancel() throws(RunnerError) {
    guard owesCancel, let job = options.only else { return }
    var isTaken = false
    do throws(StoreError) {
      isTaken = try cancel(job)
    } catch {
      guard !error.passes else { throw .store(error) }
      // It has ended meanwhile, say.
      tellOnce(error)
    }
    owesCancel = false
    // Its end is waited for, as if the store had taken it at once.
    if isTaken, case .finishing = phase { phase = .working }
  }

  /// False when the job is not there to be cancelled.
  private func cancel(_ job: JobID) throws(StoreError) -> Bool {
    guard let workspace = try store.owner(ofJob: job) else { return false }
    _ = try store.cancel(job, in: workspace, by: actor, at: place.now())
    lookAroundAt = place.bootNow()
    return true
  }
}

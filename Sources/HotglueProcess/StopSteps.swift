import HotglueCore

/// A stop sequence on its way down: which step is next, and when.
struct StopSteps {
  private var rest: ArraySlice<StopSequence.Step>
  private var next: Int64

  /// The first step is due at `now`, in milliseconds of the boot clock.
  init(_ stopSequence: StopSequence, _ now: Int64) {
    rest = stopSequence.steps[...]
    next = now
  }

  /// Hands the signal of a step that is due to `send`.
  mutating func take(_ now: Int64, _ send: (Int32) -> Void) {
    guard now >= next, let step = rest.popFirst() else { return }
    send(step.signal.number)
    next = now + step.wait.milliseconds
  }
}

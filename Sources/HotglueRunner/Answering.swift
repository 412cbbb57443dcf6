import HotglueStore

extension RunningAttempt {
  /// Its supervisor answers again: what it left unanswered before does not count when it is silent another
  /// time. That somebody else minds the attempt by now is no error.
  func noteAnswer(in store: any Store) throws(RunnerError) {
    do throws(StoreError) {
      _ = try store.noteUnanswered(reference, watch: watch, at: nil)
    } catch .stale {
      return
    } catch {
      throw .store(error)
    }
  }
}

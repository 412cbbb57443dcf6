import Dispatch
import Synchronization

/// Runs the same work on several threads at once.
public enum ParallelThreads {
  /// What each run returned, in the order of the indices it was given.
  public static func run<Output: Sendable>(
    _ count: Int, _ work: @escaping @Sendable (Int) -> Output
  ) -> [Output] {
    let results = Mutex<[Int: Output]>([:])
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let output = work(index)
      results.withLock { $0[index] = output }
    }
    return results.withLock { found in (0..<count).compactMap { found[$0] } }
  }
}

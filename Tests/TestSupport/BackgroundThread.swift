import Dispatch

/// Runs what blocks on a thread of its own.
///
/// The tests share as many threads as the machine has cores: one that blocks there, for something that
/// another test or its own next line is to do, can keep all of them from ever going on.
public enum BackgroundThread {
  /// Starts the work at once; the task's value is what it returned.
  public static func start<Output: Sendable>(
    _ work: @escaping @Sendable () -> Output
  ) -> Task<Output?, Never> {
    let (results, continuation) = AsyncStream.makeStream(of: Output.self)
    DispatchQueue(label: "background").async {
      continuation.yield(work())
      continuation.finish()
    }
    return Task { await results.first { _ in true } }
  }
}

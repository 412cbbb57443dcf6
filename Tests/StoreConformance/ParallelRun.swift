import Dispatch
import Synchronization

/// Runs the same work on several threads at once and collects what each returns.
enum ParallelRun {
  static func collect<Input: Sendable, Output: Sendable>(
    _ inputs: [Input], _ work: @escaping @Sendable (Input) throws -> Output
  ) throws -> [Output] {
    let results = Mutex<[Int: Result<Output, any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: inputs.count) { index in
      let result = Result { try work(inputs[index]) }
      results.withLock { $0[index] = result }
    }
    return try inputs.indices.map { index in
      try requireValue(results.withLock { $0[index] }, "result \(index)").get()
    }
  }
}

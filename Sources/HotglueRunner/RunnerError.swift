public import HotglueCore
public import HotglueProcess
public import HotglueStore

/// What stops a worker, a reclaim or a recorder.
public enum RunnerError: Error {
  case store(StoreError)
  case process(ProcessError)
  /// Less is free on the store's file system than the floor: nothing is claimed.
  case tooLittleSpace(free: Int64, floor: Int64)
  /// A stream's handler ends again and again without having taken a job; the next one is started
  /// after the pause.
  case handlerTakesNothing(type: String, WorkspaceID, end: String, pause: Span)
  /// Processes of an attempt live that this user's stop sequence could not end: its job waits.
  case held(JobID, WorkspaceID, [LeftoverProcess])
  /// What failed about one attempt; others do not suffer from it.
  case attempt(JobID, WorkspaceID, ProcessError)
  /// The system refused something a worker cannot do without.
  case system(String)
}

func storeStep<Value>(_ step: () throws(StoreError) -> Value) throws(RunnerError) -> Value {
  do { return try step() } catch { throw .store(error) }
}

func processStep<Value>(_ step: () throws(ProcessError) -> Value) throws(RunnerError) -> Value {
  do { return try step() } catch { throw .process(error) }
}

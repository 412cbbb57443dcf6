import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore

/// What a worker needs: its store, its place, and a fork server for its supervisors.
struct WorkerHost {
  let session: StoreSession
  let place: WorkerPlace
  let forkServer: ForkServer
  private let signals: LeavingSignals
  private let makeForkServer: () throws(ProcessError) -> ForkServer

  /// The fork server is forked before the store is opened for work, while the heap is small and no
  /// connection is inherited. The store is opened once before, so that nothing is made beside a file
  /// that is not to be trusted.
  static func open(
    for command: CommandRecord, _ options: GlobalOptions, in environment: CommandEnvironment
  ) throws -> WorkerHost {
    let signals = try LeavingSignals()
    let context = try ContextLoader(environment).resolve(options)
    let info = try environment.stores.open(context.store, context.storeID).info()
    let makeForkServer = { () throws(ProcessError) in
      try ForkServer.start(
        storeFolder: info.folder, storeID: info.storeID, shared: info.group != nil,
        recorder: ["/proc/self/exe", RecordOutcome.record.name, info.path])
    }
    let forkServer = try makeForkServer()
    let session = try StoreSession.open(for: command, options, in: environment)
    return WorkerHost(
      session: session, place: try place(of: session.store, in: environment),
      forkServer: forkServer, signals: signals, makeForkServer: makeForkServer)
  }

  func worker(
    _ options: WorkerOptions, observe: @escaping (WorkerEvent) -> Void
  ) throws(RunnerError) -> Worker {
    var options = options
    options.endsAll = session.environment.endsAll
    return try Worker(
      store: session.store, place: place, forkServer: forkServer, makeForkServer: makeForkServer,
      signals: signals, options: options, actor: session.actor, observe: observe)
  }

  static func place(of store: any Store, in environment: CommandEnvironment) throws -> WorkerPlace {
    let info = try store.info()
    var place = try WorkerPlace(
      storePath: info.path, folder: info.folder, storeID: info.storeID,
      isShared: info.group != nil, hostName: hostName(),
      environment: environment.variables.filter { !ServiceNotice.variables.contains($0.key) }
        .map { "\($0.key)=\($0.value)" },
      binary: SeenExecutable.own?.path ?? "/usr/local/bin/hotglue")
    place.zones = AutomationZones.lookup(in: environment)
    return place
  }

  private static func hostName() -> String {
    var facts = utsname()
    guard uname(&facts) == 0 else { return "localhost" }
    return withUnsafeBytes(of: facts.nodename) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}

extension CommandError {
  /// What the runner could not do, in the words of the floor that failed.
  init(_ error: RunnerError) {
    switch error {
    case .store(let error): self.init(from: error)
    case .process(.forkServerFrozen(let pid)):
      self.init(
        "fork_server_frozen", .tryLater,
        "the process that makes supervisors (\(pid)) was stopped: it is killed, and another one "
          + "takes its place; what runs goes on",
        facts: [JSON.Member("pid", .integer(Int64(pid)))])
    case .process(.system(_, let path?, let number)) where [EACCES, EPERM].contains(number):
      self.init(
        StoreError.notPermitted(
          path: path, reason: String(cString: strerror(number)), remedy: nil))
    case .process(let error):
      self.init(
        "process", .inputOutput, "cannot run attempts: \(error.reason)",
        hint: Self.remedy(for: error))
    case .tooLittleSpace(let free, let floor):
      self.init(
        "too_little_space", .tryLater,
        "only \(free) bytes are free for the store, and the floor is \(floor): nothing is claimed",
        hint: "free some space; 'hotglue job work --free-space-floor BYTES' works below it")
    case .handlerTakesNothing(let type, let workspace, let end, let pause):
      self.init(
        "handler_takes_nothing", .unsuccessful,
        "the handler of type '\(type)' in workspace '\(workspace)' \(end) without taking a job; "
          + "the next one is started in \(pause.text)",
        hint: "run it by hand: it reads jobs from its standard input and answers on descriptor 3 "
          + "('man 7 hotglue-handlers')",
        facts: [
          JSON.Member("type", .string(type)), JSON.Member("workspace", .string(workspace.text)),
        ])
    case .held(let job, let workspace, let processes):
      let named = LeftoverProcess.text(processes)
      self.init(
        "attempt_held", .tryLater,
        "job \(job) in workspace '\(workspace)' waits for processes of its attempt that could not be "
          + "stopped: \(named)",
        hint: "sudo kill -KILL \(processes.map { String($0.pid) }.joined(separator: " "))",
        facts: [
          JSON.Member("job", .integer(job)), JSON.Member("workspace", .string(workspace.text)),
          JSON.Member("pids", .array(processes.map { .integer(Int64($0.pid)) })),
        ])
    case .attempt(let job, let workspace, let error):
      self.init(
        "attempt_trouble", .inputOutput,
        "cannot find out about the attempt of job \(job) in workspace '\(workspace)': "
          + error.reason, hint: Self.remedy(for: error) ?? "hotglue doctor",
        facts: [
          JSON.Member("job", .integer(job)), JSON.Member("workspace", .string(workspace.text)),
        ])
    case .system(let reason): self.init("system", .inputOutput, reason)
    }
  }

  private static func remedy(for error: ProcessError) -> Hint? {
    guard case .otherVersion = error else { return nil }
    return "run 'hotglue job work' of the version that started it, or wait: its supervisor records "
      + "its end"
  }
}

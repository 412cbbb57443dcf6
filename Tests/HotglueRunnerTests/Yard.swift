import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore
import HotglueStoreSQLite
import TestSupport
import Testing

/// Workers with real supervisors and a real store: one suite, one after the other.
@Suite(.serialized) enum Running {}

/// A store of its own, and what it takes to work in it.
final class Yard {
  let folder: TemporaryFolder
  let store: SQLiteStore
  let place: WorkerPlace
  let main: WorkspaceID
  static let actor = Actor(user: "alice", command: "test", workspaceOrigin: "flag")

  init(environment: [String] = ["PATH=/usr/bin:/bin", "HOTGLUE_JOB=77", "KEPT=yes"]) throws {
    folder = try TemporaryFolder()
    let now = Timestamp(milliseconds: WallClock.now())
    store = try SQLiteStore.create(at: folder.file("store.db"), now: now)
    main = try #require(WorkspaceID("main"))
    _ = try store.createWorkspace(main, name: "Main", by: Self.actor, at: now)
    let info = try store.info()
    place = try WorkerPlace(
      storePath: info.path, folder: info.folder, storeID: info.storeID, isShared: false,
      hostName: "yard", environment: environment,
      binary: "/opt/hotglue/bin/hotglue")
  }

  func now() -> Timestamp { place.now() }

  /// A recorder that fails leaves an outcome for whoever comes next.
  func forkServer() throws(ProcessError) -> ForkServer {
    try ForkServer.start(
      storeFolder: place.folder, storeID: place.storeID, shared: false, recorder: ["/bin/false"])
  }

  @discardableResult
  func enqueue(_ script: String, _ change: (inout EnqueueRequest) -> Void = { _ in }) throws
    -> JobID
  {
    var request = EnqueueRequest(command: ["sh", "-c", script], directory: folder.path)
    change(&request)
    let made = try store.enqueue([request], in: main, by: Self.actor, at: now())
    return try #require(made.first).id
  }

  func worker(
    observing observe: @escaping (WorkerEvent) -> Void = { _ in },
    _ change: (inout WorkerOptions) -> Void = { _ in }
  ) throws -> Worker {
    var options = WorkerOptions(scope: .workspaces([main]))
    options.drain = true
    change(&options)
    return try Worker(
      store: store, place: place, forkServer: try forkServer(),
      makeForkServer: { () throws(ProcessError) in try self.forkServer() },
      signals: try LeavingSignals(), options: options,
      actor: Self.actor, observe: observe)
  }

  @discardableResult
  func drain(_ change: (inout WorkerOptions) -> Void = { _ in }) throws -> WorkerSummary {
    try worker(change).run()
  }

  func job(_ id: JobID) throws -> Job { try store.job(id, in: main) }

  func log(_ id: JobID) throws -> String {
    let attempt = try #require(try store.attempts(of: id, in: main).last)
    let path = try #require(attempt.usage.log)
    return try text(place.folder + "/" + path)
  }

  func text(_ path: String) throws -> String {
    let file = try #require(fopen(path, "re"), "\(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while true {
      let byte = fgetc(file)
      if byte == EOF { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(UInt8(byte))
    }
  }

  /// A claim whose worker is gone: what a crash leaves right after the commit. The lock file of that
  /// worker does not exist, so everybody can see that it is dead.
  func abandonedClaim(slot: String) throws -> ClaimedJob {
    let identity = WorkerIdentity(
      name: "dead:1", bootID: place.bootID, pidNamespace: String(place.pidNamespace), pid: 1,
      processStartTime: 1, lockPath: "workers/gone.lock", storeFile: place.storeFile)
    let worker = try store.register(identity, by: Self.actor, at: now())
    let claim = ClaimRequest(
      worker: worker, workspaces: [main], slots: [slot], bootNow: place.bootNow())
    let claimed = try store.settle([], thenClaim: claim, at: now()).claimed
    return try #require(claimed.first)
  }

  func order(_ claimed: ClaimedJob) -> AttemptOrder {
    AttemptOrder(
      job: claimed.job.id, fence: claimed.job.fence, watch: 1, attempt: 1,
      arguments: claimed.job.request.command, environment: ["PATH=/usr/bin:/bin"],
      directory: folder.path,
      stopSequence: [
        StopSequence.Step(signal: Signal(number: SIGKILL), wait: Span(milliseconds: 0))
      ],
      logPath: "logs/0/\(claimed.job.id)-\(claimed.job.fence).log")
  }

  func reclaim(dryRun: Bool = false, stops: Bool = false) throws -> [Reclaim.Line] {
    try Reclaim(store: store, place: place, user: "alice")
      .run(in: [main], dryRun: dryRun, stops: stops).lines
  }

  /// Waits for what another process is about to do.
  func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let end = BootClock.now() + 60_000
    while BootClock.now() < end {
      if try condition() { return }
      usleep(10_000)
    }
    try #require(try condition(), "\(what)")
  }
}

extension Yard {
  /// The same store in another folder, as `cp -r` makes it while jobs run.
  func copied() throws -> Copy {
    let target = try TemporaryFolder()
    let path = target.file("store.db")
    try store.backup(to: path)
    try run("/bin/cp", ["-r", place.folder, path + ".d"])
    return try Copy(folder: target, path: path, main: main)
  }

  private func run(_ path: String, _ arguments: [String]) throws {
    var pid: pid_t = 0
    let words = ([path] + arguments).map { strdup($0) }
    defer { for word in words { free(word) } }
    #expect(posix_spawn(&pid, path, nil, nil, words + [nil], environ) == 0)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    #expect(status == 0)
  }

  struct Copy {
    let folder: TemporaryFolder
    let store: SQLiteStore
    let place: WorkerPlace
    let main: WorkspaceID

    init(folder: TemporaryFolder, path: String, main: WorkspaceID) throws {
      self.folder = folder
      self.main = main
      store = try SQLiteStore.adopt(at: path).0
      let info = try store.info()
      place = try WorkerPlace(
        storePath: info.path, folder: info.folder, storeID: info.storeID, isShared: false,
        hostName: "copy", environment: [], binary: "/opt/hotglue/bin/hotglue")
    }

    func reclaim() throws -> [Reclaim.Line] {
      try Reclaim(store: store, place: place, user: "alice")
        .run(in: [main], dryRun: false, stops: false).lines
    }
  }
}

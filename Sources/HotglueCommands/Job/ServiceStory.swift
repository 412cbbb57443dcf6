import HotglueCore
import HotglueProcess
import HotglueRunner

/// A worker's story as a service manager hears it: ready, well, what it does, about to go.
final class ServiceStory {
  private let notice: ServiceNotice
  private var running: Set<JobID> = []
  private var ended = 0
  private var isChanged = true
  private var saidAtMs: Int64 = 0
  private var wellAtMs: Int64 = 0

  /// The status is said once a second at most, however fast jobs come and go.
  private static let statusMs: Int64 = 1000

  /// `nil` where no manager listens.
  init?(variables: [String: String]) {
    guard let notice = ServiceNotice(variables: variables) else { return nil }
    self.notice = notice
  }

  func tell(_ event: WorkerEvent) {
    switch event {
    case .ready: notice.send(["READY=1", status])
    case .finishing: notice.send(["STOPPING=1", status])
    case .claimed(let job, _, _), .adopted(let job, _):
      running.insert(job)
      isChanged = true
    case .ended(let job, _, _, _), .rescued(let job, _, _, _):
      running.remove(job)
      ended += 1
      isChanged = true
    case .superseded(let job, _):
      running.remove(job)
      isChanged = true
    case .progress, .ticked, .left, .problem: break
    }
  }

  /// Says what is due; returns how soon it wants to be asked again. Called on every turn of the
  /// worker's loop, so that a worker that is stuck is not called well.
  func step() -> Span? {
    let now = BootClock.now()
    var lines: [String] = []
    var waits: [Int64] = []
    if let every = notice.watchdogMs {
      // Half the time that the manager waits, as its own manual advises.
      if now - wellAtMs >= every / 2 {
        lines.append("WATCHDOG=1")
        wellAtMs = now
      }
      waits.append(max(1, every / 2 - (now - wellAtMs)))
    }
    if isChanged {
      if now - saidAtMs >= Self.statusMs {
        lines.append(status)
        saidAtMs = now
        isChanged = false
      } else {
        waits.append(Self.statusMs - (now - saidAtMs))
      }
    }
    if !lines.isEmpty { notice.send(lines) }
    return waits.min().map(Span.init(milliseconds:))
  }

  private var status: String { "STATUS=\(running.count) running, \(ended) ended" }
}

import ArgumentParser
import Glibc
import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// Measures the ingest of a tap's output from standard input, and what bounds it.
///
/// Used by `Scripts/bench`. Prints records, milliseconds and the process's peak of memory in KiB.
struct BenchIngest: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "__bench-ingest", abstract: "take in a tap's output, and print the rate",
    shouldDisplay: false)
  static let record = CommandRecord(
    "__bench-ingest", .none, requires: .none)

  enum Part: String, ExpressibleByArgument {
    /// All of it.
    case ingest
    /// Messages are told apart and checked as JSON; nothing is stored.
    case scan
    /// Every line becomes a tree.
    case tree
  }

  @OptionGroup var global: GlobalOptions
  @Argument var storePath: String
  @Argument var part: Part = .ingest

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let began = BootClock.now()
    let records =
      switch part {
      case .ingest: try ingest(environment)
      case .scan: try scan()
      case .tree: try trees()
      }
    let spent = max(1, BootClock.now() - began)
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    environment.output.append("\(records) \(spent) \(usage.ru_maxrss)\n")
    return .done
  }

  private func ingest(_ environment: CommandEnvironment) throws -> Int64 {
    let store = try environment.stores.open(storePath, nil)
    guard let workspace = try store.workspaces().first?.id else { return 0 }
    let actor = Actor(
      user: environment.user.name(), command: Self.record.name, workspaceOrigin: "flag")
    let source = try store.setSource(
      "bench", to: SourceDefinition(command: ["bench"], directory: "/"), in: workspace,
      expecting: .anything, by: actor, at: environment.now())
    let session = try store.beginSync(
      SyncRequest(workspace: workspace, source: source.id, attempt: nil), by: actor,
      at: environment.now())
    let engine = SyncEngine(session: session, options: SyncOptions(), now: environment.now)
    try pieces { try engine.take($0) }
    let run = try engine.succeed()
    return run.streams.reduce(0) { $0 + $1.tally.received }
  }

  private func scan() throws -> Int64 {
    var counter = MessageCounter()
    try pieces { try counter.take($0) }
    return counter.records
  }

  private func trees() throws -> Int64 {
    var rest: [UInt8] = []
    var lines: Int64 = 0
    try pieces { bytes in
      rest.append(contentsOf: bytes)
      var start = 0
      while let end = rest[start...].firstIndex(of: 0x0A) {
        _ = try JSON.parse(rest[start..<end])
        lines += 1
        start = end + 1
      }
      rest.removeFirst(start)
    }
    return lines
  }

  private func pieces(_ body: (UnsafeBufferPointer<UInt8>) throws -> Void) throws {
    var room = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let count = room.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      try room.withUnsafeBufferPointer {
        try body(UnsafeBufferPointer(rebasing: $0[..<count]))
      }
    }
  }
}

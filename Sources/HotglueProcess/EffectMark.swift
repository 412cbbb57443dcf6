import CSupervisor
import Glibc

/// What the command of an effect, and all that it starts, carry in their environment. Who closed the
/// descriptor of the key's lock is known by it.
///
/// Inside each other, effects add their marks up: what the command of the inner one starts belongs to
/// the outer one too.
enum EffectMark {
  static let variable = "HOTGLUE_EFFECT"

  /// The mark of an effect of a store: always the same, so that it is known without any file. A copy of
  /// the store is another file, and has other marks.
  static func of(storeFolder: String, name: String) -> String {
    let store = storeFolder.hasSuffix(".d") ? String(storeFolder.dropLast(2)) : storeFolder
    let text = "\(fileOrigin(store) ?? "")\n\(name)"
    return digits(text, from: 0xCBF2_9CE4_8422_2325) + digits(text, from: 0x9AE1_6A3B_2F90_404F)
  }

  /// FNV-1a from a start value of its own.
  private static func digits(_ text: String, from start: UInt64) -> String {
    let hash = text.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    let hexadecimal = String(hash ^ hash >> 32, radix: 16)
    return String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal
  }

  /// The variables of a command with this mark added to those that it inherits.
  static func variables(_ environment: [String], adding mark: String) -> [String] {
    let begin = variable + "="
    let outer = environment.first { $0.hasPrefix(begin) }?.dropFirst(begin.count) ?? ""
    return environment.filter { !$0.hasPrefix(begin) }
      + [begin + mark + (outer.isEmpty ? "" : ",") + outer]
  }

  /// The marks in an environment.
  static func marks(in environment: [String]) -> [Substring] {
    let begin = variable + "="
    return environment.first { $0.hasPrefix(begin) }?.dropFirst(begin.count).split(separator: ",")
      ?? []
  }

  /// Whether this process descends from the command of the effect with this mark.
  static func isOwn(_ mark: String) -> Bool {
    guard let value = getenv(variable) else { return false }
    return marks(in: ["\(variable)=\(String(cString: value))"]).contains { $0 == mark }
  }
}

/// The living processes that carry the mark of an effect, of whatever store: of each mark the oldest.
public struct MarkedProcesses: Sendable {
  private let found: [String: SeenProcess]

  public init() throws(ProcessError) { try self.init(lookingFor: nil) }

  /// Looks until two looks at all processes agree: a process in the middle of an exec shows nothing,
  /// and one that has just been started may be missed. With `wanted`, it is over once that is found.
  init(lookingFor wanted: String?) throws(ProcessError) {
    var found: [String: SeenProcess] = [:]
    var cleanLooks = 0
    for _ in 0..<50 where cleanLooks < 2 {
      let before = found.count
      let isClear = try Self.look(&found)
      if let wanted, found[wanted] != nil { break }
      if isClear {
        cleanLooks = found.count == before ? cleanLooks + 1 : 0
      } else {
        usleep(1000)
      }
    }
    self.found = found
  }

  /// One that carries the mark.
  subscript(_ mark: String) -> SeenProcess? { found[mark] }

  /// Adds what one look finds; false when some process could not be told.
  private static func look(_ found: inout [String: SeenProcess]) throws(ProcessError) -> Bool {
    var pids = [Int32](repeating: 0, count: 4096)
    var count: UInt32 = 0
    var unclear: UInt32 = 0
    try ProcessError.check(
      hg_carriers("\(EffectMark.variable)=", &pids, UInt32(pids.count), &count, &unclear),
      "look at", "/proc")
    for pid in pids.prefix(Int(count)) {
      guard let process = SeenProcess(pid), let environment = process.environment else { continue }
      for mark in EffectMark.marks(in: environment).map(String.init) {
        if let known = found[mark], known.startTime <= process.startTime { continue }
        found[mark] = process
      }
    }
    return unclear == 0
  }
}

/// What whoever carries an effect out leaves in its locked file: by whom, and the mark of what it
/// starts. A command is only started when it stands there, so that nothing can be running unknown.
struct EffectRecord: Equatable {
  /// The file itself: the record of a copied store speaks of the store that it was copied from.
  var file: String
  var runner: ProcessIdentity
  var mark: String
  /// Names the effect, for people.
  var title: String

  var text: String {
    "1 \(file) \(runner.bootID) \(runner.pidNamespace) \(runner.pid) \(runner.startTime) \(mark)\n"
      + title
  }

  init(file: String, runner: ProcessIdentity, mark: String, title: String) {
    self.file = file
    self.runner = runner
    self.mark = mark
    self.title = title
  }

  /// `nil`: nothing is there, or nothing that this version understands.
  init?(_ text: String) {
    let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    let words = lines.first?.split(separator: " ") ?? []
    guard lines.count == 2, words.count == 7, words[0] == "1", let space = UInt64(words[3]),
      let pid = Int32(words[4]), let start = UInt64(words[5]), words[6].utf8.count == 32
    else { return nil }
    file = String(words[1])
    runner = ProcessIdentity(
      bootID: String(words[2]), pidNamespace: space, pid: pid, startTime: start)
    mark = String(words[6])
    title = String(lines[1])
  }
}

/// A process that keeps the key of an effect.
public struct EffectKeeper: Hashable, Sendable {
  public var process: SeenProcess
  /// The one who carried it out has gone; this is what its command started.
  public var isLeft: Bool

  public var pid: Int32 { process.pid }
  /// `'python3 job.py' (process 1234)`
  public var words: String {
    let command = process.words
    return "'\(command.prefix(60))\(command.count > 60 ? "…" : "")' (process \(process.pid))"
  }
}

import CSQLite
import Glibc
import HotglueCore
import HotglueProcess

/// Lines of `job enqueue --jsonl`.
final class JobLineTarget: FuzzTarget {
  private let commands: Commands
  private static let keys = [
    "command", "type", "payload", "env", "cwd", "queue", "priority", "run_at", "delay", "expires",
    "key",
    "key_for", "lease", "timeout", "stop", "max_attempts", "max_losses", "max_snoozes", "backoff",
    "jitter", "retry_for", "on_exit", "replay", "verify", "log_cap", "keep_children", "limit_key",
    "limit_max",
  ]
  private static let values = [
    "\"true\"", "[\"true\"]", "\"10s\"", "\"+10m\"", "\"TERM,10s,KILL\"", "\"exponential:10s:1h\"",
    "\"9=failed,*=retry\"", "\"safe\"", "\"1M\"", "1", "-1", "true", "\"done\"",
    "\"99999999999999d\"",
    "\"2026-01-01T00:00:00Z\"", "\"tomorrow 02:00\"", "\"/tmp\"", "{\"A\":\"b\"}",
  ]

  init(folder: String) throws {
    commands = Commands(directory: folder)
    for line in [
      ["init", "-q"], ["workspace", "create", "w", "-q"], ["workspace", "switch", "w", "-q"],
    ] {
      let answer = commands.run(line)
      guard answer.status == 0 else {
        throw Finding(
          "\(line) ended with \(answer.status): \(String(decoding: answer.error, as: UTF8.self))")
      }
    }
  }

  func input(_ chance: inout Chance) -> [UInt8] {
    var text = ""
    for _ in 0...chance.size(4) {
      var members = ["\"command\":[\"true\"]"]
      for _ in 0..<chance.size(6) {
        let value =
          chance.percent(70)
          ? chance.pick(Self.values)
          : RandomJSON.spelled(RandomJSON.value(&chance, depth: 3), &chance)
        members.append("\"\(chance.pick(Self.keys))\":\(value.replacing("\n", with: " "))")
      }
      text += "{" + members.joined(separator: ",") + "}\n"
    }
    let bytes = Array(text.utf8)
    return chance.percent(50) ? bytes : Mutation.of(bytes, words: Self.values, &chance)
  }

  func run(_ input: [UInt8]) throws {
    let answer = commands.run(["job", "enqueue", "--jsonl", "-"], input: input)
    guard [0, 65, 66, 81].contains(answer.status) else {
      throw Finding("status \(answer.status): \(String(decoding: answer.error, as: UTF8.self))")
    }
  }
}

/// Slots and answers, which a power cut or a handler may leave in any state.
final class SlotTarget: FuzzTarget {
  private let folder: String
  /// With the places at which something is written: most of a slot is empty room.
  private let samples: [(name: String, bytes: [UInt8], written: [Int])]

  init(folder: String, samples: String) throws {
    self.folder = folder
    self.samples = try Files.names(in: samples + "/slots").map { name in
      let bytes = try Files.read("\(samples)/slots/\(name)")
      return (name, bytes, bytes.indices.filter { bytes[$0] != 0 })
    }
    guard !self.samples.isEmpty else {
      throw Finding("there are no samples of slots in '\(samples)'")
    }
    guard mkdir(folder + "/slots", 0o700) == 0 || errno == EEXIST else {
      throw Finding("cannot create '\(folder)/slots'")
    }
  }

  /// The name of the sample, a line feed, and the bytes.
  func input(_ chance: inout Chance) -> [UInt8] {
    let sample = chance.pick(samples)
    var bytes = sample.bytes
    if chance.percent(20) { bytes.removeLast(chance.below(bytes.count + 1)) }
    if chance.percent(10) { bytes = Array(repeating: 0, count: bytes.count) }
    for _ in 0...chance.size(20) where !bytes.isEmpty {
      let place =
        chance.percent(80) && !sample.written.isEmpty
        ? chance.pick(sample.written) : chance.below(bytes.count)
      for offset in place..<max(place, min(bytes.count, place + chance.pick([1, 1, 4, 8]))) {
        bytes[offset] = chance.pick([0, 0xFF, 0x7F, 0x80, UInt8(truncatingIfNeeded: chance.next())])
      }
    }
    return Array(sample.name.utf8) + [0x0A] + bytes
  }

  func run(_ input: [UInt8]) throws {
    guard let end = input.firstIndex(of: 0x0A) else { return }
    let name = String(decoding: input[..<end], as: UTF8.self)
    let slot = name.split(separator: ".").first.map(String.init) ?? name
    try Files.write(Array(input[(end + 1)...]), to: "\(folder)/slots/\(name)")
    defer { unlink("\(folder)/slots/\(name)") }
    do throws(ProcessError) {
      _ = try Slot.read(storeFolder: folder, slot: slot)
    } catch {
      switch error {
      case .notUnderstood, .otherVersion: break
      default: throw Finding("the slot: \(error)")
      }
    }
    guard let answers = try? Answers.open(storeFolder: folder, slot: slot) else { return }
    var count = 0
    while let answer = try? answers.read() {
      _ = answer.outcome
      count += 1
      guard count < 1 << 20 else { throw Finding("the answers have no end") }
    }
  }
}

/// Rows of a store that other programs or a failing disk have changed.
final class RowTarget: FuzzTarget {
  private let commands: Commands
  private let path: String
  private let template: [UInt8]
  private let log: [UInt8]
  private let columns: [(table: String, column: String)]
  private static let values = [
    "NULL", "0", "-1", "1", "9223372036854775807", "-9223372036854775808", "4611686018427387904",
    "2147483648", "-2147483649", "4294967296", "253402300800000", "-62135596800001", "''", "'x'",
    "'[]'",
    "'{}'", "'[\"a\"]'", "'{\"a\":1e999999999}'", "'null'", "'-1'", "'../../x'", "x'9b'", "x'00ff'",
    "char(155)||'2J'", "'9223372036854775807'", "'running'", "'failed'", "'pending'", "'succeeded'",
    "'{\"lease\":\"36500d\",\"max_attempts\":9223372036854775807}'",
    "'{\"current\":-9223372036854775808,\"total\":0}'", "1.5", "1e300",
  ]
  private static let lines = [
    "job list --limit 0", "job list --json --limit 0", "job show 1", "job show 2 --json",
    "job show 3",
    "job explain 1", "job explain", "job explain 4 --json", "job logs 1", "log", "log --json",
    "type list", "type show mail", "type list --json", "queue list", "queue list --json",
    "source list",
    "source show s", "source show s --json", "sync status s", "sync history s",
    "sync history s --json",
    "record list s", "record count s", "record export s", "effect list", "effect list --json",
    "effect show e", "draft list", "draft show 1", "draft list --json", "workspace list",
    "workspace show", "workspace show --json", "store info", "store check", "job reclaim --dry-run",
    "context show", "job wait 1 --timeout 1ms", "sync rejects s", "job list --failed",
    "doctor", "doctor --json", "job reclaim", "job prune", "store prune",
    "sync rejects s --retry --dry-run",
  ].map { $0.split(separator: " ").map(String.init) }

  init(folder: String, samples: String) throws {
    commands = Commands(directory: folder)
    path = folder + "/.hotglue/store.db"
    guard mkdir(folder + "/.hotglue", 0o700) == 0 || errno == EEXIST else {
      throw Finding("cannot create '\(folder)/.hotglue'")
    }
    template = try Files.read(samples + "/place/.hotglue/store.db")
    log = (try? Files.read(samples + "/place/.hotglue/store.db-wal")) ?? []
    try Files.write(
      try Files.read(samples + "/place/.hotglue/context.json"),
      to: folder + "/.hotglue/context.json")
    columns = try Self.columns(of: samples + "/place/.hotglue/store.db")
    umask(0o077)
  }

  private static func columns(of path: String) throws -> [(table: String, column: String)] {
    var found: [(String, String)] = []
    try rows(
      of: path,
      "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    ) { found.append(($0[0], $0[1])) }
    return found
  }

  private static func rows(
    of path: String, _ text: String, _ body: ([String]) -> Void = { _ in }
  ) throws {
    var handle: OpaquePointer?
    guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else {
      throw Finding("cannot open '\(path)'")
    }
    defer { sqlite3_close_v2(handle) }
    var rest: [CChar] = Array(text.utf8CString)
    while rest.count > 1 {
      var statement: OpaquePointer?
      let used = rest.withUnsafeBufferPointer { room -> Int in
        var tail: UnsafePointer<CChar>?
        guard let start = room.baseAddress else { return room.count }
        // What a change breaks by its own form is passed over.
        sqlite3_prepare_v2(handle, start, -1, &statement, &tail)
        return tail.map { $0 - start } ?? room.count
      }
      while sqlite3_step(statement) == SQLITE_ROW {
        body(
          (0..<sqlite3_column_count(statement)).map { column in
            sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
          })
      }
      sqlite3_finalize(statement)
      rest.removeFirst(max(1, min(used, rest.count)))
    }
  }

  /// Statements, one a line.
  func input(_ chance: inout Chance) -> [UInt8] {
    var text = "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;\n"
    for _ in 0...chance.size(8) {
      let place = chance.pick(columns)
      text +=
        "UPDATE OR IGNORE \"\(place.table)\" SET \"\(place.column)\" = \(chance.pick(Self.values))"
      if chance.percent(50) { text += " WHERE abs(random()) % 3 = 0" }
      text += ";\n"
    }
    // Which commands are run is of the input, too.
    for _ in 0..<4 { text += "-- \(chance.below(Self.lines.count)) \(chance.below(2))\n" }
    return Array(text.utf8)
  }

  func run(_ input: [UInt8]) throws {
    try Files.write(template, to: path)
    for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
    if !log.isEmpty { try Files.write(log, to: path + "-wal") }
    let text = String(decoding: input, as: UTF8.self)
    try Self.rows(of: path, text)
    for line in text.split(separator: "\n") where line.hasPrefix("-- ") {
      let numbers = line.dropFirst(3).split(separator: " ").compactMap { Int($0) }
      guard numbers.count == 2, Self.lines.indices.contains(numbers[0]) else { continue }
      let isTerminal = numbers[1] == 1
      let answer = commands.run(Self.lines[numbers[0]], isTerminal: isTerminal)
      guard [0, 1].contains(answer.status) || (64...83).contains(answer.status) else {
        throw Finding("\(Self.lines[numbers[0]]): status \(answer.status)")
      }
      if isTerminal { try Self.requireSafe(answer.output + answer.error, Self.lines[numbers[0]]) }
    }
  }

  /// Nothing at a terminal but text, lines and hotglue's own colours.
  private static func requireSafe(_ bytes: [UInt8], _ line: [String]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    var scalars = text.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      switch scalar.value {
      case 0x0A: continue
      case 0x1B:
        guard scalars.next() == "[" else { throw Finding("\(line): a raw escape at a terminal") }
      case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069:
        throw Finding("\(line): a raw control character \(scalar.value) at a terminal")
      default: continue
      }
    }
  }
}

import CSupervisor
import HotglueCore

/// Settings files: drafts and types.
final class TOMLTarget: FuzzTarget {
  private static let seeds = [
    "[job]\ncommand = [\"echo\", \"a\"]\npayload = '{\"a\":1}'\nqueue = \"bulk\" # x\n",
    "[type.mail]\ncommand = ['cat', 'x']\nmax_attempts = 5\nkeep_children = false\n\n[type.\"a b\"]\n",
    "a = '''\nlines\nof text'''\nb = [[1, 2], [\"x\"], []]\nc = 1_000\nd = -7\ne = \"\\u00e9\\t\"\n",
  ].map { Array($0.utf8) }
  private static let words = [
    "[", "]", "[[", "'''", "\"\"\"", "\"", "'", "=", "#", "\n", "\r\n", ",", "true", "\\u00", "\\U",
    "[type.x]", "_", "1e5", ".", "{", "}", "\u{feff}",
  ]

  func input(_ chance: inout Chance) -> [UInt8] {
    Mutation.of(chance.pick(Self.seeds), words: Self.words, &chance)
  }

  func run(_ input: [UInt8]) throws {
    guard let file = try? TOMLFile(reading: input) else { return }
    // What was read and is written again is the same.
    var text = ""
    for table in file.tables {
      if !table.path.isEmpty {
        text += "[" + table.path.map(TOMLFile.key).joined(separator: ".") + "]\n"
      }
      for entry in table.entries {
        text += "\(TOMLFile.key(entry.key)) = \(written(entry.value))\n"
      }
    }
    let again: TOMLFile
    do {
      again = try TOMLFile(reading: text.utf8)
    } catch {
      throw Finding("what was read cannot be read again: \(error)")
    }
    guard again.tables.map(\.path) == file.tables.map(\.path),
      again.tables.map({ $0.entries.map(\.value) }) == file.tables.map({ $0.entries.map(\.value) })
    else { throw Finding("what was read is another when it is written and read again") }
  }

  private func written(_ value: JSON) -> String {
    switch value {
    case .string(let text): TOMLFile.quoted(text)
    case .array(let values): "[" + values.map(written).joined(separator: ", ") + "]"
    default: value.text
    }
  }
}

/// JSON, by all readers of it: the tree, the tape of the syncs, and the supervisor's.
final class JSONTarget: FuzzTarget {
  private let lines = MessageReader()
  private static let words = [
    "{", "}", "[", "]", ":", ",", "\"", "\\u", "\\ud83e\\udd8a", "\\ud800", "\\udc00", "null",
    "true",
    "1e", "-", ".", "0", "\\", " ", "\n", "e+",
  ]

  func input(_ chance: inout Chance) -> [UInt8] {
    let text = RandomJSON.spelled(RandomJSON.value(&chance), &chance)
    return chance.percent(30)
      ? Array(text.utf8) : Mutation.of(Array(text.utf8), words: Self.words, &chance)
  }

  func run(_ input: [UInt8]) throws {
    let value: JSON
    do {
      value = try JSON.parse(input)
    } catch {
      // A line feed would begin another line; half of a pair has the form of JSON and is no text.
      if error.reason != "half a surrogate pair", !input.contains(0x0A), !input.isEmpty,
        lines.accepts(record: input)
      {
        throw Finding("the tape accepts what the tree refuses: \(error.reason)")
      }
      return
    }
    if !input.contains(0x0A), !lines.accepts(record: input) {
      throw Finding("the tape refuses what the tree accepts")
    }
    for text in [value.text, value.prettyText] {
      guard let again = try? JSON.parse(text), again == value else {
        throw Finding("what is written is not what was read")
      }
    }
    guard value.isEquivalent(to: value.canonical),
      value.equivalenceForm == value.canonical.equivalenceForm
    else { throw Finding("a value is not the same as its canonical form") }
  }
}

/// Lines of handlers, by the supervisor and by the worker.
final class HandlerLineTarget: FuzzTarget {
  private static let words = [
    "\"type\":\"result\"", "\"type\":\"progress\"", "\"outcome\":\"succeeded\"",
    "\"outcome\":\"retry\"",
    "\"job\":1", "\"fence\":2", "\"after\":\"30s\"", "\"error\":{\"code\":\"x\"}", "\"current\":1",
    "\"total\":1e3", "\"message\":\"m\"", ",", "{", "}", "null", "9223372036854775808", "\\u0000",
  ]

  func input(_ chance: inout Chance) -> [UInt8] {
    var members: [String] = []
    for _ in 0..<(1 + chance.size(8)) {
      members.append(
        chance.percent(70)
          ? chance.pick(Self.words)
          : "\"\(chance.pick(["type", "outcome", "value", "message", "total"]))\":"
            + RandomJSON.spelled(RandomJSON.value(&chance), &chance))
    }
    let line = Array(("{" + members.joined(separator: ",") + "}").utf8)
    return chance.percent(40) ? line : Mutation.of(line, words: Self.words, &chance)
  }

  func run(_ input: [UInt8]) throws {
    let line = Array(input.prefix { $0 != 0x0A })
    var owner = hg_line_owner()
    let supervisor = hg_line_read(line, line.count, &owner)
    let isBlank = line.allSatisfy { [0x20, 0x09, 0x0D].contains($0) }
    let expected: hg_line =
      switch HandlerLine(line) {
      case nil: isBlank ? HG_LINE_EMPTY : HG_LINE_BAD
      case .progress: HG_LINE_PROGRESS
      case .result: HG_LINE_RESULT
      case .unclear: HG_LINE_UNCLEAR
      }
    guard supervisor == expected else {
      throw Finding(
        "the supervisor reads it as \(supervisor.rawValue), the worker as \(expected.rawValue)")
    }
  }
}

/// Catalogs of taps, and those that follow them.
final class CatalogTarget: FuzzTarget {
  private static let names = [
    "streams", "stream", "tap_stream_id", "metadata", "breadcrumb", "properties", "selected",
    "schema",
    "inclusion", "available", "automatic", "unsupported", "table-key-properties", "key_properties",
    "replication-method", "FULL_TABLE", "INCREMENTAL", "replication_key", "selected-by-default",
    "id",
    "type", "users", "orders", "users ",
  ]

  func input(_ chance: inout Chance) -> [UInt8] {
    var streams: [JSON] = []
    for _ in 0..<chance.size(30) {
      var members = [
        JSON.Member("stream", .string(chance.pick(Self.names))),
        JSON.Member("schema", RandomJSON.value(&chance, depth: 1, names: Self.names)),
        JSON.Member("metadata", RandomJSON.value(&chance, depth: 2, names: Self.names)),
      ]
      if case .object(let more) = RandomJSON.value(&chance, depth: 2, names: Self.names) {
        members += more
      }
      streams.append(.object(members))
    }
    let catalog = JSON.object([JSON.Member("streams", .array(streams))])
    let text = Array(RandomJSON.spelled(catalog, &chance).utf8)
    return chance.percent(70) ? text : Mutation.of(text, words: Self.names, &chance)
  }

  func run(_ input: [UInt8]) throws {
    guard let json = try? JSON.parse(input), let catalog = Catalog(json) else { return }
    // A catalog that was kept is read again.
    guard let again = Catalog(catalog.json), again.streams == catalog.streams else {
      throw Finding("a catalog is another when it is written and read again")
    }
    _ = catalog.streams.map(\.fields)
  }
}

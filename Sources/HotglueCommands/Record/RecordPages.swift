import HotglueCore
import HotglueStore

/// Walks through the records of a source, stream by stream and page by page. Each page is read in a
/// fresh snapshot, so that a long list holds up nobody; all are of the publication with which it
/// began, however often the source is synced meanwhile.
struct RecordPages {
  let session: WorkspaceSession
  let source: Source
  private let moment: RecordMoment
  private static let page = 2000
  private var publication: Int64 { moment.publication }

  init(session: WorkspaceSession, source: Source) throws {
    self.session = session
    self.source = source
    moment = try session.store.holdRecords(of: source.id, in: session.workspace)
  }

  /// The stream that is named, or all of them.
  func streams(_ name: String?) throws -> [RecordStream] {
    let all = try session.store.recordStreams(of: source.id, in: session.workspace)
    guard let name else { return all }
    if let found = all.first(where: { $0.name == name }) { return [found] }
    // The catalog may call a stream otherwise than the store does.
    let titles = source.definition.otherNames(of: name)
    let named = all.filter { titles.contains($0.name) }
    guard named.count == 1 else {
      let near = NearMatch.among(all.map(\.name), to: name)
      throw StoreError.unknownStream(
        name, source: source.id, near: named.isEmpty ? near : named.map(\.name))
    }
    return named
  }

  /// Gives records to `body` in the order of their keys, until it answers false.
  func walk(
    _ stream: RecordStream, after: RecordKey? = nil, _ filter: RecordFilter,
    _ body: (StoredRecord) throws -> Bool
  ) throws -> Bool {
    if let keys = filter.keys(of: stream), try hasOneKey(stream) {
      return try look(up: keys, after: after, in: stream, filter, body)
    }
    var after = after
    while true {
      let records = try session.store.records(
        RecordPage(
          source: source.id, workspace: session.workspace, stream: stream.name, after: after,
          limit: Self.page, publication: moment.publication))
      for record in records where try filter.admits(record) {
        guard try body(record) else { return false }
      }
      guard records.count == Self.page, !session.environment.output.isClosed else { return true }
      after = records.last?.key
    }
  }
}

extension RecordPages {
  /// Gives the records of these keys alone to `body`.
  private func look(
    up keys: [RecordKey], after: RecordKey?, in stream: RecordStream, _ filter: RecordFilter,
    _ body: (StoredRecord) throws -> Bool
  ) throws -> Bool {
    var keys = keys[...]
    if let after, let last = keys.firstIndex(of: after) { keys = keys[(last + 1)...] }
    for key in keys {
      let found = try session.store.records(
        RecordPage(
          source: source.id, workspace: session.workspace, stream: stream.name, only: key, limit: 1,
          publication: publication))
      for record in found where try filter.admits(record) {
        guard try body(record) else { return false }
      }
    }
    return true
  }

  /// A stream whose key changed within a run holds records under both.
  private func hasOneKey(_ stream: RecordStream) throws -> Bool {
    let schemas = try session.store.schemas(
      of: source.id, stream: stream.name, in: session.workspace)
    return !zip(schemas, schemas.dropFirst()).contains { $0.run == $1.run && $0.key != $1.key }
  }
}

/// A record in the forms in which it is shown.
struct RecordForm {
  let source: Source
  let stream: RecordStream

  func json(_ record: StoredRecord) throws(JSONError) -> JSON {
    .object([
      JSON.Member("source", .string(source.name)), JSON.Member("stream", .string(stream.name)),
      JSON.Member("key", try key(record.key)), JSON.Member("data", try JSON.parse(record.data)),
      JSON.Member("updated_at", .string(record.updatedAt.rfc3339)),
    ])
  }

  /// The value of a key of one field, a list of values of one of several; `null` without a key.
  func key(_ key: RecordKey) throws(JSONError) -> JSON {
    guard !stream.key.isEmpty else { return .null }
    switch key {
    case .integer(let value): return .integer(value)
    case .text(let text): return .string(text)
    case .bytes(let bytes):
      let value = try JSON.parse(bytes)
      if let values = value.arrayValue, stream.key.count == 1, values.count == 1 {
        return values[0]
      }
      return value
    }
  }

  func keyText(_ record: StoredRecord) throws(JSONError) -> String? {
    let key = try key(record.key)
    switch key {
    case .null: return nil
    case .string(let text): return text
    default: return key.text
    }
  }
}

/// Where a list of records goes on. It carries its workspace and what was asked.
struct RecordCursor: Equatable {
  var workspace: WorkspaceID
  var query: UInt64
  var stream: String
  var after: RecordKey

  var text: String {
    let key =
      switch after {
      case .integer(let value): "i\(value)"
      case .text(let text): "t" + Self.hex(Array(text.utf8))
      case .bytes(let bytes): "b" + Self.hex(bytes)
      }
    return [
      workspace.text, String(query, radix: 36), Self.hex(Array(stream.utf8)), key,
    ].joined(separator: ".")
  }

  init(workspace: WorkspaceID, query: UInt64, stream: String, after: RecordKey) {
    self.workspace = workspace
    self.query = query
    self.stream = stream
    self.after = after
  }

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, let workspace = WorkspaceID(parts[0]),
      let query = UInt64(parts[1], radix: 36), let stream = Self.bytes(parts[2]),
      let kind = parts[3].first
    else { return nil }
    let rest = String(parts[3].dropFirst())
    self.workspace = workspace
    self.query = query
    self.stream = String(decoding: stream, as: UTF8.self)
    switch kind {
    case "i":
      guard let value = Int64(rest) else { return nil }
      after = .integer(value)
    case "t":
      guard let bytes = Self.bytes(rest) else { return nil }
      after = .text(String(decoding: bytes, as: UTF8.self))
    case "b":
      guard let bytes = Self.bytes(rest) else { return nil }
      after = .bytes(bytes)
    default: return nil
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}

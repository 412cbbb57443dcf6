import Glibc
import HotglueCore
import HotglueSinger
import HotglueStore
import HotglueStoreSQLite
import StoreConformance
import TestSupport

/// A store with one source, and syncs of texts that stand for a tap's output.
final class Harbour {
  let folder: TemporaryFolder
  let store: SQLiteStore
  let acme: WorkspaceID
  let source: Source
  var clock = ManualClock()

  struct Missing: Error {
    let what: String
  }

  init() throws {
    folder = try TemporaryFolder("hotglue-singer")
    store = try SQLiteStore.create(at: folder.file("store.db"), now: clock.now)
    guard let acme = WorkspaceID("acme") else { throw Missing(what: "acme") }
    self.acme = acme
    _ = try store.createWorkspace(acme, name: "", by: StoreFixture.alice, at: clock.now)
    source = try store.setSource(
      "crm", to: SourceDefinition(command: ["tap"], directory: "/"), in: acme,
      expecting: .absent, by: StoreFixture.alice, at: clock.now)
  }

  func engine(
    isFull: Bool = false, _ change: (inout SyncOptions) -> Void = { _ in }
  ) throws -> SyncEngine {
    var options = SyncOptions()
    options.publishInterval = .seconds(0)
    change(&options)
    let session = try store.beginSync(
      SyncRequest(workspace: acme, source: source.id, attempt: nil, isFull: isFull),
      by: StoreFixture.alice, at: clock.now)
    return SyncEngine(session: session, options: options, now: { [clock] in clock.now })
  }

  /// A whole run of a tap that ended well.
  @discardableResult
  func sync(
    _ output: String, isFull: Bool = false, _ change: (inout SyncOptions) -> Void = { _ in }
  ) throws -> SyncRun {
    let engine = try engine(isFull: isFull, change)
    try engine.take(output)
    return try engine.succeed()
  }

  /// What a run fails with.
  func failure(
    _ output: String, _ change: (inout SyncOptions) -> Void = { _ in }
  ) throws -> SyncError {
    let engine = try engine(change)
    do throws(SyncError) {
      try engine.take(Array(output.utf8)[...])
      _ = try engine.succeed()
    } catch {
      return error
    }
    throw Missing(what: "a failure")
  }

  func records(_ stream: String) throws -> [String] {
    var all: [String] = []
    var after: RecordKey?
    while true {
      let page = try store.records(
        RecordPage(source: source.id, workspace: acme, stream: stream, after: after, limit: 500))
      all += page.map(\.data)
      guard let last = page.last else { return all }
      after = last.key
    }
  }

  /// Everything a reader can see: records of all streams, and the bookmark.
  func sight() throws -> Sight {
    var streams: [String: [String]] = [:]
    for stream in try store.recordStreams(of: source.id, in: acme) {
      let records = try records(stream.name)
      guard records.count == Int(stream.records) else { throw Missing(what: "a right count") }
      if !records.isEmpty { streams[stream.name] = records }
    }
    let bookmark = try store.syncPosition(of: source.id, in: acme)?.bookmark?.text
    return Sight(streams: streams, bookmark: bookmark)
  }

  struct Sight: Hashable {
    var streams: [String: [String]]
    var bookmark: String?
  }
}

extension SyncEngine {
  func take(_ text: String) throws(SyncError) { try take(Array(text.utf8)[...]) }

  func take(_ bytes: ArraySlice<UInt8>) throws(SyncError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(SyncError) in try take(bytes) }
  }
}

/// Output of real taps, in the folder `Samples`.
enum Samples {
  static func text(_ name: String) throws -> String {
    let path = folder + "/" + name
    guard let file = fopen(path, "re") else { throw Harbour.Missing(what: path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&room, 1, room.count, file)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += room[..<count]
    }
  }

  static var folder: String {
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/") + "/Samples"
  }
}

/// Lines of a tap, put together.
enum Lines {
  static func schema(
    _ stream: String = "s", key: String = "[\"id\"]", properties: String = "{}",
    more: String = ""
  ) -> String {
    "{\"type\":\"SCHEMA\",\"stream\":\(JSON.string(stream).text),\"key_properties\":\(key),"
      + "\"schema\":{\"type\":\"object\",\"properties\":\(properties)\(more)}}\n"
  }

  static func record(_ record: String, stream: String = "s", version: Int? = nil) -> String {
    let version = version.map { ",\"version\":\($0)" } ?? ""
    return
      "{\"type\":\"RECORD\",\"stream\":\(JSON.string(stream).text),\"record\":\(record)\(version)}\n"
  }

  static func state(_ value: String) -> String { "{\"type\":\"STATE\",\"value\":\(value)}\n" }

  static func activate(_ version: Int, stream: String = "s") -> String {
    "{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"\(stream)\",\"version\":\(version)}\n"
  }

  /// A catalog in which one stream is sent whole at every run, and another along a key.
  static func fullTable(_ stream: String, and other: String? = nil) -> StreamResolver {
    let whole = catalog([(stream, stream, true)], method: "FULL_TABLE")?.json["streams"]
    let rest = other.flatMap { catalog([($0, $0, true)], method: "INCREMENTAL")?.json["streams"] }
    let all = [whole, rest].compactMap { $0?.arrayValue }.flatMap(\.self)
    return StreamResolver(
      catalog: Catalog(.object([JSON.Member("streams", .array(all))])))
  }

  /// A catalog of streams, each with its identifier, its name, and whether it is selected.
  static func catalog(
    _ streams: [(id: String, name: String, isSelected: Bool)], method: String? = nil
  ) -> Catalog? {
    Catalog(
      .object([
        JSON.Member(
          "streams",
          .array(
            streams.map { stream in
              .object([
                JSON.Member("tap_stream_id", .string(stream.id)),
                JSON.Member("stream", .string(stream.name)),
                JSON.Member("selected", .bool(stream.isSelected)),
                JSON.Member("replication_method", .text(method)),
              ])
            }))
      ]))
  }
}

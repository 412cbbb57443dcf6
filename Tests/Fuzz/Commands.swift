import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// Runs command lines in this process, on the store of a folder.
struct Commands {
  let directory: String

  struct Answer {
    var status: Int32
    var output: [UInt8]
    var error: [UInt8]
  }

  func run(_ arguments: [String], input: [UInt8] = [], isTerminal: Bool = false) -> Answer {
    var rest = input[...]
    var answer = Answer(status: 0, output: [], error: [])
    let environment = CommandEnvironment(
      variables: ["HOME": directory, "XDG_CONFIG_HOME": directory], currentDirectory: directory,
      user: User(id: geteuid()) { "fuzz" },
      readInput: { count in
        let chunk = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Array(chunk)
      },
      output: ByteSink { bytes in answer.output += bytes },
      errorOutput: ByteSink { bytes in answer.error += bytes }, isTerminal: { _ in isTerminal },
      terminalName: { nil },
      terminalSize: { _ in isTerminal ? TerminalSize(columns: 100, rows: 24) : nil },
      now: { Timestamp(milliseconds: 1_770_000_000_000) },
      newID: { "00000000-0000-4000-8000-000000000000" },
      stores: StoreAccess(
        create: { (path, group, now) throws(StoreError) in
          try SQLiteStore.create(at: path, group: group, now: now)
        },
        open: { (path, expected) throws(StoreError) in
          try SQLiteStore.open(at: path, expectedStoreID: expected)
        },
        adopt: { (path, _) throws(StoreError) in throw .missing(path: path) },
        restore: { (_, path, _, _, _, _) throws(StoreError) in throw .missing(path: path) },
        backupContents: SQLiteStore.contents, examine: SQLiteStore.examine))
    answer.status = Hotglue.run(arguments: arguments, in: environment)
    return answer
  }
}

/// Whole files.
enum Files {
  static func read(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "re") else { throw Finding("cannot open '\(path)'") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "we") else { throw Finding("cannot create '\(path)'") }
    let count = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, count == bytes.count else { throw Finding("cannot write '\(path)'") }
  }

  static func names(in path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

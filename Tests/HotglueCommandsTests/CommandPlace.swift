import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import HotglueStoreSQLite
import TestSupport

/// What one command line answered.
struct Answer: Equatable, CustomStringConvertible {
  var status: Int32
  var output: String
  var error: String

  var description: String { "status \(status)\n--- output\n\(output)--- error\n\(error)" }
}

/// A folder of one test's own in which command lines run, in this process, on a real store.
struct CommandPlace {
  let folder: TemporaryFolder
  var variables: [String: String] = [:]
  var directory: String
  /// Of a current directory whose name is not UTF-8, in its place.
  var directoryBytes: [UInt8]?
  /// The current directory was removed.
  var directoryIsGone = false
  var variablesNotUTF8: Set<String> = []
  var userID = geteuid()
  var userName = "tester"
  var terminals: Set<Int32> = []
  var width: Int?
  var now = Timestamp(milliseconds: 1_770_000_000_000)
  var input: [UInt8] = []
  /// Called before standard input is read.
  var onRead: () -> Void = {}
  var failOutput: Int32?
  var switchStep: (SwitchStep) throws -> Void = { _ in }

  init() throws {
    folder = try TemporaryFolder("hotglue-commands")
    directory = folder.path
  }

  /// A place with a context, two workspaces, and the first of them selected.
  static func ready() throws -> CommandPlace {
    let place = try CommandPlace()
    for line in ["init", "workspace create acme", "workspace create beta", "workspace switch acme"]
    {
      let answer = place.run(line)
      guard answer.status == 0 else { throw NotReady(line: line, answer: answer) }
    }
    return place
  }

  struct NotReady: Error {
    let line: String
    let answer: Answer
  }

  var contextPath: String { folder.file(".hotglue/context.json") }
  var storePath: String { folder.file(".hotglue/store.db") }

  /// Runs a command line of plain words.
  func run(_ line: String) -> Answer { run(line.split(separator: " ").map(String.init)) }

  func run(_ arguments: [String]) -> Answer {
    let output = Collected()
    let error = Collected()
    let status = Hotglue.run(arguments: arguments, in: environment(output, error))
    return Answer(status: status, output: text(output.bytes), error: text(error.bytes))
  }

  private final class Collected {
    var bytes: [UInt8] = []
  }

  private func environment(_ output: Collected, _ error: Collected) -> CommandEnvironment {
    var rest = input[...]
    let failure = failOutput
    let terminals = terminals
    let onRead = onRead
    let width = width
    let now = now
    let userName = userName
    var environment = CommandEnvironment(
      variables: variables,
      currentDirectory: directoryBytes == nil && !directoryIsGone ? directory : nil,
      user: User(id: userID) { userName },
      readInput: { (count) throws(SystemError) in
        onRead()
        let chunk = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Array(chunk)
      },
      output: ByteSink { (bytes) throws(SystemError) in
        if let failure { throw SystemError("write", "standard output", code: failure) }
        output.bytes += bytes
      },
      errorOutput: ByteSink { (bytes) throws(SystemError) in error.bytes += bytes },
      isTerminal: { terminals.contains($0.rawValue) }, terminalName: { nil },
      terminalSize: { _ in width.map { TerminalSize(columns: $0, rows: 24) } }, now: { now },
      newID: { "id-\(UInt64.random(in: 0...UInt64.max))" },
      stores: StoreAccess(
        create: { (path, group, now) throws(StoreError) in
          try SQLiteStore.create(at: path, group: group, now: now)
        },
        open: { (path, expected) throws(StoreError) in
          try SQLiteStore.open(at: path, expectedStoreID: expected)
        },
        adopt: { (path, expected) throws(StoreError) in
          try SQLiteStore.adopt(at: path, expectedStoreID: expected)
        },
        restore: { (backup, path, assumingNotRun, actor, now, alive) throws(StoreError) in
          try SQLiteStore.restore(
            backup: backup, to: path, assumingNotRun: assumingNotRun, by: actor, at: now,
            alive: alive)
        }, backupContents: SQLiteStore.contents, examine: SQLiteStore.examine))
    environment.switchStep = switchStep
    environment.currentDirectoryBytes = directoryBytes
    environment.variablesNotUTF8 = variablesNotUTF8
    return environment
  }

  /// With what differs from run to run left out: the folder and the store's ID.
  private func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self).replacing(folder.path, with: "PLACE")
  }
}

extension CommandPlace {
  func read(_ path: String) throws -> String {
    guard let file = fopen(path, "re") else { throw SystemError("open", path) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 17)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
    guard let file = fopen(path, "we") else { throw SystemError("open", path) }
    defer { fclose(file) }
    guard fputs(text, file) >= 0, fchmod(fileno(file), mode) == 0 else {
      throw SystemError("write", path)
    }
  }

  func mode(of path: String) throws -> mode_t {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SystemError("look at", path) }
    return status.st_mode & 0o7777
  }

  func context() throws -> ContextFile {
    try ContextFile(parsing: Array(read(contextPath).utf8))
  }

  func store() throws -> SQLiteStore { try SQLiteStore.open(at: storePath) }

  /// What the store knows of this place's context.
  func record() throws -> ContextRecord? {
    try store().context(ContextKey(contextID: context().contextID, path: contextPath))
  }

  func enqueue(_ count: Int = 1, in workspace: String = "acme") throws -> [JobID] {
    guard let id = WorkspaceID(workspace) else { throw StoreError.missing(path: workspace) }
    let request = EnqueueRequest(command: ["true"], directory: folder.path)
    let actor = Actor(user: "tester", command: "test", workspaceOrigin: "flag")
    return try store().enqueue(
      Array(repeating: request, count: count), in: id, by: actor, at: now
    ).map(\.id)
  }
}

import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import HotglueStoreSQLite

extension CommandEnvironment {
  /// The machine as it is, and stores on SQLite.
  static func live() -> CommandEnvironment {
    let (variables, others) = System.variables()
    let directory = System.currentDirectory()
    var environment = CommandEnvironment(
      variables: variables, currentDirectory: directory.path,
      user: User(id: geteuid(), name: System.userName),
      readInput: { (count) throws(SystemError) in
        try System.read(STDIN_FILENO, "standard input", count)
      },
      output: ByteSink(to: STDOUT_FILENO) { (bytes) throws(SystemError) in
        try System.write(bytes, to: STDOUT_FILENO, "standard output")
      },
      errorOutput: ByteSink { (bytes) throws(SystemError) in
        try System.write(bytes, to: STDERR_FILENO, "standard error")
      },
      isTerminal: { isatty($0.rawValue) == 1 }, terminalName: System.terminalName,
      terminalSize: System.terminalSize, now: System.now, newID: System.newID, stores: .sqlite)
    environment.variablesNotUTF8 = others
    if case .notUTF8(let bytes) = directory { environment.currentDirectoryBytes = bytes }
    environment.umask = System.umask()
    return environment
  }
}

extension StoreAccess {
  static var sqlite: StoreAccess {
    StoreAccess(
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
      }, backupContents: SQLiteStore.contents, examine: SQLiteStore.examine)
  }
}

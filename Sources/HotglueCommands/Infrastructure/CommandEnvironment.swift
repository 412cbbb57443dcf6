public import HotglueCore
public import HotglueStore

/// Everything that a command takes from outside its arguments. What is dear to get is a closure, so
/// that `--help` opens nothing.
public struct CommandEnvironment {
  /// Those that are UTF-8; `variable` refuses the others by name.
  public var variables: [String: String]
  /// Names of variables whose values are not UTF-8. Children inherit them as they are.
  public var variablesNotUTF8: Set<String> = []
  /// The command line without the program's name, as it was given: hints repeat it.
  public internal(set) var arguments: [String] = []
  /// The end of this command is that of its container.
  public var endsAll = false
  /// Absolute; `nil` when the directory is gone, or its name is not UTF-8.
  public var currentDirectory: String?
  /// The name of a current directory that is not UTF-8; `nil` for any other.
  public var currentDirectoryBytes: [UInt8]?
  /// Recorded with the directory.
  public var umask = FileMask.standard
  public var user: User
  /// Standard input: the next bytes, at most as many as asked for; empty at the end.
  public var readInput: (_ count: Int) throws(SystemError) -> [UInt8]
  public var output: ByteSink
  public var errorOutput: ByteSink
  public var isTerminal: (StandardStream) -> Bool
  /// The terminal's name (`/dev/pts/3`), for the log.
  public var terminalName: () -> String?
  /// Of the terminal that a stream is.
  public var terminalSize: (StandardStream) -> TerminalSize?
  public var now: () -> Timestamp
  /// A fresh UUID.
  public var newID: () -> String
  public var stores: StoreAccess
  /// Reached between the steps of a switch; tests end the command there, as a crash would.
  public var switchStep: (SwitchStep) throws -> Void = { _ in }

  public init(
    variables: [String: String], currentDirectory: String?, user: User,
    readInput: @escaping (Int) throws(SystemError) -> [UInt8], output: ByteSink,
    errorOutput: ByteSink, isTerminal: @escaping (StandardStream) -> Bool,
    terminalName: @escaping () -> String?,
    terminalSize: @escaping (StandardStream) -> TerminalSize?,
    now: @escaping () -> Timestamp, newID: @escaping () -> String, stores: StoreAccess
  ) {
    self.variables = variables
    self.currentDirectory = currentDirectory
    self.user = user
    self.readInput = readInput
    self.output = output
    self.errorOutput = errorOutput
    self.isTerminal = isTerminal
    self.terminalName = terminalName
    self.terminalSize = terminalSize
    self.now = now
    self.newID = newID
    self.stores = stores
  }
}

/// How many characters a terminal shows.
public struct TerminalSize: Hashable, Sendable {
  public var columns: Int
  public var rows: Int
  public init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }
}

public enum StandardStream: Int32, Sendable {
  case input = 0
  case output = 1
  case error = 2
}

/// The operating-system user a command runs as.
public struct User {
  /// The effective user ID.
  public var id: UInt32
  /// The login name, or the number when there is none.
  public var name: () -> String
  public init(id: UInt32, name: @escaping () -> String) {
    self.id = id
    self.name = name
  }
}

/// How stores are made and opened: the one thing that depends on which kind of store it is.
public struct StoreAccess {
  /// Makes a store at a path where none is.
  public var create:
    (_ path: String, _ group: String?, _ now: Timestamp) throws(StoreError) -> any Store
  /// Opens a store; with an ID, `otherStore` unless it is that one.
  public var open: (_ path: String, _ expectedStoreID: String?) throws(StoreError) -> any Store
  /// Opens a store that the user has just trusted, and makes a copy one that belongs here; whether it was
  /// a copy.
  public var adopt:
    (_ path: String, _ expectedStoreID: String?) throws(StoreError) -> (any Store, wasCopy: Bool)
  /// Makes the store at `path` a new incarnation of the backup; `alive` names what still runs below
  /// the store's folder.
  public var restore:
    (
      _ backup: String, _ path: String, _ assumingNotRun: Bool, _ actor: Actor, _ now: Timestamp,
      _ alive: (_ folder: String) throws(StoreError) -> [LivingProcess]
    ) throws(StoreError) -> Void
  /// What a backup holds; changes nothing.
  public var backupContents: (_ path: String) throws(StoreError) -> BackupContents
  /// Looks at a store as it is, refusing nothing and writing nothing.
  public var examine: (_ path: String) -> StoreExamination

  public init(
    create: @escaping (String, String?, Timestamp) throws(StoreError) -> any Store,
    open: @escaping (String, String?) throws(StoreError) -> any Store,
    adopt: @escaping (String, String?) throws(StoreError) -> (any Store, wasCopy: Bool),
    restore:
      @escaping (
        String, String, Bool, Actor, Timestamp, (String) throws(StoreError) -> [LivingProcess]
      ) throws(StoreError) -> Void,
    backupContents: @escaping (String) throws(StoreError) -> BackupContents,
    examine: @escaping (String) -> StoreExamination
  ) {
    self.create = create
    self.open = open
    self.adopt = adopt
    self.restore = restore
    self.backupContents = backupContents
    self.examine = examine
  }
}

/// The steps of a workspace switch, in order.
public enum SwitchStep: String, CaseIterable, Sendable {
  /// The intent is recorded, the file is as before.
  case intentRecorded = "intent_recorded"
  /// The new file is whole and durable under its temporary name.
  case fileWritten = "file_written"
  /// The new file is in its place, the intent is not confirmed.
  case fileReplaced = "file_replaced"
}

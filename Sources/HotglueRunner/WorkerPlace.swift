public import HotglueCore
import HotglueProcess

/// Where attempts are minded: the store's files, this machine, its clocks.
public struct WorkerPlace {
  /// The store's real path.
  public let storePath: String
  /// `STORE.d`.
  public let folder: String
  public let storeID: String
  /// Several users share the store.
  public let isShared: Bool
  public let hostName: String
  /// The worker's own variables, `NAME=VALUE` each.
  public let environment: [String]
  /// The path of the running binary, whatever its name.
  public let binary: String
  /// Which file the store is; a copy is another one.
  public let storeFile: String
  public let bootID: String
  public let pidNamespace: UInt64
  /// Where automations find their zones; `nil`: none is ticked.
  public var zones: AutomationTicker.Zones?

  public init(
    storePath: String, folder: String, storeID: String, isShared: Bool, hostName: String,
    environment: [String], binary: String
  ) throws(RunnerError) {
    self.storePath = storePath
    self.folder = folder
    self.storeID = storeID
    self.isShared = isShared
    self.hostName = hostName
    self.environment = environment
    self.binary = binary
    storeFile = fileOrigin(storePath) ?? ""
    let me = try processStep { () throws(ProcessError) in try ProcessIdentity.current() }
    bootID = me.bootID
    pidNamespace = me.pidNamespace
  }

  /// The folder of the running binary.
  public var binaryFolder: String { Path.folder(of: binary) }

  public func now() -> Timestamp { Timestamp(milliseconds: WallClock.now()) }
  public func bootNow() -> BootTime { BootTime(bootID: bootID, milliseconds: BootClock.now()) }
}

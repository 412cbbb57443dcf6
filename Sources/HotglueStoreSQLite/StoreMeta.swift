import HotglueCore
import HotglueFiles
import HotglueStore

/// What a store says of itself.
struct StoreMeta {
  var storeID = ""
  var incarnation: Int64 = 1
  var createdAt = Timestamp(milliseconds: 0)
  /// The group that shares the store, as it was given, and its number.
  var group: String?
  var groupID: UInt32?
  /// The name that the number had where the store was made; `nil` when it had none.
  var groupName: String?
  /// The file that the store was made in; any other one is a copy.
  var fingerprint: FileFingerprint?
}

extension StoreMeta {
  /// Reads what the store says of itself.
  init(of connection: Connection) throws(StoreError) {
    self.init()
    let pairs = try connection.all(OpenSQL.meta, [], { ($0.text(0), $0.text(1)) })
    for (key, value) in pairs {
      switch key {
      case "store_id": storeID = value
      case "incarnation": incarnation = Int64(value) ?? 1
      case "created_at": createdAt = Timestamp(milliseconds: Int64(value) ?? 0)
      case "group": group = value
      case "group_id": groupID = UInt32(value)
      case "group_name": groupName = value
      case "file": fingerprint = FileFingerprint(value)
      default: continue
      }
    }
    // It names files.
    guard RowName.slot(storeID) == storeID else {
      throw StoreError.corrupt(path: connection.path, detail: "the store has no ID")
    }
  }

  func write(to connection: Connection) throws(StoreError) {
    try Self.set("store_id", storeID, in: connection)
    try Self.set("incarnation", String(incarnation), in: connection)
    try Self.set("created_at", String(createdAt.milliseconds), in: connection)
    try writePlace(to: connection)
  }

  /// Makes a copy of a store one that was made in this file.
  static func record(
    _ fingerprint: FileFingerprint, in connection: Connection
  ) throws(StoreError) {
    try set("file", fingerprint.text, in: connection)
  }

  /// What depends on where the store is: its file, and the group that shares it there.
  func writePlace(to connection: Connection) throws(StoreError) {
    if let fingerprint { try Self.record(fingerprint, in: connection) }
    try Self.set("group", group, in: connection)
    try Self.set("group_id", groupID.map { String($0) }, in: connection)
    try Self.set("group_name", groupName, in: connection)
  }

  private static func set(
    _ key: String, _ value: String?, in connection: Connection
  ) throws(StoreError) {
    if let value {
      try connection.run(OpenSQL.setMeta, [.text(key), .text(value)])
    } else {
      try connection.run(OpenSQL.forgetMeta, [.text(key)])
    }
  }

  /// A group by name or number.
  mutating func share(with group: String, at path: String) throws(StoreError) {
    guard let number = SystemAccounts.group(group) else {
      throw StoreError.notPermitted(
        path: path, reason: "there is no group '\(group)'", remedy: nil)
    }
    self.group = group
    groupID = number
    groupName = SystemAccounts.groupName(number)
  }

  /// A group's number may mean others on another machine: the store is shared here only if the number
  /// has the name that it had there.
  mutating func keepGroupOnlyIfItIsTheSameHere() {
    guard let groupID, SystemAccounts.groupName(groupID) != groupName else { return }
    group = nil
    self.groupID = nil
    groupName = nil
  }
}

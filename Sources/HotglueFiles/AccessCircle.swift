import Glibc

/// The users that may write a store: this one, root, the store's owner where that is another user, and
/// the members of the group that shares it. What anybody else may write or replace is refused.
///
/// Pure but for the question who is in a group: it judges what `stat` has told, and asks nothing of what
/// is judged.
public struct AccessCircle: Sendable {
  /// This user.
  public var user: UInt32
  /// The owner of the store.
  public var owner: UInt32
  /// The group that shares it; `nil` for a private one.
  public var group: UInt32?
  var hasOthers: @Sendable (UInt32) -> Bool

  public init(
    user: UInt32, owner: UInt32, group: UInt32?,
    hasOthers: @escaping @Sendable (UInt32) -> Bool = SystemAccounts.hasOthers(inGroup:)
  ) {
    self.user = user
    self.owner = owner
    self.group = group
    self.hasOthers = hasOthers
  }

  public struct Refusal: Error, Hashable, Sendable {
    public var path: String
    public var reason: String
    /// The command that helps.
    public var remedy: String?
  }

  private func isInside(_ id: UInt32) -> Bool { id == user || id == 0 || id == owner }

  /// Why a file or directory cannot be part of the store; `nil` when it can.
  public func refusal(of path: String, _ facts: FileFacts) -> Refusal? {
    if let group {
      if facts.isOpenToAll {
        return Refusal(
          path: path, reason: "others may write to it", remedy: "chmod o-w \(Self.quoted(path))")
      }
      if facts.group != group {
        return Refusal(
          path: path, reason: "it does not belong to the group that shares the store",
          remedy: "chgrp \(group) \(Self.quoted(path))")
      }
      return nil
    }
    if !isInside(facts.owner) {
      return Refusal(
        path: path, reason: "it belongs to user \(SystemAccounts.user(facts.owner))", remedy: nil)
    }
    if facts.mode & 0o022 != 0 {
      return Refusal(
        path: path, reason: "group or others may write to it",
        remedy: "chmod go-w \(Self.quoted(path))")
    }
    return nil
  }

  /// Why the store cannot lie in a directory: others may put files beside it, or replace it.
  ///
  /// A sticky directory, as /tmp, is none of these: there others cannot replace what is not theirs, and
  /// SQLite opens no file of theirs. A directory of another user further up is none either: that user
  /// can take the store away, and put nothing in its place that would be opened.
  public func refusal(ofDirectory path: String, _ facts: FileFacts, isNext: Bool) -> Refusal? {
    if isNext, !facts.isSticky, !isInside(facts.owner), group == nil || facts.group != group {
      return Refusal(
        path: path, reason: "it belongs to user \(SystemAccounts.user(facts.owner))", remedy: nil)
    }
    if facts.isSticky { return nil }
    if facts.isOpenToAll {
      return Refusal(
        path: path, reason: "every user may replace what lies in it",
        remedy: "chmod o-w \(Self.quoted(path))")
    }
    if facts.isOpenToGroup, facts.group != group, hasOthers(facts.group) {
      return Refusal(
        path: path, reason: "its group may replace what lies in it",
        remedy: "chmod g-w \(Self.quoted(path))")
    }
    return nil
  }

  /// The same of every directory that leads to a path, which has no links in it, the nearest first.
  public func refusal(ofPathTo path: String) throws(FileError) -> Refusal? {
    var rest = path[...]
    var isNext = true
    while let slash = rest.lastIndex(of: "/") {
      rest = rest[..<slash]
      let directory = rest.isEmpty ? "/" : String(rest)
      if let refusal = refusal(
        ofDirectory: directory, try FileFacts(of: directory), isNext: isNext)
      {
        return refusal
      }
      isNext = false
    }
    return nil
  }

  static func quoted(_ path: String) -> String {
    "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#)
      + "'"
  }
}

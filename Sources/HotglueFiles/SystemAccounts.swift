import Glibc

/// Users and groups of the system, read from its files: a fully static program cannot ask the name
/// service.
public enum SystemAccounts {
  /// The login name of a user, or the number of one that the system's file does not list.
  public static func user(_ id: UInt32) -> String {
    users().first { $0.id == id }.map { String($0.name) } ?? String(id)
  }

  /// The number of a group, given by name or number.
  public static func group(_ name: String) -> UInt32? {
    groups().first { $0.name == name }?.id ?? UInt32(name)
  }

  /// The name of a group; `nil` of one that the system's file does not list.
  public static func groupName(_ id: UInt32) -> String? {
    groups().first { $0.id == id }?.name
  }

  /// Whether this process is in a group.
  public static func isMember(of group: UInt32) -> Bool {
    if getegid() == group { return true }
    let count = getgroups(0, nil)
    guard count > 0 else { return false }
    var groups = [gid_t](repeating: 0, count: Int(count))
    return getgroups(count, &groups) >= 0 && groups.contains(group)
  }

  /// Whether a group lets somebody in besides this user and root: not so for the private group that many
  /// systems give each user, nor for one without members. One that the system's file does not list may
  /// have any.
  public static func hasOthers(inGroup id: UInt32) -> Bool {
    if id == 0 && geteuid() == 0 { return false }
    guard let group = groups().first(where: { $0.id == id }) else { return true }
    let users = users()
    let trusted = users.filter { $0.id == geteuid() || $0.id == 0 }.map(\.name)
    if group.members.contains(where: { !trusted.contains($0) }) { return true }
    return users.contains { $0.group == id && $0.id != geteuid() && $0.id != 0 }
  }

  struct User {
    var name: Substring
    var id: UInt32
    var group: UInt32
  }

  struct Group {
    var name: String
    var id: UInt32
    var members: [Substring]
  }

  private static func users() -> [User] {
    lines(of: "/etc/passwd").compactMap { fields in
      guard fields.count >= 4, let id = UInt32(fields[2]), let group = UInt32(fields[3]) else {
        return nil
      }
      return User(name: fields[0], id: id, group: group)
    }
  }

  private static func groups() -> [Group] {
    lines(of: "/etc/group").compactMap { fields in
      guard fields.count >= 3, let id = UInt32(fields[2]) else { return nil }
      let members = fields.count > 3 ? fields[3].split(separator: ",") : []
      return Group(name: String(fields[0]), id: id, members: members)
    }
  }

  private static func lines(of path: String) -> [[Substring]] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < 16 << 20 {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    return Substring(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ":", omittingEmptySubsequences: false)
    }
  }
}

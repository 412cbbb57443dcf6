/// A link that names one thing in one workspace: `hotglue://WORKSPACE/KIND/ID`.
public struct EntityLink: Hashable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    case job, draft, source, automation, type, effect
  }

  public let workspace: WorkspaceID
  public let kind: Kind
  /// As the thing is named, not as it is spelled in the link: a number, or a name.
  public let id: String
  public static let scheme = "hotglue://"
  /// What a link looks like, for messages.
  public static let example = "hotglue://WORKSPACE/job/42"

  public init(workspace: WorkspaceID, kind: Kind, id: String) {
    self.workspace = workspace
    self.kind = kind
    self.id = id
  }

  public static func job(_ id: JobID, in workspace: WorkspaceID) -> EntityLink {
    EntityLink(workspace: workspace, kind: .job, id: String(id))
  }

  public static func draft(_ id: DraftID, in workspace: WorkspaceID) -> EntityLink {
    EntityLink(workspace: workspace, kind: .draft, id: String(id))
  }

  public static func type(_ name: String, in workspace: WorkspaceID) -> EntityLink {
    EntityLink(workspace: workspace, kind: .type, id: name)
  }

  /// A source is linked by its number: its name may be another source's one day.
  public static func source(_ id: Int64, in workspace: WorkspaceID) -> EntityLink {
    EntityLink(workspace: workspace, kind: .source, id: String(id))
  }

  /// An automation is linked by its number, as a source is.
  public static func automation(_ id: Int64, in workspace: WorkspaceID) -> EntityLink {
    EntityLink(workspace: workspace, kind: .automation, id: String(id))
  }

  /// An effect is named by its scope and its key: `effect/42/charge`, `effect/workspace/charge`.
  public static func effect(_ name: EffectName) -> EntityLink {
    let scope = name.job.map { String($0) } ?? "workspace"
    return EntityLink(workspace: name.workspace, kind: .effect, id: "\(scope)/\(name.key)")
  }

  /// The scope and the key of an effect's link; `nil` for one that names none.
  public var effectName: EffectName? {
    guard kind == .effect, let slash = id.firstIndex(of: "/") else { return nil }
    let reach = String(id[..<slash])
    let key = String(id[id.index(after: slash)...])
    if reach == "workspace" {
      return EffectName(workspace: workspace, scope: .workspace, key: key)
    }
    guard let job = JobID(reach), job > 0 else { return nil }
    return EffectName(workspace: workspace, scope: .job(job), key: key)
  }

  /// Why a text is no link.
  public enum Problem: Error, Hashable, Sendable {
    case malformed
    case badWorkspace(String)
    case unknownKind(String)
  }

  /// Whether a text is meant as a link: no other ID looks like that.
  public static func isMeant(by text: String) -> Bool { text.hasPrefix(scheme) }

  public init(parsing text: String) throws(Problem) {
    guard Self.isMeant(by: text) else { throw .malformed }
    let parts = text.dropFirst(Self.scheme.count).split(
      separator: "/", maxSplits: 2, omittingEmptySubsequences: false
    ).map(String.init)
    guard let name = parts.first, !name.isEmpty else { throw .malformed }
    guard let workspace = WorkspaceID(name) else { throw .badWorkspace(name) }
    guard parts.count > 1, !parts[1].isEmpty else { throw .malformed }
    guard let kind = Kind(rawValue: parts[1]) else { throw .unknownKind(parts[1]) }
    guard parts.count == 3, let id = Self.decoded(parts[2]), !id.isEmpty else { throw .malformed }
    self.init(workspace: workspace, kind: kind, id: id)
  }

  /// The link, or `nil` when the text is not one or names a kind that does not exist.
  public init?(_ text: String) {
    do {
      try self.init(parsing: text)
    } catch {
      return nil
    }
  }

  public var text: String {
    "\(Self.scheme)\(workspace)/\(kind.rawValue)/\(Self.encoded(id))"
  }

  // MARK: Spelling

  /// Keys and names may hold any text; a link is one word that no shell and no terminal changes.
  private static func encoded(_ id: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in id.utf8 {
      let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      if byte.isDigit || isLetter || "-._~/:@+,=".utf8.contains(byte) {
        bytes.append(byte)
      } else {
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func decoded(_ text: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let pair = rest.prefix(2)
      guard pair.count == 2, !pair.contains(UInt8(ascii: "+")),
        let code = UInt8(String(decoding: pair, as: UTF8.self), radix: 16), code != 0
      else { return nil }
      bytes.append(code)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

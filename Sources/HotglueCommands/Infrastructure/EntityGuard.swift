import HotglueCore
import HotglueStore

extension EntityLink {
  /// The link that an argument is; what is none is refused with the reason.
  init(argument text: String) throws(CommandError) {
    do throws(Problem) {
      try self.init(parsing: text)
    } catch {
      throw CommandError(error, in: text)
    }
  }

  /// What the link names, when it is of that kind.
  func id(of kind: Kind) throws(CommandError) -> String {
    guard self.kind == kind else {
      throw .usage(
        "'\(text)' names \(self.kind.withArticle), not \(kind.withArticle)",
        hint: "show what it names with 'hotglue open \(text)'")
    }
    return id
  }

  /// The number of a thing of a kind that is named by numbers.
  func number(of kind: Kind) throws(CommandError) -> Int64 {
    let id = try id(of: kind)
    guard let number = Int64(id), number > 0, id.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
    else {
      throw .usage(
        "'\(text)' is not a link to \(kind.withArticle)", hint: "links look like \(Self.example)")
    }
    return number
  }
}

extension EntityLink {
  /// The effect that the link names by its scope and key.
  func effect() throws(CommandError) -> EffectName {
    _ = try id(of: .effect)
    guard let name = effectName else {
      throw .usage(
        "'\(text)' is not a link to an effect",
        hint: "links to effects look like hotglue://\(workspace)/effect/42/KEY")
    }
    return name
  }
}

extension CommandError {
  fileprivate init(_ problem: EntityLink.Problem, in text: String) {
    switch problem {
    case .badWorkspace(let name):
      self = .usage("'\(text)' names no workspace: '\(name)'", hint: "use \(WorkspaceID.rule)")
    case .unknownKind(let name):
      let kinds = EntityLink.Kind.allCases.map(\.rawValue)
      let near = NearMatch.among(kinds, to: name)
      self = .usage(
        "'\(text)' names no kind of thing: '\(name)'",
        hint: near.isEmpty
          ? "one of \(kinds.joined(separator: ", "))"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
    case .malformed:
      self = .usage("'\(text)' is not a link", hint: "links look like \(EntityLink.example)")
    }
  }
}

extension EntityLink.Kind {
  /// `a job`, `an effect`.
  var withArticle: String {
    switch self {
    case .job, .draft, .source, .type: "a \(rawValue)"
    case .automation, .effect: "an \(rawValue)"
    }
  }
}

extension WorkspaceSession {
  /// The job that an argument names: a number, or a link. A link into another workspace than the
  /// resolved one is refused, whatever number it carries; so is a job that belongs to another one.
  func jobID(_ text: String) throws -> JobID {
    let id = try jobNumber(text)
    if let owner = try store.owner(ofJob: id) {
      guard owner == workspace else { throw StoreError.otherWorkspace(id, owner: owner) }
      return id
    }
    throw StoreError.unknownJob(id)
  }

  /// As `jobID`, without asking the store: for commands whose next call asks it anyway.
  func jobNumber(_ text: String) throws -> JobID {
    if EntityLink.isMeant(by: text) { return try number(text, of: .job) }
    guard let id = JobID(text), id > 0, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
    else {
      throw CommandError.usage(
        "'\(text)' is not a job ID", hint: "give a number like 42, or hotglue://\(workspace)/job/42"
      )
    }
    return id
  }

  /// The name that an argument is, or that a link of that kind names.
  func name(_ text: String, of kind: EntityLink.Kind) throws -> String {
    guard EntityLink.isMeant(by: text) else { return text }
    let id = try EntityLink(argument: text).id(of: kind)
    _ = try link(text)
    return id
  }

  /// The number that a link to a thing of that kind carries.
  func number(_ text: String, of kind: EntityLink.Kind) throws -> Int64 {
    let number = try EntityLink(argument: text).number(of: kind)
    _ = try link(text)
    return number
  }

  /// A link into this workspace; one into another is refused, with the flag that would mean it.
  func link(_ text: String) throws -> EntityLink {
    let link = try EntityLink(argument: text)
    guard link.workspace == workspace else {
      _ = try store.workspace(link.workspace)
      throw CommandError.mismatch(
        of: link.kind.rawValue, link.id, owner: link.workspace, in: self)
    }
    return link
  }
}

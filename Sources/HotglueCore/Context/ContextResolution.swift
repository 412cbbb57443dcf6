/// What flags and environment say about the context.
public struct ContextRequest: Hashable, Sendable {
  /// `-w`.
  public var workspace: String?
  /// `--context`.
  public var contextFlag: String?
  /// `$HOTGLUE_CONTEXT`; an empty one names a file that is missing.
  public var contextVariable: String?
  /// `--store`, made absolute by the caller.
  public var store: String?
  /// `--expect`.
  public var expected: String?

  public init(
    workspace: String? = nil, contextFlag: String? = nil, contextVariable: String? = nil,
    store: String? = nil, expected: String? = nil
  ) {
    self.workspace = workspace
    self.contextFlag = contextFlag
    self.contextVariable = contextVariable
    self.store = store
    self.expected = expected
  }

  /// Which file counts: the one named by the flag, else by the variable; `nil`: look for one.
  public var namedFile: (path: String, origin: ContextOrigin)? {
    if let contextFlag { return (contextFlag, .flag) }
    if let contextVariable { return (contextVariable, .environment) }
    return nil
  }

  /// With store and workspace named and no file, there is nothing to look for.
  public var needsNoFile: Bool { namedFile == nil && store != nil && workspace != nil }
}

/// A context file as the caller found it, as data.
public struct ContextFinding: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    case missing
    case bytes([UInt8])
  }

  public var origin: ContextOrigin
  public var shownPath: String
  public var realPath: String
  public var content: Content

  public init(origin: ContextOrigin, shownPath: String, realPath: String, content: Content) {
    self.origin = origin
    self.shownPath = shownPath
    self.realPath = realPath
    self.content = content
  }
}

public enum ContextResolution {
  /// The order in which files count. Exactly one is used; they are never merged.
  public static let precedence: [ContextOrigin] = [.flag, .environment, .discovered, .user]

  /// Resolves the context of one command.
  ///
  /// Pure: `findings` holds what the caller found, in any order; findings that come later in the
  /// order of precedence than one that is there may be left out. A file that is named by flag or
  /// variable is the only one that counts, there or not.
  public static func resolve(
    _ request: ContextRequest, findings: [ContextFinding]
  ) throws(ContextError) -> ResolvedContext {
    let flagged = try workspace(of: request.workspace)
    let source = try select(request, findings)
    let context = try combine(request, flagged, source)
    if let expected = try workspace(of: request.expected), expected != context.workspace {
      throw .unexpectedWorkspace(
        expected: expected, found: context.workspace, provenance: context.workspaceProvenance)
    }
    return context
  }

  private static func select(
    _ request: ContextRequest, _ findings: [ContextFinding]
  ) throws(ContextError) -> (finding: ContextFinding, file: ContextFile)? {
    if request.needsNoFile { return nil }
    let allowed = request.namedFile.map { [$0.origin] } ?? [.discovered, .user]
    for origin in precedence where allowed.contains(origin) {
      guard let finding = findings.first(where: { $0.origin == origin }),
        case .bytes(let bytes) = finding.content
      else { continue }
      let file: ContextFile
      do {
        file = try ContextFile(parsing: bytes)
      } catch {
        throw .unusableFile(path: finding.shownPath, error)
      }
      guard AttemptPlace.name(finding.realPath, fits: file) else {
        throw .attemptEnded(path: finding.shownPath)
      }
      return (finding, file)
    }
    guard let named = request.namedFile else { return nil }
    if isAttemptContext(named.path) { throw .attemptEnded(path: named.path) }
    throw .missingFile(path: named.path, origin: named.origin)
  }

  private static func combine(
    _ request: ContextRequest, _ flagged: WorkspaceID?,
    _ selected: (finding: ContextFinding, file: ContextFile)?
  ) throws(ContextError) -> ResolvedContext {
    let source = selected.map {
      ResolvedContext.Source(
        shownPath: $0.finding.shownPath, realPath: $0.finding.realPath, file: $0.file)
    }
    let fileOrigin = selected?.finding.origin
    if let store = request.store {
      // The file's workspace belongs to the file's store, so it says nothing about this one.
      return ResolvedContext(
        workspace: flagged, store: store, storeID: nil, source: source,
        origins: .init(
          workspace: flagged == nil ? nil : .flag, store: .flag, contextFile: fileOrigin))
    }
    guard let source else { throw .nothingFound }
    let workspaceOrigin: ContextOrigin? =
      flagged != nil ? .flag : source.file.workspace != nil ? .contextFile : nil
    return ResolvedContext(
      workspace: flagged ?? source.file.workspace,
      store: Path.joined(Path.folder(of: source.realPath), source.file.store),
      storeID: source.file.storeID, source: source,
      origins: .init(workspace: workspaceOrigin, store: .contextFile, contextFile: fileOrigin))
  }

  private static func workspace(of text: String?) throws(ContextError) -> WorkspaceID? {
    guard let text else { return nil }
    guard let id = WorkspaceID(text) else { throw .badWorkspaceID(text) }
    return id
  }

  /// Whether a path is of the kind that a store gives to handlers, `STORE.d/slots/…`: when such a
  /// file is gone, its attempt has ended.
  static func isAttemptContext(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    guard parts.count >= 3 else { return false }
    return parts[parts.count - 2] == "slots" && parts[parts.count - 3].hasSuffix(".d")
  }

  /// Whether a path is of the kind that a store gives to shells and external commands,
  /// `STORE.d/contexts/…/context.json`: when such a file is gone, they have ended.
  public static func isPrivateContext(_ path: String) -> Bool {
    let parts = path.split(separator: "/")
    guard parts.count >= 4 else { return false }
    return parts[parts.count - 3] == "contexts" && parts[parts.count - 4].hasSuffix(".d")
  }
}

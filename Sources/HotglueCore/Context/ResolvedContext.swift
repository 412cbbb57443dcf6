/// What a command acts on, and where each part of it came from. A command resolves once, at its
/// start.
public struct ResolvedContext: Hashable, Sendable {
  /// `nil` when nothing names one; commands that need a workspace ask `requireWorkspace`.
  public var workspace: WorkspaceID?
  /// Absolute path of the store.
  public var store: String
  /// The store that the context was made with; `nil` when `--store` overrides it.
  public var storeID: String?
  /// The context file that was read; `nil` when `--store` and `-w` name everything.
  public var source: Source?
  public var origins: Origins

  /// The one context file that was selected.
  public struct Source: Hashable, Sendable {
    /// As it was named or found; what messages show.
    public var shownPath: String
    /// With every symbolic link resolved: the file that a switch replaces.
    public var realPath: String
    public var file: ContextFile
    public init(shownPath: String, realPath: String, file: ContextFile) {
      self.shownPath = shownPath
      self.realPath = realPath
      self.file = file
    }
  }

  public struct Origins: Hashable, Sendable {
    public var workspace: ContextOrigin?
    public var store: ContextOrigin
    public var contextFile: ContextOrigin?
    public init(
      workspace: ContextOrigin?, store: ContextOrigin, contextFile: ContextOrigin?
    ) {
      self.workspace = workspace
      self.store = store
      self.contextFile = contextFile
    }
  }

  public init(
    workspace: WorkspaceID?, store: String, storeID: String?, source: Source?, origins: Origins
  ) {
    self.workspace = workspace
    self.store = store
    self.storeID = storeID
    self.source = source
    self.origins = origins
  }

  public var generation: Int64? { source?.file.generation }
  public var pinned: ContextFile.Pin? { source?.file.pinned }
  /// The attempt that the caller is part of; of another store it would be another one.
  public var attempt: ContextFile.Attempt? {
    origins.store == .flag ? nil : source?.file.attempt
  }
  /// The type of the stream whose handler was given the context, which names no job.
  public var streamType: String? {
    guard case .stream(let type)? = source?.file.tenant else { return nil }
    return type
  }
  /// Whether a worker has made the context for a handler.
  public var isOfHandler: Bool { pinned != nil || streamType != nil }

  /// Whether the workspace was named, so that a protected one may be changed: by `-w`, by the job or
  /// the stream that the context was made for, by `workspace shell` until a switch in it, or by the `-w`
  /// of the caller of an external command. A context file that a user switched names nothing.
  public var namesWorkspace: Bool {
    switch origins.workspace {
    case .flag?: return true
    case nil: return false
    default: break
    }
    if isOfHandler { return true }
    switch source?.file.tenant {
    case .shell?: return source?.file.generation == ContextFile.shellGeneration
    case .command(_, namesWorkspace: let named)?: return named
    case .stream?, nil: return false
    }
  }

  /// Where the workspace came from, for a message: `from -w`, `from .hotglue/context.json`.
  public var workspaceProvenance: String {
    switch origins.workspace {
    case .flag?: "from -w"
    default: "from \(source?.shownPath ?? "nowhere")"
    }
  }

  public func requireWorkspace() throws(ContextError) -> WorkspaceID {
    guard let workspace else { throw .noWorkspace(contextFile: source?.shownPath) }
    return workspace
  }
}

/// Where a part of a resolved context came from.
public enum ContextOrigin: String, Sendable {
  /// `-w`, `--store` or `--context`.
  case flag
  /// `$HOTGLUE_CONTEXT`.
  case environment
  /// A member of the context file.
  case contextFile = "context_file"
  /// The nearest `.hotglue/context.json` in this folder or above.
  case discovered
  /// `$XDG_CONFIG_HOME/hotglue/context.json` or `~/.config/hotglue/context.json`.
  case user
}

/// Why no context can be resolved.
public enum ContextError: Error, Equatable, Sendable {
  /// Named by flag or variable, and not there.
  case missingFile(path: String, origin: ContextOrigin)
  case unusableFile(path: String, ContextFileError)
  /// No flag, no variable, no file.
  case nothingFound
  /// No flag, no variable, and no file but this, which other users may have put there.
  case passedOver(path: String)
  /// A context, but no workspace in it.
  case noWorkspace(contextFile: String?)
  /// `--store` without `-w`.
  case storeNeedsWorkspace(store: String)
  case badWorkspaceID(String)
  /// `--expect` names another workspace than the resolved one.
  case unexpectedWorkspace(expected: WorkspaceID, found: WorkspaceID?, provenance: String)
  /// The context was pinned to an attempt, and that has ended.
  case attemptEnded(path: String)
  /// The context is pinned to this attempt, and the variables speak of another.
  case otherAttempt(ContextFile.Pin, job: String?, fence: String?)

  /// There is no context, and none was named.
  public var isNothingFound: Bool {
    switch self {
    case .nothingFound, .passedOver: true
    default: false
    }
  }
}

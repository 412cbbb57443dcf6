public import HotglueCore

/// A draft that begins.
public struct NewDraft: Hashable, Sendable {
  public var kind: DraftKind
  public var name: String?
  public var template: [UInt8]
  public var text: [UInt8]
  public var directory: String
  public var baseRevision: Int?
  /// The context file it is begun in: a switch of that one concerns it.
  public var context: ContextKey?

  public init(
    kind: DraftKind, name: String?, template: [UInt8], text: [UInt8], directory: String,
    baseRevision: Int? = nil, context: ContextKey?
  ) {
    self.kind = kind
    self.name = name
    self.template = template
    self.text = text
    self.directory = directory
    self.baseRevision = baseRevision
    self.context = context
  }
}

/// What a draft asks for, read from its text.
public enum DraftSubmission: Hashable, Sendable {
  case job(EnqueueRequest)
  case type(name: String, definition: TypeDefinition)
  case source(name: String, definition: SourceDefinition)
  case automation(AutomationSetting)
}

/// What a draft became.
public enum DraftOutcome: Hashable, Sendable {
  case job(Enqueued)
  case type(TypeChange)
  /// `before` is `nil` when there was none of that name.
  case source(before: Source?, after: Source)
  case automation(AutomationChange)
}

/// What an entity has become since a draft of it was begun.
public struct DraftConflict: Hashable, Sendable {
  public var draft: DraftID
  public var name: String
  /// The revision the draft starts from; `nil`: there was none.
  public var baseRevision: Int?
  public var meanwhile: Meanwhile

  /// `current` is `nil` when it was removed.
  public enum Meanwhile: Hashable, Sendable {
    case type(base: JobType?, current: JobType?)
    /// Earlier revisions of a source are not kept: what it was is in the draft's template.
    case source(current: Source?)
    case automation(current: Automation?)
  }

  /// The revision that is current; `nil`: it was removed.
  public var revision: Int? {
    switch meanwhile {
    case .type(_, let current): current?.revision
    case .source(let current): current?.revision
    case .automation(let current): current?.revision
    }
  }

  public init(draft: DraftID, name: String, baseRevision: Int?, meanwhile: Meanwhile) {
    self.draft = draft
    self.name = name
    self.baseRevision = baseRevision
    self.meanwhile = meanwhile
  }

  /// Of a type.
  public init(draft: DraftID, name: String, base: JobType?, current: JobType?) {
    self.init(
      draft: draft, name: name, baseRevision: base?.revision,
      meanwhile: .type(base: base, current: current))
  }
}

/// Drafts. Every method is one atomic, durable step; each that changes something leaves a row in the
/// log.
public protocol DraftStore {
  func startDraft(
    _ draft: NewDraft, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Draft

  /// The draft; `draftOfOtherWorkspace` or `unknownDraft` otherwise.
  func draft(_ id: DraftID, in workspace: WorkspaceID) throws(StoreError) -> Draft
  /// The workspace that a draft belongs to, or `nil`.
  func owner(ofDraft id: DraftID) throws(StoreError) -> WorkspaceID?

  /// At most `limit` drafts with IDs below `before`, newest first. `nil` for `kind`: of any.
  func drafts(
    in workspace: WorkspaceID, state: DraftState, kind: DraftKind?, before: DraftID?, limit: Int
  ) throws(StoreError) -> [Draft]

  /// Open drafts of a workspace that were begun in this context file: those that its switch concerns.
  func openDrafts(of context: ContextKey, in workspace: WorkspaceID) throws(StoreError) -> [Draft]

  /// Remembers who has the draft in an editor, for the log of what is found there later. Nothing of
  /// the draft changes, and there is no row in the log. Who began it is remembered from the start.
  func noteEditor(
    ofDraft id: DraftID, in workspace: WorkspaceID, by actor: Actor
  ) throws(StoreError)
  /// Who had the draft in an editor last; `nil` where that was not recorded.
  func editor(ofDraft id: DraftID, in workspace: WorkspaceID) throws(StoreError) -> Actor?

  /// Keeps what was typed; the same text again changes nothing. Also of a draft in the bin, and in an
  /// archived workspace: nothing that was typed is refused. `draftNotOpen` for a submitted one.
  func saveDraft(
    _ id: DraftID, in workspace: WorkspaceID, text: [UInt8], name: String?, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> Draft

  /// Moves an open draft to the bin.
  func discardDraft(
    _ id: DraftID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Draft

  /// Brings a draft back from the bin.
  func restoreDraft(
    _ id: DraftID, in workspace: WorkspaceID, by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> Draft

  /// Makes what the draft asks for, and marks it submitted: both or neither.
  ///
  /// `draftChanged` when its text is not the one that `stamp` was read with. A draft whose entity is
  /// at another revision than the one it starts from is refused with `draftBehind`, unless `over` is
  /// that other revision: somebody has seen it.
  func submitDraft(
    _ stamp: DraftStamp, in workspace: WorkspaceID, as submission: DraftSubmission, over: Int?,
    by actor: Actor, at now: Timestamp
  ) throws(StoreError) -> (Draft, DraftOutcome)

  /// Removes at most `limit` drafts that were put into the bin or submitted before the moment. What a
  /// switch has moved that is not confirmed stays.
  func pruneDrafts(
    before moment: Timestamp, limit: Int, dryRun: Bool
  ) throws(StoreError) -> [DraftID]
}

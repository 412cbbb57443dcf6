/// What a switch would make stale and what goes on, worked out before anything is changed.
///
/// Page cursors are not in it one by one: a cursor is a text that carries its workspace and is kept
/// nowhere, so the rule alone says what becomes of those of the workspace that is left.
public struct SwitchPlan: Hashable, Sendable {
  public var from: WorkspaceID?
  /// What the workspace that is left is: a file may name one that the store does not have.
  public var fromState: PlaceState?
  public var to: WorkspaceID
  /// Nobody switches to one that is archived: the plan says so before.
  public var toState: PlaceState
  public var contextFile: String
  /// The generation that the file has after the switch.
  public var nextGeneration: Int64
  /// Bound to the workspace that is left, and what the switch would do about each.
  public var drafts: [StaleDraft] = []
  /// The user may not read there: of the drafts only the number is told.
  public var hidesDrafts = false
  /// Commands that show what the context is in, and end when it is switched.
  public var staleWatches: [LiveWatch] = []
  /// Of the workspace that is left; jobs carry their own workspace.
  public var goesOn: GoesOn
  /// What the user's permissions change to; `nil` where no workspace has members.
  public var roles: RightsChange?

  public enum PlaceState: String, Sendable {
    case active, archived, unknown
  }

  /// A draft that was begun in the context file that switches.
  public struct StaleDraft: Hashable, Sendable {
    public var stamp: DraftStamp
    public var kind: DraftKind
    public var name: String?
    public var fate: DraftFate

    public init(_ draft: Draft, fate: DraftFate) {
      stamp = draft.stamp
      kind = draft.kind
      name = draft.name
      self.fate = fate
    }

    /// `draft 7 (job mail)`.
    public var words: String {
      "draft \(stamp.id) (\(([kind.rawValue] + (name.map { [$0] } ?? [])).joined(separator: " ")))"
    }

    public var json: JSON {
      .object([
        JSON.Member("id", .integer(stamp.id)), JSON.Member("kind", .string(kind.rawValue)),
        JSON.Member("name", .text(name)), JSON.Member("fate", .string(fate.rawValue)),
      ])
    }
  }

  public struct GoesOn: Hashable, Sendable {
    /// Each has a context pinned to it, which goes on with it.
    public var running: Int
    public var pending: Int
    /// Shells with a context file of their own.
    public var shells: Int
    /// Commands that wait in this context and mean the workspace that they began in.
    public var watches: [LiveWatch]
    public init(running: Int, pending: Int, shells: Int = 0, watches: [LiveWatch] = []) {
      self.running = running
      self.pending = pending
      self.shells = shells
      self.watches = watches
    }
  }

  public init(
    from: WorkspaceID?, fromState: PlaceState?, to: WorkspaceID, toState: PlaceState = .active,
    contextFile: String, generation: Int64, goesOn: GoesOn, roles: RightsChange? = nil
  ) {
    self.from = from
    self.fromState = fromState
    self.to = to
    self.toState = toState
    self.contextFile = contextFile
    nextGeneration = from == to ? generation : generation + 1
    self.goesOn = goesOn
    self.roles = roles
  }

  /// Drafts that stop the switch until somebody decides about them.
  public var undecided: [StaleDraft] { drafts.filter { $0.fate == .needsConfirmation } }

  /// The same plan with a decision on the drafts that need one.
  public func decided(_ decision: DraftFate.Decision?) -> SwitchPlan {
    var plan = self
    plan.drafts = drafts.map { draft in
      var draft = draft
      draft.fate = draft.fate.decided(decision)
      return draft
    }
    return plan
  }

  /// The context is in that workspace: nothing changes.
  public var isAlreadyThere: Bool { from == to }

  public var json: JSON {
    .object([
      JSON.Member("workspace", .string(to.text)),
      JSON.Member("target_state", .string(toState.rawValue)),
      JSON.Member("previous", .text(from?.text)),
      JSON.Member("previous_state", .text(fromState?.rawValue)),
      JSON.Member("context_file", .string(contextFile)),
      JSON.Member("generation", .integer(nextGeneration)),
      JSON.Member(
        "stale",
        .object([
          JSON.Member("drafts", .array(hidesDrafts ? [] : drafts.map(\.json))),
          JSON.Member("hidden_drafts", .integer(hidesDrafts ? drafts.count : 0)),
          JSON.Member("cursors", .text(from == nil || isAlreadyThere ? nil : "refused")),
          JSON.Member("watches", .array(staleWatches.map(\.json))),
        ])),
      JSON.Member(
        "goes_on",
        .object([
          JSON.Member("running", .integer(goesOn.running)),
          JSON.Member("pending", .integer(goesOn.pending)),
          JSON.Member("pinned_contexts", .integer(goesOn.running)),
          JSON.Member("shells", .integer(goesOn.shells)),
          JSON.Member("watches", .array(goesOn.watches.map(\.json))),
        ])),
      JSON.Member("roles", roles?.json ?? .null),
    ])
  }
}

/// What to do about a switch that was begun and neither confirmed nor rolled back.
public enum SwitchRecovery: Hashable, Sendable {
  /// The file was replaced: the intent holds.
  case confirm
  /// The file was not replaced: the intent is given up, and the record goes on at this generation.
  case rollBack(to: Int64)

  /// Decides by what the file says, read under the context's switch lock.
  ///
  /// A file that is neither the one before nor the one after the switch was put there by somebody
  /// else: its word counts, and the numbers go on from the larger one, so that none is used twice.
  public static func decide(
    file: (generation: Int64, workspace: WorkspaceID?),
    intent: (generation: Int64, workspace: WorkspaceID)
  ) -> SwitchRecovery {
    if file.generation == intent.generation, file.workspace == intent.workspace {
      return .confirm
    }
    if file.generation == intent.generation - 1 { return .rollBack(to: file.generation) }
    return .rollBack(to: max(file.generation, intent.generation))
  }
}

/// What a switch would make stale and what goes on, worked out before anything is changed.
public struct SwitchPlan: Hashable, Sendable {
  public var from: WorkspaceID?
  public var to: WorkspaceID
  public var contextFile: String
  /// The generation that the file has after the switch.
  public var nextGeneration: Int64
  /// Bound to the workspace that is left, and what the switch would do about each.
  public var stale: [Stale]
  /// Of the workspace that is left; jobs carry their own workspace.
  public var goesOn: GoesOn
  /// What the user's permissions change to; `nil` where no workspace has members.
  public var roles: RightsChange?

  /// Something that was read or begun under the workspace that is left.
  public enum Stale: Hashable, Sendable {
    case draft(StaleDraft)
    /// A page of a list; it is refused from now on.
    case cursor(String)
    /// A list that redraws itself; it ends.
    case watch(String)
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
    public init(running: Int, pending: Int) {
      self.running = running
      self.pending = pending
    }
  }

  public init(
    from: WorkspaceID?, to: WorkspaceID, contextFile: String, generation: Int64,
    stale: [Stale] = [], goesOn: GoesOn, roles: RightsChange? = nil
  ) {
    self.from = from
    self.to = to
    self.contextFile = contextFile
    nextGeneration = from == to ? generation : generation + 1
    self.stale = stale
    self.goesOn = goesOn
    self.roles = roles
  }

  public var drafts: [StaleDraft] {
    stale.compactMap { item in
      guard case .draft(let draft) = item else { return nil }
      return draft
    }
  }

  /// Drafts that stop the switch until somebody decides about them.
  public var undecided: [StaleDraft] { drafts.filter { $0.fate == .needsConfirmation } }

  /// The same plan with a decision on the drafts that need one.
  public func decided(_ decision: DraftFate.Decision?) -> SwitchPlan {
    var plan = self
    plan.stale = stale.map { item in
      guard case .draft(var draft) = item else { return item }
      draft.fate = draft.fate.decided(decision)
      return .draft(draft)
    }
    return plan
  }

  /// The context is in that workspace: nothing changes.
  public var isAlreadyThere: Bool { from == to }

  public var json: JSON {
    var cursors: [JSON] = []
    var watches: [JSON] = []
    for item in stale {
      switch item {
      case .draft: break
      case .cursor(let id): cursors.append(.string(id))
      case .watch(let id): watches.append(.string(id))
      }
    }
    return .object([
      JSON.Member("workspace", .string(to.text)),
      JSON.Member("previous", .text(from?.text)),
      JSON.Member("context_file", .string(contextFile)),
      JSON.Member("generation", .integer(nextGeneration)),
      JSON.Member(
        "stale",
        .object([
          JSON.Member("drafts", .array(drafts.map(\.json))),
          JSON.Member("cursors", .array(cursors)), JSON.Member("watches", .array(watches)),
        ])),
      JSON.Member(
        "goes_on",
        .object([
          JSON.Member("running", .integer(goesOn.running)),
          JSON.Member("pending", .integer(goesOn.pending)),
          JSON.Member("pinned_contexts", .integer(goesOn.running)),
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

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

  /// Something that was read or begun under the workspace that is left.
  public struct Stale: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
      case draft
      case cursor
      case watch

      var plural: String {
        switch self {
        case .draft: "drafts"
        case .cursor: "cursors"
        case .watch: "watches"
        }
      }
    }
    public enum Fate: String, Sendable {
      case reset
      case needsConfirmation = "needs_confirmation"
      case ends
    }
    public var kind: Kind
    public var id: String
    public var fate: Fate
    public init(kind: Kind, id: String, fate: Fate) {
      self.kind = kind
      self.id = id
      self.fate = fate
    }
  }

  public struct GoesOn: Hashable, Sendable {
    public var running: Int
    public var pending: Int
    public init(running: Int, pending: Int) {
      self.running = running
      self.pending = pending
    }
  }

  public init(
    from: WorkspaceID?, to: WorkspaceID, contextFile: String, generation: Int64,
    stale: [Stale] = [], goesOn: GoesOn
  ) {
    self.from = from
    self.to = to
    self.contextFile = contextFile
    nextGeneration = from == to ? generation : generation + 1
    self.stale = stale
    self.goesOn = goesOn
  }

  /// The context is in that workspace: nothing changes.
  public var isAlreadyThere: Bool { from == to }

  public var json: JSON {
    let staleLists = Stale.Kind.allCases.map { kind in
      JSON.Member(
        kind.plural,
        .array(
          stale.filter { $0.kind == kind }.map {
            .object([
              JSON.Member("id", .string($0.id)), JSON.Member("fate", .string($0.fate.rawValue)),
            ])
          }))
    }
    return .object([
      JSON.Member("workspace", .string(to.text)),
      JSON.Member("previous", .text(from?.text)),
      JSON.Member("context_file", .string(contextFile)),
      JSON.Member("generation", .integer(nextGeneration)),
      JSON.Member("stale", .object(staleLists)),
      JSON.Member(
        "goes_on",
        .object([
          JSON.Member("running", .integer(goesOn.running)),
          JSON.Member("pending", .integer(goesOn.pending)),
        ])),
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

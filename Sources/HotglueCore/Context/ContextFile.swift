/// What a context file says: which store, and which workspace of it.
///
/// ```json
/// {"version": 1, "context_id": "…", "store": "store.db", "store_id": "…",
///  "workspace": "acme", "generation": 7, "previous": "beta"}
/// ```
public struct ContextFile: Hashable, Sendable {
  public static let version: Int64 = 1
  /// The largest file that is read; a whole one is a hundredth of it.
  public static let largestSize = 64 << 10
  /// That of a shell's own context while it is in the workspace that the shell was started for.
  public static let shellGeneration: Int64 = 1

  public var contextID: String
  /// Absolute, or relative to the folder of the file.
  public var store: String
  /// The UUID the store got when it was made; another store at the same path is a mismatch.
  public var storeID: String
  /// `nil` in a new context, until the first switch.
  public var workspace: WorkspaceID?
  /// Grows by one with every switch.
  public var generation: Int64
  /// Where `workspace switch -` leads.
  public var previous: WorkspaceID?
  /// Set in the private file that a handler gets: such a context means this attempt and never
  /// switches.
  public var pinned: Pin?
  /// Set in the private file of a `workspace shell`, of an external command, or of a stream's
  /// handler.
  public var tenant: Tenant?
  /// Set in the private file of a shell or command that a handler started: it is part of that attempt,
  /// whatever workspace it acts in.
  public var within: Attempt?

  public struct Attempt: Hashable, Sendable {
    public var workspace: WorkspaceID
    public var pin: Pin
    public init(workspace: WorkspaceID, pin: Pin) {
      self.workspace = workspace
      self.pin = pin
    }
  }

  /// The attempt whose handler this context is of, or was made in.
  public var attempt: Attempt? {
    guard let pinned, let workspace else { return within }
    return Attempt(workspace: workspace, pin: pinned)
  }

  public struct Pin: Hashable, Sendable {
    public var job: JobID
    public var fence: Fence
    public init(job: JobID, fence: Fence) {
      self.job = job
      self.fence = fence
    }
  }

  /// Whom a private context file was made for; it is removed when they end.
  public enum Tenant: Hashable, Sendable {
    /// A `workspace shell`. It switches like any other context, and only itself.
    case shell
    /// An external command: what was resolved at its start is fixed for it. `namesWorkspace` says
    /// whether its caller named the workspace with `-w`.
    case command(String, namesWorkspace: Bool)
    /// The handler of a stream of this type. Which job is meant it does not say: only the line does
    /// that the job was given by.
    case stream(type: String)
  }

  var isOfStream: Bool {
    guard pinned == nil, case .stream? = tenant else { return false }
    return true
  }

  public init(
    contextID: String, store: String, storeID: String, workspace: WorkspaceID? = nil,
    generation: Int64 = 0, previous: WorkspaceID? = nil, pinned: Pin? = nil,
    tenant: Tenant? = nil, within: Attempt? = nil
  ) {
    self.contextID = contextID
    self.store = store
    self.storeID = storeID
    self.workspace = workspace
    self.generation = generation
    self.previous = previous
    self.pinned = pinned
    self.tenant = tenant
    self.within = within
  }
}

/// Why the text of a context file cannot be used.
public enum ContextFileError: Error, Equatable, Sendable {
  case tooLarge
  case notJSON(JSONError)
  /// Written by a newer hotglue.
  case newerVersion(Int64)
  /// A member is missing or not of its kind.
  case badMember(String)
}

extension ContextFile {
  /// What every reader of JSON keeps exactly; there is always a next one.
  static let highestGeneration: Int64 = 1 << 53

  public init(parsing bytes: [UInt8]) throws(ContextFileError) {
    guard bytes.count <= Self.largestSize else { throw .tooLarge }
    let json: JSON
    do {
      json = try JSON.parse(bytes)
    } catch {
      throw .notJSON(error)
    }
    // Said twice, a member could mean one thing to one reader and another to the next.
    var names: Set<String> = []
    for member in json.members ?? [] where !names.insert(member.key).inserted {
      throw .badMember(member.key)
    }
    guard json.members != nil, let version = json["version"]?.integerValue, version >= 1 else {
      throw .badMember("version")
    }
    guard version <= Self.version else { throw .newerVersion(version) }
    contextID = try Self.text("context_id", of: json)
    store = try Self.text("store", of: json)
    storeID = try Self.text("store_id", of: json)
    workspace = try Self.workspace("workspace", of: json)
    previous = try Self.workspace("previous", of: json)
    guard let generation = json["generation"]?.integerValue,
      (0...Self.highestGeneration).contains(generation)
    else { throw .badMember("generation") }
    self.generation = generation
    pinned = try Self.pin("pinned", of: json)
    within = nil
    if let pin = try Self.pin("within", of: json) {
      guard let workspace = try Self.workspace("workspace", of: json["within"] ?? .null) else {
        throw .badMember("within")
      }
      within = Attempt(workspace: workspace, pin: pin)
    }
    switch json["tenant"] {
    case nil, .null?: tenant = nil
    case let member?:
      guard let tenant = Tenant(member) else { throw .badMember("tenant") }
      self.tenant = tenant
    }
  }

  private static func pin(_ key: String, of json: JSON) throws(ContextFileError) -> Pin? {
    switch json[key] {
    case nil, .null?: return nil
    case let pin?:
      guard let job = pin["job"]?.integerValue, let fence = pin["fence"]?.integerValue, job > 0,
        fence > 0
      else { throw .badMember(key) }
      return Pin(job: job, fence: fence)
    }
  }

  private static func text(_ key: String, of json: JSON) throws(ContextFileError) -> String {
    guard let text = json[key]?.stringValue, !text.isEmpty, !text.utf8.contains(0) else {
      throw .badMember(key)
    }
    return text
  }

  private static func workspace(
    _ key: String, of json: JSON
  ) throws(ContextFileError) -> WorkspaceID? {
    switch json[key] {
    case nil, .null?: return nil
    case .string(let text)?:
      guard let id = WorkspaceID(text) else { throw .badMember(key) }
      return id
    default: throw .badMember(key)
    }
  }

  public var json: JSON {
    var members: [JSON.Member] = [
      JSON.Member("version", .integer(Self.version)),
      JSON.Member("context_id", .string(contextID)),
      JSON.Member("store", .string(store)),
      JSON.Member("store_id", .string(storeID)),
      JSON.Member("workspace", .text(workspace?.text)),
      JSON.Member("generation", .integer(generation)),
      JSON.Member("previous", .text(previous?.text)),
    ]
    if let pinned { members.append(JSON.Member("pinned", pinned.json)) }
    if let tenant { members.append(JSON.Member("tenant", tenant.json)) }
    if let within {
      let place = [JSON.Member("workspace", .string(within.workspace.text))]
      members.append(
        JSON.Member("within", .object(place + (within.pin.json.members ?? []))))
    }
    return .object(members)
  }

  /// The whole file, ending with a line feed.
  public var text: String { json.prettyText + "\n" }
}

extension ContextFile.Pin {
  public var json: JSON {
    .object([JSON.Member("job", .integer(job)), JSON.Member("fence", .integer(fence))])
  }
}

extension ContextFile.Pin {
  /// Whether the variables of a process, which its parent may have set, speak of this attempt. What
  /// is not set says nothing.
  public func require(job: String?, fence: String?) throws(ContextError) {
    guard job.map({ $0 == String(self.job) }) ?? true,
      fence.map({ $0 == String(self.fence) }) ?? true
    else { throw .otherAttempt(self, job: job, fence: fence) }
  }
}

extension ContextFile.Tenant {
  init?(_ json: JSON) {
    switch json["kind"]?.stringValue {
    case "shell": self = .shell
    case "command":
      guard let name = json["name"]?.stringValue, case .bool(let named)? = json["names_workspace"]
      else { return nil }
      self = .command(name, namesWorkspace: named)
    case "stream":
      guard let type = json["type"]?.stringValue else { return nil }
      self = .stream(type: type)
    default: return nil
    }
  }

  var json: JSON {
    switch self {
    case .shell: .object([JSON.Member("kind", .string("shell"))])
    case .command(let name, let namesWorkspace):
      .object([
        JSON.Member("kind", .string("command")), JSON.Member("name", .string(name)),
        JSON.Member("names_workspace", .bool(namesWorkspace)),
      ])
    case .stream(let type):
      .object([JSON.Member("kind", .string("stream")), JSON.Member("type", .string(type))])
    }
  }
}

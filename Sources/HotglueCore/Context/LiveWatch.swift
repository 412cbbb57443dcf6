/// A command that stays and shows or waits for something of a workspace: `--watch`, `job logs -f`,
/// `job wait`.
public struct LiveWatch: Hashable, Sendable {
  public var processID: Int
  /// With the flag that makes it stay, as `job list --watch`.
  public var command: String
  public var workspace: WorkspaceID
  /// The context file it was started in.
  public var contextID: String
  public var contextPath: String
  /// The context file alone named the workspace, and the command shows what that one is in: it ends
  /// when the context is switched.
  public var followsContext: Bool

  public init(
    processID: Int, command: String, workspace: WorkspaceID, contextID: String,
    contextPath: String, followsContext: Bool
  ) {
    self.processID = processID
    self.command = command
    self.workspace = workspace
    self.contextID = contextID
    self.contextPath = contextPath
    self.followsContext = followsContext
  }

  /// `job list --watch (process 4711)`.
  public var words: String { "\(command) (process \(processID))" }

  /// As a plan lists it.
  public var json: JSON {
    .object([
      JSON.Member("process", .integer(processID)), JSON.Member("command", .string(command)),
      JSON.Member("workspace", .string(workspace.text)),
    ])
  }

  /// As it is registered.
  public var text: String {
    JSON.object(
      (json.members ?? []) + [
        JSON.Member("context_id", .string(contextID)),
        JSON.Member("context_path", .string(contextPath)),
        JSON.Member("follows", .bool(followsContext)),
      ]
    ).text
  }

  /// Reads what `text` wrote; `nil` when it is not that, or not whole yet.
  public init?(text: [UInt8]) {
    guard let json = try? JSON.parse(text), let process = json["process"]?.integerValue,
      let command = json["command"]?.stringValue,
      let workspace = json["workspace"]?.stringValue.flatMap({ WorkspaceID($0) }),
      let contextID = json["context_id"]?.stringValue,
      let contextPath = json["context_path"]?.stringValue
    else { return nil }
    self.init(
      processID: Int(process), command: command, workspace: workspace, contextID: contextID,
      contextPath: contextPath, followsContext: json["follows"] == .bool(true))
  }
}

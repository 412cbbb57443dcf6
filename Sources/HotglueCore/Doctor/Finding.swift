/// One thing that `hotglue doctor` found: what, what it means, and what mends it.
public struct Finding: Hashable, Sendable {
  public var code: FindingCode
  /// What was found, with its subject: lower-case, no full stop.
  public var message: String
  public var workspace: WorkspaceID?
  public var job: JobID?
  /// The process it is about.
  public var pid: Int32?
  public var path: String?
  /// The command that mends it; `nil` when there is nothing to do.
  public var remedy: String?

  public init(
    _ code: FindingCode, _ message: String, workspace: WorkspaceID? = nil, job: JobID? = nil,
    pid: Int32? = nil, path: String? = nil, remedy: String? = nil
  ) {
    self.code = code
    self.message = message
    self.workspace = workspace
    self.job = job
    self.pid = pid
    self.path = path
    self.remedy = remedy
  }

  public var isNote: Bool { code.isNote }
}

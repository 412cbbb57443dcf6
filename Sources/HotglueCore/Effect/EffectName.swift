/// What an effect is known by: the same key in the same scope is the same effect.
public struct EffectName: Hashable, Sendable {
  /// How far a key reaches.
  public enum Scope: Hashable, Sendable {
    /// One job, through all its attempts.
    case job(JobID)
    /// The workspace: the key outlives jobs.
    case workspace
  }

  public var workspace: WorkspaceID
  public var scope: Scope
  public var key: String

  /// Bytes of a key at the most.
  public static let longestKey = 1024

  /// `nil` when the key is empty, longer than `longestKey` bytes, or has a NUL in it.
  public init?(workspace: WorkspaceID, scope: Scope, key: String) {
    let bytes = key.utf8
    guard (1...Self.longestKey).contains(bytes.count), !bytes.contains(0) else { return nil }
    self.workspace = workspace
    self.scope = scope
    self.key = key
  }

  /// The job that the key belongs to; `nil` in the scope of the workspace.
  public var job: JobID? {
    if case .job(let id) = scope { return id }
    return nil
  }

  /// `job` or `workspace`.
  public var scopeName: String { job == nil ? "workspace" : "job" }

  /// `effect 'charge' of job 42 in workspace 'acme'`
  public var words: String {
    "effect '\(key)' of \(job.map { "job \($0)" } ?? "the workspace") in workspace '\(workspace)'"
  }

  /// A name for the effect's lock file, of 32 hexadecimal digits. Two effects that share one only
  /// wait for each other.
  public var lockName: String {
    let text = "\(workspace)\n\(job ?? 0)\n\(key)"
    return Self.digits(text, from: 0xCBF2_9CE4_8422_2325)
      + Self.digits(text, from: 0x9AE1_6A3B_2F90_404F)
  }

  /// FNV-1a from a start value of its own.
  private static func digits(_ text: String, from start: UInt64) -> String {
    var hash = start
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash ^= hash >> 32
    let hexadecimal = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - hexadecimal.count) + hexadecimal
  }
}

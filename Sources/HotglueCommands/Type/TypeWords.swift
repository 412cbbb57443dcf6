import HotglueCore
import HotglueStore

/// The name of a job type, checked.
enum JobTypeWords {
  static let elsewhere: Hint = "run it from the directory in which the type's command is to run"

  static func check(_ name: String) throws(UnusableRequest) {
    guard TypeName.isValid(name) else {
      throw UnusableRequest(
        problem: "'\(name)' is no name of a job type", hint: "use \(TypeName.rule)")
    }
    guard !TypeName.builtIn.contains(name) else {
      throw UnusableRequest(
        problem: "type '\(name)' is built in", hint: "choose another name for a type of your own")
    }
  }
}

/// The settings that only a job type has.
enum TypeSetting: String, CaseIterable {
  case command, cwd, umask, persistent, limit

  /// The keys of a type in a file of types.
  static var keys: [String] {
    allCases.map(\.rawValue) + JobSettingTable.current.contract.map(\.key)
  }

  static func limit(_ text: String) throws(UnusableRequest) -> Int? {
    if text == "none" { return nil }
    guard let limit = Int(text), (1...JobSettings.counts.upperBound).contains(limit) else {
      throw UnusableRequest(
        problem: "'limit' cannot be '\(text)'",
        hint: "give a whole number from 1 to \(JobSettings.counts.upperBound), or none")
    }
    return limit
  }
}

extension TypeDefinition {
  /// Takes over what was said, and leaves the rest as it is.
  mutating func take(_ said: JobSettings) throws(UnusableRequest) {
    guard let policy = policy.applying(.object(said.policyChange)) else {
      throw UnusableRequest(problem: "the policy cannot be read", hint: "give each flag once")
    }
    self.policy = policy
    if said.given.contains(.queue) { queue = said.queue }
    if said.given.contains(.priority) { priority = said.priority }
    if said.given.contains(.limitKey) {
      limitKey = said.limitKey
      if limitKey == nil { limitMax = 1 }
    }
    if let most = said.limitMax { limitMax = most }
    guard limitKey != nil || limitMax == 1 else {
      throw UnusableRequest(
        problem: "a limit of \(limitMax) bounds a limit key, but there is none",
        hint: "give a limit key too; jobs of the type as a whole are bounded by 'limit'")
    }
  }
}

extension WorkspaceSession {
  /// Says of types that nobody defined that their jobs wait: a slip of the pen would else wait for
  /// ever without a word.
  func noteUndefined(_ types: Set<String>) throws {
    guard !output.isJSON else { return }
    guard !types.isEmpty else { return }
    let names = try store.types(in: workspace).map(\.name)
    for type in types.sorted() where !names.contains(type) {
      let near = NearMatch.among(names, to: type)
      output.note(
        "type '\(type)' is not defined in workspace '\(workspace)': its jobs wait until it is")
      output.hint(
        near.isEmpty
          ? "define it with 'hotglue type set \(type) -- COMMAND…'; for a command: "
            + "hotglue job enqueue -- \(type)"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
    }
  }
}

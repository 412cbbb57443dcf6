import HotglueCore
import HotglueStore

/// What became of types that were set, for people and for scripts.
struct TypeChangeText {
  let output: Output

  func show(_ changes: [TypeChange], dryRun: Bool) {
    for change in changes {
      if output.isJSON {
        output.jsonLine(TypeJSON.change(change, dryRun: dryRun))
      } else if output.isQuiet {
        output.line(change.after.name)
      } else {
        output.line(Self.line(change, dryRun: dryRun))
        if change.isChange {
          lines(of: change.after.definition.changes(from: change.before?.definition))
        }
        if let note = Self.note(change, dryRun: dryRun) { output.note(note) }
      }
    }
  }

  /// A line for each setting that differs.
  func lines(of changes: [SettingChange]) {
    for line in Self.lines(of: changes) { output.line("  " + line) }
  }

  static func lines(of changes: [SettingChange]) -> [String] {
    changes.map { change in
      let after = text(change.after, of: change.key)
      guard let before = change.before else { return "\(change.key): \(after)" }
      return "\(change.key): \(text(before, of: change.key)) -> \(after)"
    }
  }

  private static func line(_ change: TypeChange, dryRun: Bool) -> String {
    let type = "type '\(change.after.name)' in workspace '\(change.after.workspace)'"
    guard change.isChange else { return "\(type) is at revision \(change.after.revision) already" }
    let verb = dryRun ? "would be" : "is"
    guard let before = change.before else {
      return "\(type) \(verb) defined, at revision \(change.after.revision)"
    }
    return "\(type) \(verb) at revision \(change.after.revision), was \(before.revision)"
  }

  /// What is not run by the new revision.
  static func note(_ change: TypeChange, dryRun: Bool) -> String? {
    guard change.running > 0 else { return nil }
    let most = change.running == TypeChange.mostRunning ? "at least " : ""
    let one = change.running == 1
    return "\(most)\(Count.of(change.running, "attempt")) of type '\(change.after.name)' "
      + "\(one ? "runs" : "run") by an earlier revision, and \(one ? "goes" : "go") on by it: it "
      + "decides what \(one ? "its end means" : "their ends mean"). Jobs that wait "
      + "\(dryRun ? "would run" : "run") by revision \(change.after.revision)"
  }

  /// A setting's value as its flag is written.
  static func text(_ value: JSON, of key: String) -> String {
    if let setting = JobSettingTable.current[key] { return setting.text(of: value) }
    if let words = value.stringArray { return ShellWords.joined(words) }
    return value == .null ? "none" : value.stringValue ?? value.text
  }
}

/// Job types as JSON.
enum TypeJSON {
  static func object(_ type: JobType) -> JSON {
    let definition = type.definition
    return .object(
      [
        JSON.Member("name", .string(type.name)),
        JSON.Member("workspace", .string(type.workspace.text)),
        JSON.Member("link", .string(EntityLink.type(type.name, in: type.workspace).text)),
        JSON.Member("revision", .integer(type.revision)),
        JSON.Member("command", .strings(definition.command)),
        JSON.Member("cwd", .string(definition.directory)),
      ] + contract(definition) + [
        JSON.Member("set_at", .string(type.setAt.rfc3339)),
        JSON.Member("set_by", .string(type.setBy)), JSON.Member("built_in", .bool(false)),
      ])
  }

  static func object(_ type: BuiltInType, in workspace: WorkspaceID) -> JSON {
    .object(
      [
        JSON.Member("name", .string(type.name)), JSON.Member("workspace", .string(workspace.text)),
        JSON.Member("link", .null), JSON.Member("revision", .null), JSON.Member("command", .null),
        JSON.Member("cwd", .null),
      ] + contract(type.definition) + [
        JSON.Member("set_at", .null), JSON.Member("set_by", .null),
        JSON.Member("built_in", .bool(true)),
      ])
  }

  private static func contract(_ definition: TypeDefinition) -> [JSON.Member] {
    [
      JSON.Member("persistent", .bool(definition.isStream)),
      JSON.Member("queue", .string(definition.queue)),
      JSON.Member("priority", .integer(definition.priority)),
      JSON.Member("limit", .optional(definition.limit)),
      JSON.Member("limit_key", .text(definition.limitKey)),
      JSON.Member("limit_max", .integer(definition.limitMax)),
      JSON.Member("policy", definition.policy.json(complete: true)),
    ]
  }

  static func change(_ change: TypeChange, dryRun: Bool) -> JSON {
    let lines =
      change.isChange ? change.after.definition.changes(from: change.before?.definition) : []
    return .object([
      JSON.Member("name", .string(change.after.name)),
      JSON.Member("workspace", .string(change.after.workspace.text)),
      JSON.Member("revision", .integer(change.after.revision)),
      JSON.Member("revision_before", .optional(change.before?.revision)),
      JSON.Member("changed", .bool(change.isChange)),
      JSON.Member("dry_run", .bool(dryRun)),
      JSON.Member("changes", .array(lines.map(settingChange))),
      JSON.Member("running", .integer(change.running)),
    ])
  }

  static func settingChange(_ change: SettingChange) -> JSON {
    .object([
      JSON.Member("key", .string(change.key)), JSON.Member("before", change.before ?? .null),
      JSON.Member("after", change.after),
    ])
  }
}

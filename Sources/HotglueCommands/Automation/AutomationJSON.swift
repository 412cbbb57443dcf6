import HotglueCore
import HotglueStore

/// Automations and occurrences as JSON. Keys and their order are documented; absent values are `null`.
enum AutomationJSON {
  static func object(_ automation: Automation, next: Occurrence?) -> JSON {
    let definition = automation.definition
    var cron: JSON = .null
    var every: JSON = .null
    switch definition.schedule {
    case .cron(let expressions): cron = .strings(expressions.map(\.text))
    case .every(let span): every = .string(span.text)
    }
    let fires = automation.state == .active
    return .object([
      JSON.Member("id", .integer(automation.id)),
      JSON.Member("name", .string(automation.name)),
      JSON.Member("workspace", .string(automation.workspace.text)),
      JSON.Member(
        "link", .string(EntityLink.automation(automation.id, in: automation.workspace).text)),
      JSON.Member(
        "schedule", .object([JSON.Member("cron", cron), JSON.Member("every", every)])),
      JSON.Member("zone", .string(definition.zone)),
      JSON.Member("zone_origin", .string(definition.zoneOrigin.rawValue)),
      JSON.Member("state", .string(automation.state.rawValue)),
      JSON.Member(
        "reason",
        .text(automation.state == .zoneMissing ? automation.state.rawValue : automation.reason)),
      JSON.Member("missed", .string(definition.missed.text)),
      JSON.Member("overlap", .string(definition.overlap.rawValue)),
      JSON.Member(
        "jitter", definition.jitter > .zero ? .string(definition.jitter.text) : .null),
      JSON.Member("pause_after", .optional(definition.pauseAfter)),
      JSON.Member("next_at", fires ? .text(next?.at.rfc3339) : .null),
      JSON.Member("last_at", .text(automation.lastAt?.rfc3339)),
      JSON.Member("last_job", .optional(automation.lastJob)),
      JSON.Member("revision", .integer(automation.revision)),
      JSON.Member("created_at", .string(automation.createdAt.rfc3339)),
    ])
  }

  /// With all that it is set to.
  static func whole(_ automation: Automation, next: [Occurrence]) -> JSON {
    let definition = automation.definition
    return .object(
      (object(automation, next: next.first).members ?? []) + [
        JSON.Member("from", .text(definition.from?.rfc3339)),
        JSON.Member("until", .text(definition.until?.rfc3339)),
        JSON.Member("missed_within", .text(definition.missedWithin?.text)),
        JSON.Member("job", automation.contract.job.shown),
        JSON.Member(
          "next", .array(next.map { occurrence($0, of: automation.name, definition) })),
        JSON.Member("set_at", .string(automation.setAt.rfc3339)),
        JSON.Member("set_by", .string(automation.setBy)),
      ])
  }

  /// One that is not decided.
  static func occurrence(
    _ occurrence: Occurrence, of name: String?, _ definition: AutomationDefinition
  ) -> JSON {
    .object(
      place(occurrence, name, zone: definition.zone, schedule: definition.schedule) + [
        JSON.Member("decision", .null), JSON.Member("reason", .null), JSON.Member("job", .null),
        JSON.Member("catch_up", .null),
      ])
  }

  static func record(_ record: OccurrenceRecord, of automation: Automation) -> JSON {
    .object(
      place(
        record.occurrence, automation.name, zone: record.zone,
        schedule: automation.definition.schedule) + [
          JSON.Member("decision", .string(record.decision.rawValue)),
          JSON.Member("reason", .text(record.reason)), JSON.Member("job", .optional(record.job)),
          JSON.Member("catch_up", .bool(record.isCatchUp)),
          JSON.Member("outcome", .text(record.jobState?.rawValue)),
          JSON.Member("decided_at", .string(record.decidedAt.rfc3339)),
        ])
  }

  private static func place(
    _ occurrence: Occurrence, _ name: String?, zone: String, schedule: Schedule
  ) -> [JSON.Member] {
    var toTheSecond = occurrence.nominal.seconds % 60 != 0
    if case .every = schedule { toTheSecond = true }
    return [
      JSON.Member("automation", .text(name)),
      JSON.Member("nominal", .string(occurrence.nominalText(seconds: toTheSecond))),
      JSON.Member("zone", .string(zone)), JSON.Member("fold", .integer(occurrence.fold)),
      JSON.Member("at", .string(occurrence.at.rfc3339)),
      JSON.Member("note", .text(occurrence.note?.rawValue)),
    ]
  }
}

extension EnqueueRequest {
  /// What of a kept request is shown: values of variables may be secrets.
  var shown: JSON {
    .object(
      (template.members ?? []).map { member in
        guard member.key == "env" else { return member }
        let names = environment.map { String($0.prefix { $0 != "=" }) }
        return JSON.Member("env", .strings(names))
      })
  }
}

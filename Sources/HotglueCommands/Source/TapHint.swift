import HotglueCore
import HotglueStore

/// The command that most likely helps when a tap failed, or its output did.
///
/// It is chosen by what the tap wrote last: a wrong hint costs more than none.
struct TapHint {
  let source: Source

  private var name: String { Shell.quoted(source.name) }

  /// `hasSent`: records came before it.
  func text(_ code: String?, _ message: String?, hasSent: Bool) -> Hint? {
    let message = message?.lowercased() ?? ""
    switch code {
    case "unknown_stream": return "'hotglue source discover \(name)' requests the catalog again"
    case "ambiguous_stream": return ambiguity
    case "nothing_came": return selection(message) ?? nothingCame
    case "line_too_long": return "'hotglue source edit \(name) --line-limit 1G' allows longer lines"
    case "mostly_rejected":
      return "'hotglue sync rejects \(name)' shows the records; "
        + "'hotglue sync run \(name) --on-reject 1000000' goes on without them"
    default: return hasSent ? nil : start(code, message)
    }
  }

  /// The tap failed before its first record.
  private func start(_ code: String?, _ message: String) -> Hint? {
    let kinds = [TapFailure.Kind.transient, .config, .crash]
    guard source.definition.catalog != nil, kinds.contains(where: { $0.rawValue == code }) else {
      return nil
    }
    if let hint = selection(message) { return hint }
    let isCodeFailing = Self.codeErrors.contains { message.contains($0) }
    guard isCodeFailing else { return nil }
    return "if it cannot take its own catalog: 'hotglue source edit \(name) --no-catalog'"
  }

  /// Errors of a program, not of what it was given.
  private static let codeErrors = ["attributeerror", "keyerror", "typeerror", "indexerror"]

  /// What the tap missed in its catalog, if it says so.
  private func selection(_ message: String) -> Hint? {
    if Self.mentions(message, ["replication_method", "replication-method", "replication method"]) {
      return methodHint
    }
    let flag = source.definition.takesProperties ? "--properties" : "--catalog"
    let other = source.definition.takesProperties ? "--no-properties" : "--properties"
    if message.contains("unrecognized arguments"), message.contains(flag) {
      return "'hotglue source edit \(name) \(other)' gives it the catalog by another flag"
    }
    if !source.definition.takesProperties, message.contains("propert") {
      return "if it takes its catalog by --properties: 'hotglue source edit \(name) --properties'"
    }
    if Self.mentions(message, ["no stream", "nothing selected", "not selected"]) {
      return lookAtSelection
    }
    return nil
  }

  /// A tap without a catalog sends what it likes; taps for databases then send nothing.
  private var nothingCame: Hint {
    guard let catalog = source.definition.knownCatalog else {
      return "'hotglue source discover \(name)' requests the catalog, "
        + "'hotglue source select \(name) --all' selects its streams"
    }
    guard catalog.streams.contains(where: \.isSelected) else {
      return "hotglue source select \(name) --all"
    }
    return lookAtSelection
  }

  private var methodHint: Hint {
    "hotglue source select \(name) --method '*=full-table'"
  }

  private var lookAtSelection: Hint {
    "'hotglue source show \(name)' shows what is selected, 'hotglue source discover \(name)' "
      + "requests the catalog again"
  }

  private var ambiguity: Hint? {
    let selected = (source.definition.knownCatalog?.streams ?? []).filter(\.isSelected)
    let names = Dictionary(grouping: selected, by: \.name).filter { $0.value.count > 1 }
    guard let first = names.sorted(by: { $0.key < $1.key }).first?.value.first else { return nil }
    return "leave one of them out: hotglue source select \(name) --not \(Shell.quoted(first.id))"
  }

  private static func mentions(_ message: String, _ words: [String]) -> Bool {
    words.contains { message.contains($0) }
  }
}

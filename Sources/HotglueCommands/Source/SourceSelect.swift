import ArgumentParser
import HotglueCore
import HotglueStore

struct SourceSelect: WorkspaceCommand {
  static let record = CommandRecord("source select", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "select", abstract: "Select the streams and fields to take, and how",
    usage: "hotglue source select SOURCE (PATTERN… | --all) [flags]",
    discussion: """
      A pattern is the tap_stream_id or the name of a stream; '*' stands for any characters, '?' for \
      one. The command selects the streams that match, and no others; stored records of others \
      remain. Without a pattern and without --all the selection remains, and only the flags count. \
      Fields and methods need a catalog: 'source discover'.

      The selection is written in every form that taps read: the metadata, 'selected' of the stream, \
      and 'selected' in its schema.

      EXAMPLES
        hotglue source select shop 'public-*' --not 'public-audit*'
        hotglue source select shop --method '*=full-table' --method orders=incremental
        hotglue source select shop --ignore '*=_sdc_extracted_at'
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(help: "Take every stream, also those that a later discovery finds.")
  var all = false

  @Option(
    name: .customLong("not"),
    help: ArgumentHelp(
      "Leave out the streams that match. Alone it leaves out more of the present selection. "
        + "May be repeated.", valueName: "pattern"))
  var excluded: [String] = []

  @Option(
    name: .customLong("field"),
    help: ArgumentHelp(
      "Take just these fields of a stream, and those that come in any case; '*' for all. "
        + "May be repeated.", valueName: "pattern=field,…"))
  var fields: [String] = []

  @Option(
    name: .customLong("method"),
    help: ArgumentHelp(
      "How streams are replicated: incremental, full-table or log-based. May be repeated.",
      valueName: "pattern=method"))
  var methods: [String] = []

  @Option(
    name: .customLong("replication-key"),
    help: ArgumentHelp(
      "The field along which streams are incremental. May be repeated.",
      valueName: "pattern=field"))
  var replicationKeys: [String] = []

  @Option(
    help: ArgumentHelp(
      "Leave fields out when a record is compared with the stored one. May be repeated.",
      valueName: "pattern=field,…"))
  var ignore: [String] = []

  @Option(
    help: ArgumentHelp(
      "Whether records of a stream that is sent whole stay when the tap no longer sends them: of every "
        + "stream, or of one (default: remove). May be repeated.",
      valueName: "[pattern=]keep|remove"))
  var missing: [String] = []

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  @Argument(help: ArgumentHelp("Streams to take.", valueName: "pattern"))
  var streams: [String] = []

  private var changesSelection: Bool { all || !streams.isEmpty || !excluded.isEmpty }
  private var changesCatalog: Bool {
    !fields.isEmpty || !methods.isEmpty || !replicationKeys.isEmpty
  }

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard !all || streams.isEmpty else {
      throw CommandError.usage("'--all' and streams cannot both be given")
    }
    guard changesSelection || changesCatalog || !ignore.isEmpty || !missing.isEmpty else {
      throw CommandError.usage(
        "nothing is selected", hint: "hotglue source select SOURCE (PATTERN… | --all) [flags]")
    }
    let source = try session.source(source)
    var definition = source.definition
    definition.selection = selection(after: definition.selection)
    for text in ignore {
      let (pattern, fields) = try SourceOptions.assignment(text, flag: "--ignore")
      definition.ignored[pattern] = fields
    }
    for text in missing { try Self.setMissing(text, in: &definition) }
    let output = session.output
    if var catalog = definition.knownCatalog {
      let change = CatalogSelection(source: source.name, streams: catalog.streams)
      for note in try apply(change, definition.selection, to: &catalog) { output.note(note) }
      definition.catalog = catalog.json
    } else if changesCatalog {
      throw CommandError(
        "no_catalog", .refused, "source '\(source.name)' has no catalog to select fields in",
        hint: "ask the tap for one: 'hotglue source discover \(Shell.quoted(source.name))'")
    }
    let after = try session.store.setSource(
      source.name, to: definition, in: session.workspace, expecting: .revision(source.revision),
      by: session.actor, at: session.now)
    output.result(json: SourceJSON.object(after), id: after.name) {
      "source '\(after.name)' of workspace '\(session.workspace)' takes "
        + CatalogSelection.summary(of: after.definition)
    }
    let bookmark = try session.store.syncPosition(of: source.id, in: session.workspace)?.bookmark
    let gaps =
      CatalogSelection.gaps(of: after)
      + CatalogSelection.wholeStreams(of: after, before: source, bookmark: bookmark)
    for gap in gaps {
      output.note(gap.note)
      output.hint(gap.hint)
    }
    return .done
  }

  private static func setMissing(
    _ text: String, in definition: inout SourceDefinition
  ) throws(CommandError) {
    let equals = text.lastIndex(of: "=")
    let stream = equals.map { String(text[..<$0]) }
    let rule = equals.map { String(text[text.index(after: $0)...]) } ?? text
    guard rule == "keep" || rule == "remove", stream != "" else {
      throw .usage(
        "invalid value '\(text)' for '--missing': expected keep, remove, PATTERN=keep or "
          + "PATTERN=remove")
    }
    definition.missing.set(rule == "keep", of: stream)
  }

  private func selection(after known: StreamSelection) -> StreamSelection {
    func distinct(_ texts: [String]) -> [String] {
      texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
    if all { return StreamSelection(excluded: distinct(excluded)) }
    if !streams.isEmpty {
      return StreamSelection(patterns: distinct(streams), excluded: distinct(excluded))
    }
    return StreamSelection(
      patterns: known.patterns, excluded: distinct(known.excluded + excluded))
  }

  /// What a user may want to know of it.
  private func apply(
    _ change: CatalogSelection, _ selection: StreamSelection, to catalog: inout Catalog
  ) throws(CommandError) -> [String] {
    var notes: [String] = []
    if changesSelection {
      for pattern in streams {
        let found = try change.matching(pattern)
        if NamePattern(pattern).isLiteral, found.count > 1 {
          notes.append(
            "note: '\(pattern)' is the name of \(found.count) streams: "
              + found.map { "'\($0.id)'" }.joined(separator: ", "))
        }
      }
      for pattern in excluded { _ = try change.matching(pattern) }
      // Without new patterns what is selected in the catalog remains, but for what is left out now.
      let isNew = all || !streams.isEmpty
      let leftOut = StreamSelection(excluded: excluded)
      catalog.select {
        isNew ? selection.includes($0.names) : $0.isSelected && leftOut.includes($0.names)
      }
    }
    for text in fields { try change.select(fields: text, in: &catalog) }
    for text in methods { try change.replicate(by: text, in: &catalog) }
    for text in replicationKeys { try change.replicate(along: text, in: &catalog) }
    for text in ignore { try change.checkIgnored(text) }
    return notes
  }
}

/// Finds the streams and fields that a user names in a catalog.
struct CatalogSelection {
  let source: String
  let streams: [Catalog.Stream]

  /// Those that a pattern means: one of this identifier, else all of this name, else all that match.
  func matching(_ text: String) throws(CommandError) -> [Catalog.Stream] {
    let identified = streams.filter { $0.id == text }
    if !identified.isEmpty { return identified }
    let pattern = NamePattern(text)
    let found = streams.filter { $0.names.contains(where: pattern.matches) }
    guard found.isEmpty else { return found }
    let near = NearMatch.among(Set(streams.flatMap(\.names)), to: text)
    throw CommandError(
      "unknown_stream", .notFound,
      pattern.isLiteral
        ? "the catalog has no stream '\(text)'" : "no stream of the catalog matches '\(text)'",
      hint: near.isEmpty
        ? "it has \(streams.prefix(20).map { "'\($0.id)'" }.joined(separator: ", "))"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
      facts: [JSON.Member("stream", .string(text)), JSON.Member("near", .strings(near))])
  }

  func select(fields text: String, in catalog: inout Catalog) throws(CommandError) {
    let (pattern, fields) = try SourceOptions.assignment(
      text, flag: "--field", form: "PATTERN=FIELD,… or PATTERN=*")
    let found = try matching(pattern)
    if fields != ["*"] { try check(fields, of: found) }
    for stream in found {
      if fields == ["*"] {
        catalog.select(fields: Set(stream.fields.map(\.name)), of: stream.id)
        continue
      }
      catalog.select(fields: Set(fields), of: stream.id)
    }
  }

  func replicate(by text: String, in catalog: inout Catalog) throws(CommandError) {
    let (pattern, words) = try SourceOptions.assignment(
      text, flag: "--method", form: Self.methodForm, hint: methodHint(text))
    let found = try matching(pattern)
    guard words.count == 1, let method = Self.method(words[0]) else {
      throw .usage("invalid value '\(text)' for '--method': expected \(Self.methodForm)")
    }
    for stream in found { catalog.replicate(stream.id, by: method) }
  }

  private static let methodForm =
    "PATTERN=incremental, PATTERN=full-table or PATTERN=log-based"

  private static func method(_ text: String) -> String? {
    let method = text.uppercased().replacing("-", with: "_")
    return ["INCREMENTAL", "FULL_TABLE", "LOG_BASED"].contains(method) ? method : nil
  }

  /// For a stream without a method, or a method without a stream.
  private func methodHint(_ text: String) -> Hint {
    let value = Self.method(text) == nil ? "\(text)=full-table" : "*=\(text)"
    return "hotglue source select \(Shell.quoted(source)) --method \(Shell.quoted(value))"
  }

  func replicate(along text: String, in catalog: inout Catalog) throws(CommandError) {
    let (pattern, words) = try SourceOptions.assignment(
      text, flag: "--replication-key", form: "PATTERN=FIELD")
    let found = try matching(pattern)
    guard words.count == 1 else {
      throw .usage("invalid value '\(text)' for '--replication-key': expected PATTERN=FIELD")
    }
    try check(words, of: found)
    for stream in found where stream.fields.contains(where: { $0.name == words[0] }) {
      catalog.replicate(stream.id, along: words[0])
    }
  }

  func checkIgnored(_ text: String) throws(CommandError) {
    let (pattern, fields) = try SourceOptions.assignment(text, flag: "--ignore")
    let found = try matching(pattern)
    // Taps add fields to their records that their catalogs do not have.
    guard found.count == 1, let only = found.first, !only.fields.isEmpty else { return }
    try check(fields, of: [only])
  }

  /// Each field is one of some of these streams.
  private func check(
    _ fields: [String], of streams: [Catalog.Stream]
  ) throws(CommandError) {
    let names = Set(streams.flatMap { $0.fields.map(\.name) })
    guard let field = fields.first(where: { !names.contains($0) }) else { return }
    let near = NearMatch.among(names, to: field)
    throw CommandError(
      "unknown_field", .notFound,
      streams.count == 1
        ? "stream '\(streams[0].id)' has no field '\(field)'"
        : "none of the \(streams.count) streams has a field '\(field)'",
      hint: near.isEmpty
        ? Hint(.hotglue(["source", "show", source, "--catalog"]), in: "see them with")
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
      facts: [JSON.Member("field", .string(field))])
  }

  // MARK: What is to be told

  static func summary(of definition: SourceDefinition) -> String {
    guard let catalog = definition.knownCatalog else {
      let all = definition.selection.patterns?.joined(separator: ", ") ?? "all streams"
      let without = definition.selection.excluded.joined(separator: ", ")
      return without.isEmpty ? all : "\(all) without \(without)"
    }
    let streams = catalog.streams
    let selected = streams.filter(\.isSelected).map(\.id)
    if selected.isEmpty { return "no stream" }
    if definition.selection.isAll, selected.count == streams.count { return "all streams" }
    return list(selected)
  }

  /// What a tap for databases will miss.
  static func gaps(of source: Source) -> [(note: String, hint: Hint)] {
    let selected = (source.definition.knownCatalog?.streams ?? []).filter(\.isSelected)
    let name = Shell.quoted(source.name)
    var gaps: [(note: String, hint: Hint)] = []
    if selected.isEmpty, source.definition.knownCatalog != nil {
      gaps.append(
        (
          "note: no stream is selected: a sync fails until one is",
          "hotglue source select \(name) --all"
        ))
    }
    let withoutMethod = selected.filter(\.needsMethod).map(\.id)
    if !withoutMethod.isEmpty {
      gaps.append(
        (
          "note: no replication method for \(list(withoutMethod)); taps for databases require one, and "
            + "without full-table deleted rows stay",
          "hotglue source select \(name) --method '*=full-table'"
        ))
    }
    let withoutKey = selected.filter { $0.method == "INCREMENTAL" && $0.replicationKey == nil }
    if let first = withoutKey.first {
      let key = Shell.quoted("\(first.id)=\(first.fields.first?.name ?? "FIELD")")
      gaps.append(
        (
          "note: no replication key for \(list(withoutKey.map(\.id))), which are incremental",
          "hotglue source select \(name) --replication-key \(key)"
        ))
    }
    return gaps
  }

  /// Streams that become full-table while the bookmark still names a place in them. The tap may go on from
  /// there, so that a run is not taken for the whole stream, and deleted rows stay.
  static func wholeStreams(
    of source: Source, before: Source, bookmark: Bookmark?
  ) -> [(note: String, hint: Hint)] {
    let earlier = before.definition.knownCatalog?.streams ?? []
    let others = earlier.filter { $0.method != nil && $0.method != "FULL_TABLE" }.map(\.id)
    let value = bookmark.flatMap(SyncTold.value)
    let streams = source.definition.knownCatalog?.streams ?? []
    let names = Set(streams.flatMap(\.names))
    let placed = streams.filter { stream in
      stream.isSelected && stream.method == "FULL_TABLE" && others.contains(stream.id)
        && BookmarkPart(
          of: value, names: stream.names, others: names.subtracting(stream.names))?.namesPlace
          == true
    }.map(\.id)
    guard let first = placed.first else { return [] }
    let one = placed.count == 1 ? " \(Shell.quoted(first))" : ""
    return [
      (
        "note: the bookmark names a place in \(list(placed)); deleted rows stay until the stream starts "
          + "without a bookmark",
        "hotglue sync run \(Shell.quoted(source.name)) --full\(one)"
      )
    ]
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(10).joined(separator: ", ")
    return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
  }
}

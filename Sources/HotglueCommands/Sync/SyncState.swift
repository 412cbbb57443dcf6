import ArgumentParser
import HotglueCore
import HotglueStore

struct SyncState: WorkspaceCommand {
  static let record = CommandRecord("sync state", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "state", abstract: "Print or import the bookmark from which the next sync starts",
    discussion: """
      Prints it in JSON, as the tap wrote it, and nothing when there is none. With --run the last one \
      of that run, with --all every one of it. With --target the one that this target has confirmed \
      last; 'sync status' shows its number.

      With --import the bookmark of a file becomes that of the source, in the store: a state.json of \
      the tap, a STATE message, or a state of Meltano, whose partial state is merged into the completed \
      one. Records remain. It appears in 'sync history' as \
      a run of its own, so that 'sync reset' can go back. Refused while a sync of the source runs.

      EXAMPLES
        hotglue sync state crm
        hotglue sync state crm --import state.json
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("What this run published last.", valueName: "run"))
  var run: SyncRunID?

  @Option(help: ArgumentHelp("Of this target, not of the store.", valueName: "number"))
  var target: SyncTargetID?

  @Flag(help: "With --run: every bookmark it published, a line each, with its time.")
  var all = false

  @Option(
    name: .customLong("import"),
    help: ArgumentHelp("Start the next sync from the bookmark in this file.", valueName: "file|-"))
  var imported: String?

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String

  /// An import is a change, and needs what a reset needs.
  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let command = imported == nil ? Self.record : SyncReset.record
    let session = try WorkspaceSession.open(for: command, global, in: environment)
    return try session.telling { try run(in: session) }
  }

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    if let imported {
      guard run == nil, target == nil, !all else {
        throw CommandError.usage(
          "'--import' cannot be given with '--run', '--target' or '--all'",
          hint: "it is of the bookmark of the store")
      }
      return try take(from: imported, in: session)
    }
    guard !all || run != nil else {
      throw CommandError.usage(
        "'--all' is for '--run'",
        hint: "see its runs with 'hotglue sync history \(Shell.quoted(self.source))'")
    }
    guard target == nil || run == nil else {
      throw CommandError.usage(
        "'--target' and '--run' cannot both be given", hint: "a run is of one target")
    }
    let source = try session.source(source)
    if let run, all {
      _ = try session.run(run, of: source)
      for bookmark in try session.store.bookmarks(of: run, in: session.workspace) {
        session.output.jsonLine(
          .object([
            JSON.Member("at", .string(bookmark.at.rfc3339)),
            JSON.Member("bookmark", SyncTold.value(bookmark.bookmark) ?? .null),
          ]))
      }
      return .done
    }
    let bookmark =
      if let run {
        try session.run(run, of: source).bookmark
      } else if let target {
        try session.target(target, of: source).bookmark
      } else {
        try session.store.syncPosition(of: source.id, in: session.workspace)?.bookmark
      }
    if session.output.isJSON {
      session.output.object(
        .object([
          JSON.Member("source", .string(source.name)),
          JSON.Member("workspace", .string(session.workspace.text)),
          JSON.Member("target", .optional(target)),
          JSON.Member("bookmark", bookmark.flatMap(SyncTold.value) ?? .null),
        ]))
    } else if let bookmark {
      session.output.line(bookmark.text)
    } else {
      session.output.note(
        (target.map { "target \($0) of " } ?? "") + "source '\(source.name)' has no bookmark")
    }
    return .done
  }

  private func take(from path: String, in session: WorkspaceSession) throws -> ExitStatus {
    let source = try session.source(source)
    let bookmark = try BookmarkFile.read(path, in: session.environment)
    let run = try session.store.importBookmark(
      bookmark, of: source.id, in: session.workspace, by: session.actor, at: session.now)
    session.output.result(
      json: .object([
        JSON.Member("source", .string(source.name)),
        JSON.Member("workspace", .string(session.workspace.text)),
        JSON.Member("target", .null), JSON.Member("run", .integer(run.id)),
        JSON.Member("bookmark", SyncTold.value(bookmark) ?? .null),
      ]), id: source.name
    ) {
      "the next sync of source '\(source.name)' in workspace '\(session.workspace)' starts from "
        + "\(bookmark.text) (run \(run.id))"
    }
    return .done
  }
}

/// A bookmark as other programs keep it.
enum BookmarkFile {
  static func read(_ path: String, in environment: CommandEnvironment) throws -> Bookmark {
    let json = try SourceOptions.json(of: path, in: environment)
    let value = bookmark(in: json)
    guard case .object = value, !Bookmark.isEmpty(value) else {
      throw CommandError.badInput(
        "\(path == "-" ? "standard input" : path) holds no bookmark",
        hint: "a bookmark is a JSON object, as the tap wrote it in its STATE")
    }
    return Bookmark(text: value.text)
  }

  /// Of a STATE message its value, of a state of Meltano that of the tap, else all of it.
  private static func bookmark(in json: JSON) -> JSON {
    if json["type"]?.stringValue == "STATE", let value = json["value"] { return value }
    if let state = singerState(json) { return state }
    let completed = singerState(json["completed"] ?? json["completed_state"])
    let partial = singerState(json["partial"] ?? json["partial_state"])
    guard let partial else { return completed ?? json }
    return completed.map { merged($0, with: partial) } ?? partial
  }

  /// The tap's state in one that Meltano keeps, which in its database is a text.
  private static func singerState(_ json: JSON?) -> JSON? {
    guard let text = json?.stringValue else { return json?["singer_state"] }
    do throws(JSONError) {
      return try JSON.parse(text)["singer_state"]
    } catch {
      return nil
    }
  }

  /// What a run that did not come to its end added to the state, or replaced in it.
  private static func merged(_ state: JSON, with partial: JSON) -> JSON {
    guard state.members != nil, let members = partial.members else { return partial }
    return members.reduce(state) { result, member in
      let known = state[member.key]
      return result.setting(
        member.key, known.map { merged($0, with: member.value) } ?? member.value)
    }
  }
}

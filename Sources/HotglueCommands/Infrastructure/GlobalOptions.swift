import ArgumentParser
import HotglueCore

/// The flags that every command takes, before or after its noun and verb.
struct GlobalOptions: ParsableArguments {
  @Option(
    name: [.customShort("w", allowingJoined: true), .customLong("workspace")],
    help: ArgumentHelp("Act in this workspace, whatever the context says.", valueName: "id"))
  var workspaces: [String] = []

  @Option(help: ArgumentHelp("Use this context file and no other.", valueName: "file"))
  var context: String?

  @Option(help: ArgumentHelp("Use this store for one command; needs -w.", valueName: "path"))
  var store: String?

  @Option(help: ArgumentHelp("Refuse unless the resolved workspace is this one.", valueName: "id"))
  var expect: String?

  @Flag(help: "Print JSON: one object, or one line per item of a list.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print IDs only, and no notes.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more on standard error.")
  var verbose = false

  @Flag(name: .customLong("no-input"), help: "Never ask a question; refuse instead.")
  var noInput = false

  @Flag(help: "Answer yes to every question.")
  var yes = false

  @Flag(help: "Show times in UTC, also at a terminal.")
  var utc = false

  @Option(help: ArgumentHelp("Colour the output.", valueName: "when"))
  var color: ColorChoice = .auto

  @Option(
    help: ArgumentHelp(
      "Print tables, tab-separated lines or JSON (default: what suits standard output).",
      valueName: "table|tsv|json"))
  var format: OutputFormat?

  /// The workspace named by `-w`, where it is given once.
  var workspace: String? { workspaces.first }
}

/// How results are printed, where that is not left to what standard output is.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table
  case tsv
  case json
  /// Of `record export` alone.
  case jsonl
  case csv

  var isOfExport: Bool { self == .jsonl || self == .csv }
}

enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto
  case always
  case never
}

extension GlobalOptions {
  /// What the dispatcher moves behind the verb: flags that stand alone, and flags with a value.
  static let flags: Set<String> = [
    "--json", "-q", "--quiet", "-v", "--verbose", "--no-input", "--yes", "--utc",
  ]
  static let valued: Set<String> = [
    "-w", "--workspace", "--context", "--store", "--expect", "--color", "--format",
  ]
}

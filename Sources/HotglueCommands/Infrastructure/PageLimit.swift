import ArgumentParser
import HotglueCore

/// The flags of a list that is shown in pages.
struct PageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "At most so many (default: 50, with --json or -q all); 0 for all.", valueName: "n"))
  var limit: Int?

  @Option(help: ArgumentHelp("Continue where an earlier page ended.", valueName: "cursor"))
  var cursor: String?

  /// How many are shown; 0: all. A program that reads a list reads all of it, unless it asks for less.
  func most(_ output: Output) throws(CommandError) -> Int {
    guard let limit else { return output.isJSON || output.isQuiet ? 0 : 50 }
    guard limit >= 0 else {
      throw .usage("'--limit' cannot be '\(limit)'", hint: "give 0 for all, or more")
    }
    return limit
  }
}

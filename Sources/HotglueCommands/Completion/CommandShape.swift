import ArgumentParser
import HotglueCore

/// The options and arguments of one command, as its definition has them: what the parser prints of
/// itself is read, so that a new flag is completed without another word.
struct CommandShape {
  struct Parameter {
    /// With their dashes; empty for what stands by its place.
    var names: [String] = []
    var takesValue = false
    var isRepeating = false
    /// What the usage calls its value: `job`, `file`.
    var valueName = ""
    /// The only values there are, where that is so.
    var values: [String] = []
    var help = ""
  }

  var options: [Parameter] = []
  var arguments: [Parameter] = []

  init(of type: any ParsableArguments.Type) {
    let description = try? JSON.parse(Array(type._dumpHelp().utf8))
    for entry in description?["command"]?["arguments"]?.arrayValue ?? [] {
      guard entry["shouldDisplay"]?.boolValue != false else { continue }
      // Behind '--' stands somebody else's command line.
      if entry["parsingStrategy"]?.stringValue == "postTerminator" { continue }
      let kind = entry["kind"]?.stringValue
      var parameter = Parameter(
        takesValue: kind != "flag", isRepeating: entry["isRepeating"]?.boolValue ?? false,
        valueName: entry["valueName"]?.stringValue ?? "",
        values: entry["allValues"]?.arrayValue?.compactMap(\.stringValue) ?? [],
        help: entry["abstract"]?.stringValue ?? "")
      parameter.names = (entry["names"]?.arrayValue ?? []).compactMap { name in
        name["name"]?.stringValue.map { (name["kind"]?.stringValue == "long" ? "--" : "-") + $0 }
      }
      if kind == "positional" { arguments.append(parameter) } else { options.append(parameter) }
    }
  }

  func option(_ name: String) -> Parameter? { options.first { $0.names.contains(name) } }

  /// What stands at this place among the arguments, counted from 0.
  func argument(_ place: Int) -> Parameter? {
    if place < arguments.count { return arguments[place] }
    guard let last = arguments.last, last.isRepeating else { return nil }
    return last
  }
}

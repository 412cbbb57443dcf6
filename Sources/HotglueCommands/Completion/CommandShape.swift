import ArgumentParser
import HotglueCore

/// The options and arguments of one command, as its definition has them: what the parser prints of
/// itself is read, so that a new flag is completed and checked without another word.
struct CommandShape {
  struct Parameter {
    /// With their dashes; empty for what stands by its place.
    var names: [String] = []
    var takesValue = false
    var isRepeating = false
    var isRequired = false
    var isHidden = false
    /// A value of it may begin with a dash.
    var takesDash = false
    /// What the usage calls its value: `job`, `file`.
    var valueName = ""
    /// The only values there are, where that is so.
    var allValues: [String] = []
    /// The words that its value begins with.
    var words: [String] = []
    var help = ""
    /// The type that its value is read as.
    var valueType: Any.Type = String.self
  }

  private(set) var options: [Parameter] = []
  private(set) var arguments: [Parameter] = []
  /// What stands after '--'.
  private(set) var terminated: Parameter?

  init(of type: any ParsableArguments.Type) {
    let description = try? JSON.parse(Array(type._dumpHelp().utf8))
    var types = ValueTypes.of(type)[...]
    for entry in description?["command"]?["arguments"]?.arrayValue ?? [] {
      var parameter = Parameter(entry)
      if parameter.takesValue { parameter.valueType = types.popFirst() ?? String.self }
      if entry["parsingStrategy"]?.stringValue == "postTerminator" {
        terminated = parameter
      } else if parameter.names.isEmpty {
        arguments.append(parameter)
      } else {
        options.append(parameter)
      }
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

extension CommandShape {
  /// The usage on one line, with all that is optional in one word.
  func usage(of type: any HotglueCommand.Type) -> String {
    if let usage = type.configuration.usage { return usage }
    let required = options.filter(\.isRequired).map { "\($0.names.last ?? "") \($0.placeholder)" }
    let plain = arguments.map { $0.isRequired ? $0.placeholder : "[\($0.placeholder)]" }
    let last = terminated.map { ["[-- \($0.placeholder)]"] } ?? []
    return (["hotglue \(type.record.path) [<options>]"] + required + plain + last)
      .joined(separator: " ")
  }
}

extension CommandShape.Parameter {
  fileprivate var placeholder: String { "<\(valueName)>\(isRepeating ? " ..." : "")" }

  fileprivate init(_ entry: JSON) {
    takesValue = entry["kind"]?.stringValue != "flag"
    isRepeating = entry["isRepeating"]?.boolValue ?? false
    isRequired = entry["isOptional"]?.boolValue == false
    isHidden = entry["shouldDisplay"]?.boolValue == false
    takesDash = entry["parsingStrategy"]?.stringValue == "unconditional"
    valueName = entry["valueName"]?.stringValue ?? ""
    allValues = entry["allValues"]?.stringArray ?? []
    words = entry["completionKind"]?["list"]?["values"]?.stringArray ?? allValues
    help = entry["abstract"]?.stringValue ?? ""
    names = (entry["names"]?.arrayValue ?? []).compactMap { name in
      name["name"]?.stringValue.map { (name["kind"]?.stringValue == "long" ? "--" : "-") + $0 }
    }
  }
}

/// The types of the values of options and arguments, in the order of their definition, without
/// optionals and arrays around them.
private enum ValueTypes {
  static func of(_ type: any ParsableArguments.Type) -> [Any.Type] {
    Mirror(reflecting: type.init()).children.flatMap { child -> [Any.Type] in
      switch child.value {
      case let parameter as any ValueParameter: [unwrapped(Swift.type(of: parameter).valueType)]
      case let group as any ParameterGroup: of(Swift.type(of: group).group)
      default: []
      }
    }
  }

  private static func unwrapped(_ type: Any.Type) -> Any.Type {
    (type as? any ValueWrapper.Type)?.wrapped ?? type
  }
}

private protocol ValueParameter { static var valueType: Any.Type { get } }
extension Option: ValueParameter { fileprivate static var valueType: Any.Type { Value.self } }
extension Argument: ValueParameter { fileprivate static var valueType: Any.Type { Value.self } }

private protocol ParameterGroup { static var group: any ParsableArguments.Type { get } }
extension OptionGroup: ParameterGroup {
  fileprivate static var group: any ParsableArguments.Type { Value.self }
}

private protocol ValueWrapper { static var wrapped: Any.Type { get } }
extension Optional: ValueWrapper { fileprivate static var wrapped: Any.Type { Wrapped.self } }
extension Array: ValueWrapper { fileprivate static var wrapped: Any.Type { Element.self } }

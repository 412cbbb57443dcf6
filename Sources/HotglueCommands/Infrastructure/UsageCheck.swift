import ArgumentParser
import HotglueCore

/// A type of values on the command line that says itself what it expects. Words that the parser knows
/// as all there are need no more.
protocol ArgumentValue {
  /// As it follows 'expected' in a refusal.
  static var expected: String { get }
  init?(argument: String)
}

/// Finds what is wrong with the arguments of a command, by reading them against its own options and
/// arguments as the parser does. It is asked only when the parser has refused them.
struct UsageCheck {
  let shape: CommandShape

  /// What is wrong, and what was most likely meant.
  struct Mistake: Equatable {
    var message: String
    var hint: String?
  }

  /// The first mistake; `nil` when each argument is right by itself.
  func mistake(in words: [String]) -> Mistake? {
    var rest = words[...]
    var plain: [String] = []
    var names: Set<String> = []
    while let word = rest.popFirst() {
      if word == "--" {
        if shape.terminated == nil { plain += rest }
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        plain.append(word)
        continue
      }
      if let mistake = check(word, &rest, &names) { return mistake }
    }
    return mistake(inPlain: plain) ?? missingOption(besides: names)
  }

  private func check(
    _ word: String, _ rest: inout ArraySlice<String>, _ names: inout Set<String>
  ) -> Mistake? {
    let equals = word.hasPrefix("--") ? word.firstIndex(of: "=") : nil
    let name = equals.map { String(word[..<$0]) } ?? word
    guard let option = shape.option(name) else {
      return isCluster(word, &names) ? nil : unknown(name)
    }
    names.formUnion(option.names)
    guard option.takesValue else {
      return equals == nil ? nil : Mistake(message: "'\(name)' takes no value")
    }
    if let equals {
      return refusal(of: String(word[word.index(after: equals)...]), for: option, name)
    }
    guard let value = rest.first, !value.hasPrefix("-") || value == "-" || option.takesDash else {
      return Mistake(message: "missing value for '\(name)'")
    }
    rest.removeFirst()
    return refusal(of: value, for: option, name)
  }

  /// Short flags in one word (`-qv`), or a short option with its value (`-wacme`).
  private func isCluster(_ word: String, _ names: inout Set<String>) -> Bool {
    guard !word.hasPrefix("--") else { return false }
    let letters = word.dropFirst().map { "-\($0)" }
    if let first = letters.first.flatMap(shape.option), first.takesValue {
      names.formUnion(first.names)
      return true
    }
    return letters.allSatisfy { shape.option($0)?.takesValue == false }
  }

  private func unknown(_ name: String) -> Mistake {
    let near = NearMatch.among(shape.options.flatMap(\.names).filter { $0.count > 2 }, to: name)
    return Mistake(
      message: "unknown option '\(name)'", hint: near.isEmpty ? nil : Self.question(near))
  }

  private func mistake(inPlain words: [String]) -> Mistake? {
    for (place, word) in words.enumerated() {
      guard let argument = shape.argument(place) else {
        let extra = words[place...].map { "'\($0)'" }.joined(separator: ", ")
        let noun = words.count == place + 1 ? "argument" : "arguments"
        return Mistake(message: "unexpected \(noun) \(extra)")
      }
      if let mistake = refusal(of: word, for: argument, "<\(argument.valueName)>") {
        return mistake
      }
    }
    let missing = shape.arguments.dropFirst(words.count).first(where: \.isRequired)
    return missing.map { Mistake(message: "missing argument '<\($0.valueName)>'") }
  }

  private func missingOption(besides names: Set<String>) -> Mistake? {
    let missing = shape.options.first { $0.isRequired && names.isDisjoint(with: $0.names) }
    return missing?.names.last.map { Mistake(message: "missing option '\($0)'") }
  }

  private func refusal(
    of value: String, for parameter: CommandShape.Parameter, _ name: String
  ) -> Mistake? {
    let begin = "invalid value '\(value)' for '\(name)'"
    if !parameter.allValues.isEmpty {
      guard !parameter.allValues.contains(value) else { return nil }
      let near = NearMatch.among(parameter.allValues, to: value)
      return Mistake(
        message: "\(begin): expected \(Self.list(parameter.allValues))",
        hint: near.isEmpty ? nil : Self.question(near))
    }
    guard let type = parameter.valueType as? any ArgumentValue.Type,
      type.init(argument: value) == nil
    else { return nil }
    return Mistake(message: "\(begin): expected \(type.expected)")
  }

  private static func list(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.joined() }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  private static func question(_ near: [String]) -> String {
    "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
  }
}

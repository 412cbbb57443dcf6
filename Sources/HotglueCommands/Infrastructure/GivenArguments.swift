import HotglueCore

/// The command line as it was given, without the program's name: what a hint repeats, so that a pasted
/// command means the same store, context and workspace.
struct GivenArguments {
  let words: [String]

  init(_ words: [String]) { self.words = words }

  /// What a repeated command line has that the given one has not.
  enum Change: Hashable, Sendable {
    /// Names this workspace, and no other; `nil`: names none.
    case workspace(WorkspaceID?)
    /// Has a flag that stands alone.
    case flag(String)
    /// Has an option with this value, in the place of one that was given.
    case option(String, String)
    /// Has no such flag.
    case withoutFlag(String)
    /// Has no such option.
    case withoutOption(String)
    /// Names only this one of the things that it names.
    case only(String)
    /// Has this word behind `--`, as the first of a command.
    case command(String)
    /// Names another thing in the place of this one.
    case argument(String, String)
  }

  /// The flags that another command needs to mean the same: those that the given command line has, and
  /// that the other one takes.
  func flags(for command: CommandRecord?, namesWorkspace: Bool = false) -> [String] {
    guard command != nil || namesWorkspace else { return [] }
    let takes = command?.contextFlags ?? .all
    var flags: [String] = []
    for (name, isTaken) in [
      ("--context", takes != .nothing), ("--store", takes == .store || takes == .all),
    ] where isTaken {
      if let value = value(of: [name]) { flags += [name, value] }
    }
    let workspaces = shownWorkspace.map { [$0.text] } ?? values(of: Self.workspaceNames)
    if !namesWorkspace, takes == .all, workspaces.count == 1 { flags += ["-w", workspaces[0]] }
    return flags
  }

  /// The given command line with changes. Global ones come first, those of the command before `--`.
  func words(with changes: [Change]) -> [String] {
    var parts = Parts(words)
    for change in changes {
      switch change {
      case .workspace(let id):
        parts.remove(Self.workspaceNames, valued: true)
        guard let id else { continue }
        // What was expected is what is named now, or the command would be refused once more.
        if value(of: ["--expect"]).map({ $0 != id.text }) == true {
          parts.remove(["--expect"], valued: true)
        }
        parts.before += ["-w", id.text]
      case .flag(let name):
        if !parts.own.contains(name) { parts.own.append(name) }
      case .option(let name, let value):
        parts.remove([name], valued: true)
        if GlobalOptions.valued.contains(name) {
          parts.before += [name, value]
        } else {
          parts.own += [name, value]
        }
      case .withoutFlag(let name): parts.remove([name], valued: false)
      case .withoutOption(let name): parts.remove([name], valued: true)
      case .only(let id): parts.keepOnly(id)
      case .command(let word):
        guard let place = parts.own.lastIndex(of: word) else { continue }
        parts.own.remove(at: place)
        parts.after = ["--", word] + parts.after.dropFirst()
      case .argument(let old, let new):
        if let place = parts.own.lastIndex(of: old) { parts.own[place] = new }
      }
    }
    return parts.before + parts.own + parts.after
  }

  /// The workspace of what `open` shows: what is suggested there is to be done there.
  private var shownWorkspace: WorkspaceID? {
    guard case .command(let command, let arguments) = Dispatch.decide(words),
      command == OpenLink.self
    else { return nil }
    return arguments.lazy.compactMap { EntityLink($0) }.first?.workspace
  }

  private static let workspaceNames: Set<String> = ["-w", "--workspace"]

  private func value(of names: Set<String>) -> String? { values(of: names).last }

  private func values(of names: Set<String>) -> [String] {
    var parts = Parts(words)
    return parts.remove(names, valued: true)
  }
}

/// A command line in three: flags that were put in front, the command with its own, and what stands
/// from `--` on. Of an external command everything behind its name is its own.
private struct Parts {
  var before: [String] = []
  var own: [String]
  var after: [String]

  init(_ words: [String]) {
    var end = words.firstIndex(of: "--") ?? words.endIndex
    if case .command(let command, let arguments) = Dispatch.decide(words),
      command == ExternalCommand.self
    {
      // The dispatcher puts '--' before the name.
      end = arguments.firstIndex(of: "--") ?? end
    }
    own = Array(words[..<min(end, words.count)])
    after = Array(words[min(end, words.count)...])
  }

  /// Takes a flag out wherever it stands, and returns the values that it had.
  @discardableResult
  mutating func remove(_ names: Set<String>, valued: Bool) -> [String] {
    var kept: [String] = []
    var values: [String] = []
    var rest = own[...]
    while let word = rest.popFirst() {
      if names.contains(word) {
        if valued, let value = rest.popFirst() { values.append(value) }
      } else if valued, let equals = word.firstIndex(of: "="),
        names.contains(String(word[..<equals]))
      {
        values.append(String(word[word.index(after: equals)...]))
      } else if valued, names.contains("-w"), word.hasPrefix("-w"), word.count > 2 {
        values.append(String(word.dropFirst(2)))
      } else {
        kept.append(word)
      }
    }
    own = kept
    return values
  }

  /// Of several things that the command names, leaves the one with this ID, given as such or by a link.
  mutating func keepOnly(_ id: String) {
    guard case .command(let command, _) = Dispatch.decide(own) else { return }
    let shape = CommandShape(of: command)
    guard shape.arguments.last?.isRepeating == true else { return }
    var places: [Int] = []
    var place = 0
    var words = command.record.words[...]
    while place < own.count {
      let word = own[place]
      if word.hasPrefix("-"), word != "-" {
        let isJoined = word.hasPrefix("-w") && word.count > 2
        if !isJoined, shape.option(word)?.takesValue == true { place += 1 }
      } else if word == words.first {
        words.removeFirst()
      } else {
        places.append(place)
      }
      place += 1
    }
    func means(_ place: Int) -> Bool { own[place] == id || own[place].hasSuffix("/" + id) }
    guard let kept = places.first(where: means) else { return }
    for place in places.reversed() where place != kept { own.remove(at: place) }
  }
}

extension CommandEnvironment {
  var given: GivenArguments { GivenArguments(arguments) }
}

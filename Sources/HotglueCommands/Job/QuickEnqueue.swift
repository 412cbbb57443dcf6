import HotglueCore

/// The arguments of `job enqueue`, read without ArgumentParser: shells call it in loops, and three
/// quarters of its time would go into building the description of its forty flags.
///
/// It reads only what it fully understands: known flags with a value each, and a type, or `--` and a
/// command.
/// Anything else (help, a mistake, JSON Lines) is left to the parser, which also knows what to say.
/// Flags are the settings of JSON Lines with dashes, so both readers mean the same by construction.
struct QuickEnqueue: Equatable {
  var global = QuickGlobals()
  var settings: [GivenSetting] = []
  var payload: String?
  var variables: [String] = []
  var directory: String?
  var type: String?
  var command: [String] = []

  /// `nil`: not for us.
  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let word = rest.popFirst() {
      if word == "--" {
        command = Array(rest)
        if command.isEmpty || type != nil { return nil }
        return
      }
      if !word.hasPrefix("-"), type == nil {
        type = word
        continue
      }
      guard word.hasPrefix("-"), take(word, &rest) else { return nil }
    }
    if type == nil { return nil }
  }

  private mutating func take(_ word: String, _ rest: inout ArraySlice<String>) -> Bool {
    if global.take(flag: word) { return true }
    let equals = word.hasPrefix("--") ? word.firstIndex(of: "=") : nil
    let name = equals.map { String(word[..<$0]) } ?? word
    let no = "--no-"
    let table = JobSettingTable.current.all
    let setting = table.first { $0.flag == name }
    if let flag = setting ?? table.first(where: { name == no + $0.flag.dropFirst(2) }),
      flag.shape.kind == .truth
    {
      return equals == nil && give(flag, String(setting != nil))
    }
    let value: String
    if let equals {
      value = String(word[word.index(after: equals)...])
    } else {
      // The parser does not take what looks like a flag for a value, unless the value may be negative.
      guard let next = rest.popFirst(), !next.hasPrefix("-") || setting?.shape.takesDash == true
      else {
        return false
      }
      value = next
    }
    if global.take(option: name, value) { return true }
    switch name {
    case "--payload" where payload == nil: payload = value
    case "--cwd" where directory == nil: directory = value
    case "--env": variables.append(value)
    default: return setting.map { give($0, value) } ?? false
    }
    return true
  }

  private mutating func give(_ setting: JobSetting, _ value: String) -> Bool {
    guard !settings.contains(where: { $0.setting == setting }) else { return false }
    settings.append(GivenSetting(setting: setting, value: value))
    return true
  }

  var action: Enqueuing {
    let words = EnqueueWords(
      settings: settings, payload: payload, variables: variables, directory: directory)
    return Enqueuing(words: words, type: type, command: command)
  }
}

/// The global flags as plain values.
struct QuickGlobals: Equatable {
  var workspace: String?
  var context: String?
  var store: String?
  var expect: String?
  var flags: Set<String> = []

  mutating func take(flag: String) -> Bool {
    guard GlobalOptions.flags.contains(flag) else { return false }
    flags.insert(flag)
    return true
  }

  mutating func take(option: String, _ value: String) -> Bool {
    switch option {
    case "-w" where workspace == nil, "--workspace" where workspace == nil: workspace = value
    case "--context" where context == nil: context = value
    case "--store" where store == nil: store = value
    case "--expect" where expect == nil: expect = value
    default: return false
    }
    return true
  }

  var options: GlobalOptions {
    var options = GlobalOptions()
    options.workspaces = workspace.map { [$0] } ?? []
    options.context = context
    options.store = store
    options.expect = expect
    options.json = flags.contains("--json")
    options.quiet = flags.contains("-q") || flags.contains("--quiet")
    options.verbose = flags.contains("-v") || flags.contains("--verbose")
    options.noInput = flags.contains("--no-input")
    options.yes = flags.contains("--yes")
    options.utc = flags.contains("--utc")
    options.color = .auto
    options.format = nil
    return options
  }
}

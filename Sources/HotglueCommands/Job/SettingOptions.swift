import ArgumentParser
import HotglueCore

/// Flags made of a table of settings. The parser finds them where it looks for properties: in the
/// mirror, and under the keys of the decoder.
protocol SettingOptions: ParsableArguments, CustomReflectable {
  static var settings: [JobSetting] { get }
  /// What was said; what was not stays as it is elsewhere.
  var given: [GivenSetting] { get set }
}

/// A setting and its value as it was written.
struct GivenSetting: Equatable {
  var setting: JobSetting
  var value: String
}

/// The flags that say how a job is claimed, stopped and retried, and what is safe twice. Every
/// command that makes jobs takes them.
struct PolicyOptions: SettingOptions {
  static var settings: [JobSetting] { JobSettingTable.current.contract }
  var given: [GivenSetting] = []
}

/// The settings of one job alone.
struct SingleJobOptions: SettingOptions {
  static var settings: [JobSetting] { JobSettingTable.current.all.filter { $0.scope == .job } }
  var given: [GivenSetting] = []
}

extension SettingOptions {
  var customMirror: Mirror {
    Mirror(self, children: Self.settings.map { (label: $0.key, value: $0.parsed) })
  }

  init(from decoder: any Decoder) throws {
    self.init()
    let values = try decoder.container(keyedBy: SettingKey.self)
    for setting in Self.settings {
      let key = SettingKey(stringValue: setting.key)
      let value =
        setting.shape.kind == .truth
        ? try values.decode(Flag<Bool?>.self, forKey: key).wrappedValue.map { String($0) }
        : try values.decode(Option<String?>.self, forKey: key).wrappedValue
      if let value { given.append(GivenSetting(setting: setting, value: value)) }
    }
  }
}

extension JobSetting {
  /// The name of its flag, without dashes.
  private var name: NameSpecification { .customLong(String(flag.dropFirst(2))) }

  /// Its flag as the parser has it.
  fileprivate var parsed: Any {
    guard shape.kind != .truth else {
      return Flag<Bool?>(name: name, inversion: .prefixedNo, help: ArgumentHelp(help))
    }
    return Option<String?>(
      name: name, parsing: shape.takesDash ? .unconditional : .next,
      help: ArgumentHelp(help, valueName: shape.valueName),
      completion: shape.words.isEmpty ? nil : .list(shape.words))
  }
}

private struct SettingKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

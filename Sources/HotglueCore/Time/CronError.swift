/// Why a text is not a cron expression that hotglue takes.
public enum CronError: Error, Equatable, Sendable {
  case tooLong
  /// How many fields there are instead of five.
  case fieldCount(Int)
  case unknownName(String)
  case reboot
  case questionMark(String)
  case nearestWeekday(String)
  case badField(String, String)
  case backwards(String, String)
  case badValue(String, String, ClosedRange<Int>)
  /// It names no day of 50 years.
  case never

  /// What is wrong, without the expression itself.
  public var message: String {
    switch self {
    case .tooLong: "a cron expression has at most \(CronExpression.longest) bytes"
    case .fieldCount(let count):
      "expected five fields (minute, hour, day of month, month, day of week), found \(count)"
    case .unknownName(let name): "unknown schedule '\(name)'"
    case .reboot: "'@reboot' is not a time"
    case .questionMark(let field): "'?' is not a value of the field '\(field)'"
    case .nearestWeekday(let item): "'\(item)' (nearest weekday) is not supported"
    case .badField(let field, let item): "invalid value '\(item)' in the field '\(field)'"
    case .backwards(let field, let item):
      "the range '\(item)' in the field '\(field)' runs backwards"
    case .badValue(let field, let text, let range):
      "invalid value '\(text)' in the field '\(field)': expected \(range.lowerBound) to \(range.upperBound)"
    case .never: "the schedule never fires within \(CronExpression.searchedYears) years"
    }
  }

  /// What to write instead, where there is one likely intention.
  public var hint: String? {
    switch self {
    case .tooLong: "use several '--cron'"
    case .fieldCount(let count) where count == 6 || count == 7:
      "seconds and years have no field: use '--every 10s' for seconds, '--from' and '--until' for years"
    case .fieldCount: "quote the expression: --cron '0 2 * * *'"
    case .unknownName: "use @hourly, @daily, @midnight, @weekly, @monthly or @yearly"
    case .reboot: "use a systemd unit that runs 'hotglue job enqueue' at boot"
    case .questionMark: "write '*'"
    case .nearestWeekday: "use '1-5' in the field 'day of week'"
    case .backwards, .badField, .badValue, .never: nil
    }
  }
}

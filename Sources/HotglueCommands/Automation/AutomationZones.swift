import HotglueCore
import HotglueRunner

/// The zones of automations, from the files of this machine.
enum AutomationZones {
  static func lookup(in environment: CommandEnvironment) -> AutomationTicker.Zones {
    let files = ZoneFiles(variables: environment.variables)
    return { (name) throws(AutomationTicker.ZoneProblem) in
      do throws(ZoneError) {
        return try files.zone(name)
      } catch {
        throw AutomationTicker.ZoneProblem(reason: CommandError(error).message)
      }
    }
  }
}

extension CommandEnvironment {
  /// The zone of an automation, for a command that shows or computes with it.
  func zone(named name: String) throws(CommandError) -> Zone {
    do throws(ZoneError) {
      return try ZoneFiles(variables: variables).zone(name)
    } catch {
      throw CommandError(error)
    }
  }

  /// The zone that an automation gets where none is named: the machine's, by its name.
  func zoneOfMachine() throws(CommandError) -> (zone: Zone, origin: AutomationDefinition.ZoneOrigin)
  {
    let files = ZoneFiles(variables: variables)
    do throws(ZoneError) {
      let (zone, origin) = try files.local()
      guard zone.name == "UTC" || (try? files.zone(zone.name)) != nil else {
        throw ZoneError.unusable(
          name: zone.name, reason: "it has no name under which it could be found again")
      }
      switch origin {
      case "TZ": return (zone, .environment)
      case "default": return (zone, .standard)
      default: return (zone, .machine)
      }
    } catch {
      var refusal = CommandError(error)
      refusal.hint = "name the zone: --timezone Europe/Berlin, or --timezone UTC"
      throw refusal
    }
  }
}

extension CommandError {
  init(_ error: ZoneError) {
    switch error {
    case .unknown(let name, let near):
      self = .badInput(
        "unknown time zone '\(name)'",
        hint: near.isEmpty
          ? "zones are named as in Europe/Berlin: see 'ls /usr/share/zoneinfo'"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
        facts: [JSON.Member("timezone", .string(name)), JSON.Member("near", .strings(near))])
    case .noData(let name):
      self = .badInput(
        "cannot read time zone '\(name)': this machine has no time zone files",
        hint: "install them: apt-get install tzdata; UTC needs none",
        facts: [JSON.Member("timezone", .string(name))])
    case .unusable(let name, let reason):
      self = .badInput(
        "cannot use time zone '\(name)': \(reason)", hint: "name another one with --timezone",
        facts: [JSON.Member("timezone", .string(name))])
    }
  }
}

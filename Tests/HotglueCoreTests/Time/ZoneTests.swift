import Foundation
import Testing

@testable import HotglueCore

@Suite("time zones")
struct ZoneTests {
  @Test(
    "a rule gives the offset of any year after the file's last transition",
    arguments: [
      ("CET-1CEST,M3.5.0,M10.5.0/3", "2060-07-01T00:00:00Z", 7200, "CEST"),
      ("CET-1CEST,M3.5.0,M10.5.0/3", "2060-12-01T00:00:00Z", 3600, "CET"),
      ("IST-1GMT0,M10.5.0,M3.5.0/1", "2060-12-01T00:00:00Z", 0, "GMT"),
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2060-07-01T00:00:00Z", -3600, "-01"),
      ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2060-07-01T00:00:00Z", 10_800, "EEST"),
      ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2060-01-01T00:00:00Z", 39_600, "+11"),
      ("<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", "2060-07-01T00:00:00Z", 7200, "+02"),
      ("<+01>-1", "2060-07-01T00:00:00Z", 3600, "+01"),
      ("AAA3BBB,J60/0,J300/0", "2060-03-01T02:59:59Z", -10_800, "AAA"),
      ("AAA3BBB,J60/0,J300/0", "2060-03-01T03:00:00Z", -7200, "BBB"),
      ("AAA3BBB,59/0,299/0", "2060-02-29T03:00:00Z", -7200, "BBB"),
      ("EST5EDT,0/0,J365/25", "2060-12-31T23:00:00Z", -14_400, "EDT"),
    ])
  func rules(text: String, at: String, offset: Int, abbreviation: String) throws {
    let rule = try #require(ZoneRule(text))
    let period = rule.period(at: try second(at))
    #expect(period.offset == offset && period.abbreviation == abbreviation)
  }

  @Test(
    "a rule that does not have the form is refused",
    arguments: [
      "", "CET", "C-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
      "CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-25", "<CET-1", "CET-1CEST,J0,J2",
      "CET-1CEST,366,2", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1x", "CET-1:60",
    ])
  func badRules(text: String) { #expect(ZoneRule(text) == nil) }

  @Test("clocks that are set forward leave a gap, clocks set back a fold")
  func meanings() throws {
    let berlin = try systemZone("Europe/Berlin")
    func meaning(_ month: Int, _ day: Int, _ hour: Int) throws -> Zone.Meaning {
      berlin.meaning(
        of: try #require(CivilTime(year: 2026, month: month, day: day, hour: hour, minute: 30)))
    }
    #expect(try meaning(3, 29, 2) == .gap(end: second("2026-03-29T01:00:00Z")))
    #expect(
      try meaning(10, 25, 2)
        == .fold(first: second("2026-10-25T00:30:00Z"), second: second("2026-10-25T01:30:00Z")))
    #expect(try meaning(7, 1, 2) == .once(second("2026-07-01T00:30:00Z")))
    let apia = try systemZone("Pacific/Apia")
    let skipped = try #require(CivilTime(year: 2011, month: 12, day: 30, hour: 12))
    #expect(apia.meaning(of: skipped) == .gap(end: try second("2011-12-30T10:00:00Z")))
  }

  @Test("a file is refused by what is wrong with it, and never read past its end")
  func damaged() throws {
    let whole = Array(
      try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/Europe/Berlin")))
    _ = try Zone(name: "x", tzif: whole)
    for length in 0..<whole.count - 1 {
      #expect(throws: ZoneFileError.self) { try Zone(name: "x", tzif: Array(whole[..<length])) }
    }
    #expect(throws: ZoneFileError.notATimeZoneFile) { try Zone(name: "x", tzif: [1, 2, 3]) }
    #expect(throws: ZoneFileError.damaged("size")) {
      try Zone(name: "x", tzif: [UInt8](repeating: 0, count: Zone.largestFile + 1))
    }
    let leap = Array(
      try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/right/Europe/Berlin")))
    #expect(throws: ZoneFileError.leapSeconds) { try Zone(name: "x", tzif: leap) }
  }

  @Test(
    "mutated files are read or refused, and every time has one meaning or a gap", arguments: 0..<64)
  func mutated(seed: UInt64) throws {
    let zones = ["Europe/Berlin", "America/Nuuk", "Africa/Casablanca", "Asia/Gaza"]
    let name = zones[Int(seed) % zones.count]
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/" + name)))
    for round in 0..<200 {
      let draw = Jitter.hash(seed, UInt64(round))
      bytes[Int(draw % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: draw >> 32)
      guard let zone = try? Zone(name: name, tzif: bytes) else { continue }
      let time = Int64(draw >> 31)
      let period = zone.period(at: time)
      #expect(period.start <= time && time < period.end)
      _ = zone.meaning(of: CivilTime(seconds: time))
    }
  }

  @Test(
    "a name leads to no other directory",
    arguments: [
      "", "/etc/passwd", "../x", "Europe/../x", "Europe//Berlin", "Europe/", ".hidden", "a\0b",
      "a b",
    ])
  func badNames(name: String) { #expect(!Zone.isName(name)) }

  @Test(
    "names of zones are names",
    arguments: ["UTC", "Europe/Berlin", "Etc/GMT+5", "America/Port-au-Prince"])
  func names(name: String) { #expect(Zone.isName(name)) }

  /// Every zone of this machine against what the system's own `zdump` prints for it.
  @Test("offsets at every transition are those of zdump")
  func zdump() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c",
      "cd /usr/share/zoneinfo && zdump -v -c 1900,2045 $(find . -type f -path './[A-Z]*' ! -name '*.*' | sed 's,^\\./,,' | sort)",
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    var zone = Zone.utc
    var compared = 0
    var wrong: [String] = []
    // Europe/Berlin  Sun Mar 29 01:00:00 2026 UT = Sun Mar 29 03:00:00 2026 CEST isdst=1 gmtoff=7200
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 16, let gmtoff = Int(words[15].dropFirst("gmtoff=".count)),
        let year = Int(words[5]), let day = Int(words[3]),
        let month = CronField.all[3].names.firstIndex(of: words[2].lowercased())
      else { continue }
      let clock = words[4].split(separator: ":").compactMap { Int($0) }
      let time = try #require(
        CivilTime(
          year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1],
          second: clock[2]))
      if zone.name != words[0] { zone = try systemZone(String(words[0])) }
      compared += 1
      let period = zone.period(at: time.seconds)
      if period.offset != gmtoff || period.abbreviation != words[13] { wrong.append(String(line)) }
    }
    #expect(wrong.isEmpty, "\(wrong.count) of \(compared): \(wrong.prefix(5))")
    #expect(compared > 20_000)
  }
}

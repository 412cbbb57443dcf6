import Foundation
import Testing

@testable import HotglueCore

/// Against cronsim, which follows Debian's cron and is tested for nothing else.
@Suite("occurrences beside cronsim")
struct CronsimTests {
  private struct Case: Decodable {
    let zone: String
    let cron: String
    let from: Int64
    let to: Int64
    let times: [Int64]
  }

  @Test("generated expressions around changes of clocks fire when cronsim's do", arguments: [1, 2])
  func sameTimes(seed: Int) throws {
    let tools = try #require(
      ProcessInfo.processInfo.environment["HOTGLUE_TAPS"],
      "HOTGLUE_TAPS names the directory that Scripts/taps prints; Scripts/test sets it")
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Oracle/cronsim_cases.py")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tools + "/cronsim/bin/python")
    process.arguments = [script.path, String(seed), "1000"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)

    var zones: [String: Zone] = [:]
    var compared = 0
    for line in output.split(separator: UInt8(ascii: "\n")) {
      let expected = try JSONDecoder().decode(Case.self, from: line)
      let zone = try zones[expected.zone] ?? systemZone(expected.zone)
      zones[expected.zone] = zone
      let found = try times(of: expected, zone)
      #expect(found == expected.times, "\(expected.cron) in \(expected.zone) from \(expected.from)")
      compared += 1
    }
    #expect(compared == 1000)
  }

  private func times(of expected: Case, _ zone: Zone) throws(CronError) -> [Int64] {
    let expression: CronExpression
    do throws(CronError) {
      expression = try CronExpression(expected.cron, seed: 0)
    } catch {
      // cronsim searches for it without end.
      guard error == .never else { throw error }
      return []
    }
    return Schedule.cron([expression]).occurrences(
      zone: zone, in: expected.from..<expected.to
    ).map(\.second)
  }
}

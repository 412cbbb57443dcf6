import Foundation
import Testing

@testable import HotglueCore

/// A zone of this machine's time zone data.
func systemZone(_ name: String) throws -> Zone {
  let data = try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/" + name))
  return try Zone(name: name, tzif: Array(data))
}

func second(_ rfc3339: String) throws -> Int64 {
  try #require(Timestamp(rfc3339: rfc3339)).milliseconds / 1000
}

func utcText(_ second: Int64) -> String {
  String(Timestamp(milliseconds: second * 1000).rfc3339.prefix(16))
}

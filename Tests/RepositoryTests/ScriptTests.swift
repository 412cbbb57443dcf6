import Testing

@Suite("Scripts")
struct ScriptTests {
  @Test("every script is executable, is bash and stops at the first error")
  func scriptsAreStrict() throws {
    for path in try scripts() {
      #expect(Repository.isExecutable(path), "\(path) is not executable")
      let lines = try Repository.text(path).split(separator: "\n")
      #expect(lines.first == "#!/usr/bin/env bash", "\(path)")
      #expect(lines.contains("set -euo pipefail"), "\(path)")
    }
  }

  @Test("the scripts that the README and CI rely on are there")
  func scriptsExist() throws {
    let expected = [
      "build", "bench", "check", "fuzz", "install", "man", "quickstart", "setup", "simulate",
      "soak",
      "test",
    ]
    #expect(try Set(expected).isSubset(of: Repository.names(in: "Scripts")))
  }

  @Test("CI runs Scripts/test and nothing else")
  func ciRunsTheTests() throws {
    let commands = try Repository.text(".ci/run").split(separator: "\n")
      .filter { !$0.hasPrefix("#") && !$0.hasPrefix("set ") }
    #expect(commands == [#"exec "$(dirname "$0")/../Scripts/test""#])
  }

  /// The entries of Scripts, without the folders that hold the parts of a script (`NAME.d`) and units.
  private func scripts() throws -> [String] {
    try Repository.names(in: "Scripts").filter { !$0.hasSuffix(".d") && $0 != "systemd" }.map {
      "Scripts/" + $0
    }
      + [".ci/run"]
  }
}

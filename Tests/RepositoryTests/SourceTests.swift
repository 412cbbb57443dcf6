import Testing

/// What no file in Sources may contain, and why.
private let forbidden: [(pattern: String, because: String)] = [
  (#"\btry!"#, "a failure must be an error, not a trap"),
  (#"\bas!"#, "a failure must be an error, not a trap"),
  (#"\bfatalError\("#, "a failure must be an error, not a trap"),
  (#"\b(TODO|FIXME|XXX)\b"#, "what is missing belongs in an issue"),
  (
    #"\b(class|struct|enum|actor|protocol) \w*(Manager|Helper|Utils|Utilities)\b"#,
    "a name says what a thing is"
  ),
  (#"\bstatic let shared\b"#, "what a module needs is handed to it"),
]

@Suite("Sources")
struct SourceTests {
  @Test("no source contains what the house rules forbid", arguments: forbidden.indices)
  func forbiddenWords(rule: Int) throws {
    let (pattern, because) = forbidden[rule]
    let expression = try Regex(pattern)
    for path in try sources() {
      for (number, line) in try Repository.text(path).split(
        separator: "\n", omittingEmptySubsequences: false
      ).enumerated() {
        #expect(!line.contains(expression), "\(path):\(number + 1): \(because)")
      }
    }
  }

  @Test("no source contains a line with spaces at its end")
  func noTrailingSpace() throws {
    for path in try sources() {
      for (number, line) in try Repository.text(path).split(
        separator: "\n", omittingEmptySubsequences: false
      ).enumerated() {
        #expect(line.last != " " && line.last != "\t", "\(path):\(number + 1)")
      }
    }
  }

  @Test(
    "what is opened is close-on-exec, in tests too: a child of another thread would keep a lock")
  func closeOnExec() throws {
    let opens = try Regex(#"\bopen(at)?\(.*\bO_(RDONLY|WRONLY|RDWR)\b(?!.*O_CLOEXEC)"#)
    let files = try Regex(#"\bfopen\((?!.*"[rwa]\+?e")"#)
    let tests = try Repository.files(under: "Tests", suffix: ".swift")
    for path in try sources() + tests where !path.hasSuffix("SourceTests.swift") {
      for (number, line) in try Repository.text(path).split(
        separator: "\n", omittingEmptySubsequences: false
      ).enumerated() where !line.contains("O_RDONLY : O_WRONLY") {
        #expect(!line.contains(opens) && !line.contains(files), "\(path):\(number + 1)")
      }
    }
  }

  private func sources() throws -> [String] {
    try [".swift", ".c", ".h"].flatMap { try Repository.files(under: "Sources", suffix: $0) }
  }
}

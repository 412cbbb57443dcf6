import Testing

/// SwiftPM does not reliably refuse the import of a sibling that a target does not depend on,
/// so the arrows of the house are kept here: a module may import what its row names.
private let arrows: [String: Set<String>] = [
  "HotglueCore": [],
  "HotglueStore": ["HotglueCore"],
  "HotglueFiles": ["CFiles", "Glibc"],
  "HotglueStoreSQLite": ["HotglueStore", "HotglueFiles", "HotglueCore", "CSQLite", "Glibc"],
  "HotglueProcess": ["HotglueCore", "HotglueFiles", "CSupervisor", "Glibc"],
  "HotglueRunner": ["HotglueStore", "HotglueProcess", "HotglueFiles", "HotglueCore", "Glibc"],
  "HotglueSinger": ["HotglueStore", "HotglueProcess", "HotglueCore", "CZlib"],
  "HotglueCommands": [
    "HotglueRunner", "HotglueSinger", "HotglueProcess", "HotglueStore", "HotglueFiles",
    "HotglueCore", "ArgumentParser", "Glibc",
  ],
  "hotglue": ["HotglueCommands", "HotglueStoreSQLite", "HotglueStore", "HotglueCore", "Glibc"],
]

/// Targets written in C, which import no Swift module.
private let cTargets: Set<String> = ["CFiles", "CSQLite", "CSupervisor", "CZlib"]

@Suite("Import arrows")
struct ImportTests {
  @Test("every target in Sources has a row in the table of arrows")
  func everyTargetHasARow() throws {
    let targets = Set(try Repository.targets())
    #expect(targets == Set(arrows.keys).union(cTargets))
  }

  @Test("a module imports only modules of a lower floor", arguments: arrows.keys.sorted())
  func importsPointDown(module: String) throws {
    let allowed = try #require(arrows[module])
    for path in try Repository.files(under: "Sources/\(module)", suffix: ".swift") {
      for (line, imported) in imports(in: try Repository.text(path)) {
        #expect(allowed.contains(imported), "\(path):\(line) imports \(imported)")
      }
    }
  }

  @Test("the table of arrows has no circle")
  func noCircle() {
    var settled: Set<String> = []
    var open = arrows.mapValues { $0.intersection(arrows.keys) }
    while let next = open.keys.sorted().first(where: { open[$0]?.isSubset(of: settled) == true }) {
      settled.insert(next)
      open[next] = nil
    }
    #expect(open.isEmpty, "these import each other in a circle: \(open.keys.sorted())")
  }

  @Test("an import is recognised however it is spelled")
  func spellings() {
    let source = """
      import A
      public import B
      @preconcurrency internal import C
      @testable import struct D.Inner
        import E.Sub // because
      // import F
      importantThing(G)
      """
    #expect(imports(in: source).map(\.1) == ["A", "B", "C", "D", "E"])
  }

  /// Line numbers and module names of the import declarations in a source file.
  private func imports(in source: String) -> [(Int, String)] {
    let kinds: Set<Substring> = [
      "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
    ]
    var found: [(Int, String)] = []
    for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated()
    {
      var words = line.split(separator: " ")[...]
      while let first = words.first, first.hasPrefix("@") || isAccessLevel(first) {
        words.removeFirst()
      }
      guard words.popFirst() == "import" else { continue }
      if let first = words.first, kinds.contains(first) { words.removeFirst() }
      guard let module = words.first?.split(separator: ".").first else { continue }
      found.append((index + 1, String(module)))
    }
    return found
  }

  private func isAccessLevel(_ word: Substring) -> Bool {
    ["public", "package", "internal", "fileprivate", "private"].contains(word)
  }
}

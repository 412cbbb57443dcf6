import Testing

@Suite("Documents")
struct DocumentationTests {
  @Test("the changelog keeps the form of Keep a Changelog")
  func changelogShape() throws {
    let lines = try Repository.text("CHANGELOG.md").split(separator: "\n")
    #expect(lines.first == "# Changelog")
    let releases = lines.filter { $0.hasPrefix("## ") }
    #expect(releases.first == "## [Unreleased]")
    let dated = try Regex(#"## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}"#)
    for release in releases.dropFirst() {
      #expect(release.wholeMatch(of: dated) != nil, "\(release)")
    }
    let kinds: Set<Substring> = [
      "### Added", "### Changed", "### Deprecated", "### Removed", "### Fixed", "### Security",
    ]
    for heading in lines where heading.hasPrefix("### ") {
      #expect(kinds.contains(heading), "\(heading)")
    }
  }

  @Test(
    "released means a dated heading in the changelog: before one, schema and wire have one version")
  func nothingIsReleased() throws {
    let headings = try Repository.text("CHANGELOG.md").split(separator: "\n")
      .filter { $0.hasPrefix("## [") && $0.contains("] - ") }
    guard headings.isEmpty else { return }
    let schema = try Repository.text("Sources/HotglueStoreSQLite/Schema/Schema.swift")
    #expect(schema.contains("static let version = 1\n"))
    let wire = try Repository.text("Sources/CSupervisor/include/csupervisor.h")
    #expect(wire.contains("#define HG_VERSION 1\n"))
  }

  @Test("the README names the two commands that a newcomer needs")
  func readmeNamesTheCommands() throws {
    let readme = try Repository.text("README.md")
    let lines = Set(readme.split(separator: "\n").map { $0.prefix { $0 != " " } })
    #expect(lines.isSuperset(of: ["Scripts/quickstart", "Scripts/test"]))
  }

  @Test("every target and every dependency of the package is explained in Sources/README.md")
  func readmeExplainsThePackage() throws {
    let readme = try Repository.text("Sources/README.md")
    for target in try Repository.names(in: "Sources")
    where target != "README.md" && target != "Decisions" {
      let isExplained = readme.contains("`\(target)`")
      #expect(isExplained, "\(target)")
    }
    let manifest = try Repository.text("Package.swift")
    let dependency = try Regex(
      #"url: "[^"]*/([^"/]+)", exact: "([^"]+)""#, as: (Substring, Substring, Substring).self)
    let packages = manifest.matches(of: dependency)
    #expect(!packages.isEmpty)
    for package in packages {
      let isExplained = readme.contains("\(package.output.1) \(package.output.2)")
      #expect(isExplained, "\(package.output.0)")
    }
  }

  @Test("every file that the README links to exists")
  func readmeLinks() throws {
    let link = try Regex(#"\]\(([^)#:]+)\)"#, as: (Substring, Substring).self)
    for match in try Repository.text("README.md").matches(of: link) {
      #expect(Repository.exists(String(match.output.1)), "\(match.output.1)")
    }
  }

  @Test("every page that a hand-written manual page refers to exists")
  func manualReferences() throws {
    let reference = try Regex(
      #"\.BR (hotglue[a-z\\-]*) \(([17])\)"#, as: (Substring, Substring, Substring).self)
    for page in try Repository.files(under: "man/man7", suffix: ".7") {
      for match in try Repository.text(page).matches(of: reference) {
        let name = match.output.1.replacing("\\-", with: "-")
        let file = "man/man\(match.output.2)/\(name).\(match.output.2)"
        #expect(Repository.exists(file), "\(page) refers to \(file)")
      }
    }
  }
}

import Glibc
import HotglueCore
import TestSupport
import Testing

@testable import HotglueCommands

@Suite("init")
struct InitTests {
  @Test("init NAME makes the workspace too and selects it, once")
  func named() throws {
    let place = try CommandPlace()
    let answer = place.run("init acme")
    #expect(
      answer.status == 0 && answer.error == "hint: hotglue job run -- echo hello\n", "\(answer)")
    #expect(try place.context().workspace?.text == "acme")
    #expect(place.run("init acme").output.hasSuffix("in workspace 'acme'; nothing was changed\n"))
    let other = place.run("init beta")
    #expect(other.status == 73, "\(other)")
    #expect(place.run("workspace list -q").output == "acme\n")
    #expect(try place.context().generation == 1)
    #expect(place.run("init Nope").status == 64)
  }

  @Test("init NAME selects a workspace in a context that has none, by a switch")
  func later() throws {
    let place = try CommandPlace()
    #expect(place.run("init").status == 0)
    // As an init that was cut short leaves it.
    #expect(place.run("workspace create acme").status == 0)
    #expect(place.run("init acme").status == 0)
    #expect(try place.context().workspace?.text == "acme")
    #expect(try place.record()?.workspace?.text == "acme")
  }

  @Test("what init makes is kept out of a repository, and a .gitignore that is there stays")
  func ignored() throws {
    let place = try CommandPlace()
    #expect(place.run("init").status == 0)
    let path = place.folder.file(".hotglue/.gitignore")
    #expect(try place.read(path) == "*\n")
    #expect(try place.mode(of: path) == 0o600)
    unlink(place.contextPath)
    try place.write("!keep\n", to: path)
    #expect(place.run("init").status == 0)
    #expect(try place.read(path) == "!keep\n")
  }
}

@Suite("Links to contexts")
struct ContextLinkTests {
  @Test("an error about a context that a link led to names the link and its target")
  func followed() throws {
    let place = try CommandPlace.ready()
    let target = place.folder.file("moved.json")
    #expect(rename(place.contextPath, target) == 0 && symlink(target, place.contextPath) == 0)
    let words = "'.hotglue/context.json' is a link to 'PLACE/moved.json'"
    let store = place.run("job list")
    #expect(store.status == 69 && store.error.contains("; \(words)\n"), "\(store)")
    #expect(!store.error.contains("'hotglue init'"))
    try place.write("{", to: target)
    let broken = place.run("job list")
    #expect(broken.status == 78 && broken.error.contains(words), "\(broken)")
  }

  @Test("a context that is a link to nothing is an error, and is not passed over")
  func dangling() throws {
    var place = try CommandPlace.ready()
    let below = place.folder.file("below")
    #expect(mkdir(below, 0o700) == 0 && mkdir(below + "/.hotglue", 0o700) == 0)
    #expect(symlink("gone.json", below + "/.hotglue/context.json") == 0)
    place.directory = below
    let answer = place.run("job list")
    #expect(answer.status == 78, "\(answer)")
    #expect(
      answer.error.contains(
        "'.hotglue/context.json' is a link to 'gone.json', which does not exist"))
  }
}

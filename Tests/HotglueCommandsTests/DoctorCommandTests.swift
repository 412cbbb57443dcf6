import Glibc
import HotglueCore
import HotglueStore
import TestSupport
import Testing

@testable import HotglueCommands
@testable import HotglueStoreSQLite

@Suite("hotglue doctor")
struct DoctorCommandTests {
  private func list(_ json: JSON, _ name: String) -> [JSON] {
    guard case .array(let list)? = json[name] else { return [] }
    return list
  }

  private func codes(_ json: JSON, _ name: String) -> [String] {
    list(json, name).compactMap { $0["code"]?.stringValue }
  }

  private func keys(_ json: JSON) -> [String] {
    guard case .object(let members) = json else { return [] }
    return members.map(\.key)
  }

  @Test("a sound store is status 0, says so on standard error only, and -q prints nothing")
  func sound() throws {
    let world = try JobWorld()
    try world.enqueue()
    let answer = world.run("doctor")
    #expect(answer.status == 0)
    #expect(answer.out == "")
    #expect(answer.err == "nothing is wrong with '\(world.storePath)'\n")
    #expect(world.run("doctor", "-q") == JobWorld.Answer(status: 0, out: "", err: ""))
  }

  @Test("the JSON has every key, also where there is nothing")
  func shape() throws {
    let world = try JobWorld()
    let answer = world.run("doctor", "--json")
    #expect(answer.status == 0)
    let json = try answer.json()
    #expect(
      keys(json) == [
        "store", "store_id", "sound", "findings", "notes", "sqlite_version", "gate_protects",
        "log_bytes", "free_bytes", "open_by",
      ])
    #expect(json["sound"]?.boolValue == true)
    #expect(codes(json, "findings") == [])
  }

  @Test("a finding has its code, what it means and what mends it, and makes the status 1")
  func finding() throws {
    let world = try JobWorld()
    let id = try world.enqueue()
    // A worker that is gone, and a slot that was never there.
    do {
      let worker = try TestWorker(in: world)
      _ = try worker.claim(id)
    }
    let answer = world.run("doctor", "--json")
    #expect(answer.status == 1)
    let json = try answer.json()
    #expect(codes(json, "findings") == ["attempt_dead"])
    let first = try #require(list(json, "findings").first)
    #expect(
      keys(first) == [
        "code", "message", "meaning", "remedy", "workspace", "job", "pid", "path",
      ])
    #expect(first["remedy"]?.stringValue == "hotglue job reclaim -w acme")
    #expect(first["workspace"]?.stringValue == "acme")
    #expect(first["job"]?.integerValue == id)
    #expect(world.run("doctor", "-q").out == "attempt_dead\n")
    let text = world.run("doctor")
    #expect(text.status == 1)
    #expect(text.lines.count == 1)
    #expect(text.lines[0].split(separator: "\t").count == 5)
    #expect(text.lines[0].hasPrefix("finding\tattempt_dead\tattempt 1 of job \(id) "))
    let person = world.run("doctor", terminal: true)
    #expect(person.out.contains("mend:"))
    #expect(person.out.contains("hotglue job reclaim -w acme"))
  }

  @Test("a remedy names the store or the context that the doctor was asked about")
  func remedyNamesTheStore() throws {
    let world = try JobWorld()
    let id = try world.enqueue()
    do {
      let worker = try TestWorker(in: world)
      _ = try worker.claim(id)
    }
    let answer = world.run("doctor", "--store", world.storePath)
    #expect(answer.out.contains("\thotglue --store \(world.storePath) job reclaim -w acme\n"))
  }

  @Test("what keeps a store or a context from being used is a finding, not a refusal")
  func unusable() throws {
    let world = try JobWorld()
    chmod(world.storePath, 0o620)
    #expect(world.run("doctor", "-q").out == "not_private\n")
    chmod(world.storePath, 0o600)
    let context = world.folder.file(".hotglue/context.json")
    chmod(context, 0o606)
    #expect(world.run("doctor", "-q").out == "not_private\n")
    chmod(context, 0o600)
    #expect(world.run("doctor", "-q", "--store", "/etc/passwd").out == "store_unusable\n")
    #expect(world.run("doctor", "-q", "--store", "/nowhere/x").out == "store_missing\n")
    try DamagedFile.write("{", to: context)
    #expect(world.run("doctor", "-q").out == "context_unusable\n")
  }

  @Test("no context at all is a refusal as everywhere")
  func noContext() throws {
    let world = try JobWorld()
    let answer = world.run("doctor", "--context", "none.json")
    #expect(answer.status == 78)
    #expect(answer.out == "")
  }

  @Test("the doctor does not settle a switch")
  func changesNothing() throws {
    let world = try JobWorld()
    try world.enqueue()
    let store = try world.store()
    let before = try store.changeCounter()
    try store.connection.execute(
      "UPDATE context SET intent_generation = 9, intent_workspace = 'beta'")
    #expect(world.run("doctor", "-q").out == "switch_open\n")
    #expect(world.run("doctor", "-q").out == "switch_open\n")
    #expect(try store.changeCounter() == before)
  }
}

/// Bytes of a file that a test damages.
private enum DamagedFile {
  static func write(_ text: String, to path: String) throws {
    let file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
    try #require(file >= 0)
    defer { close(file) }
    try #require(Glibc.write(file, text, text.utf8.count) == text.utf8.count)
  }
}

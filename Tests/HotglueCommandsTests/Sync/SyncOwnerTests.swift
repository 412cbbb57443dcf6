import HotglueCore
import HotglueStore
import Testing

@Suite("Runs and targets of another workspace")
struct SyncOwnerTests {
  /// The first run of a source of that name, which went into the first target or into the store.
  private func sync(
    _ name: String, in workspace: String, isDelivered: Bool, _ place: CommandPlace
  ) throws -> SyncRunID {
    let store = try place.store()
    let id = try #require(WorkspaceID(workspace))
    let actor = Actor(user: "ann", command: "test", workspaceOrigin: "flag")
    let source = try store.setSource(
      name, to: SourceDefinition(command: ["tap"], directory: "/"), in: id, expecting: .anything,
      by: actor, at: place.now)
    let request = SyncRequest(workspace: id, source: source.id, attempt: nil)
    if isDelivered {
      return try store.beginDelivery(request, into: ["target"], by: actor, at: place.now).run.id
    }
    return try store.beginSync(request, by: actor, at: place.now).run.id
  }

  @Test("a run of another workspace is a mismatch, with the command line that would mean it")
  func runs() throws {
    let place = try CommandPlace.ready()
    let mine = try sync("crm", in: "acme", isDelivered: false, place)
    let theirs = try sync("their crm", in: "beta", isDelivered: false, place)
    for (line, flag) in [
      ("sync reset crm", "--to"), ("sync reset crm --dry-run", "--to"),
      ("sync state crm", "--run"), ("sync state crm --all", "--run"), ("sync rejects crm", "--run"),
    ] {
      let answer = place.run("\(line) \(flag) \(theirs)")
      #expect(answer.status == 80, "\(line): \(answer)")
      #expect(
        answer.error.hasPrefix(
          "hotglue: run \(theirs) belongs to workspace 'beta', but the context is 'acme' "),
        "\(answer.error)")
      let meant = line.replacing("crm", with: "'their crm'")
      #expect(
        answer.error.contains("hint: hotglue -w beta \(meant) \(flag) \(theirs)\n"),
        "\(answer.error)")
      #expect(place.run("\(line) \(flag) 99").status == 66)
    }
    // One of another source here is no run of this one.
    let other = try sync("other", in: "acme", isDelivered: false, place)
    #expect(place.run("sync reset crm --to \(other)").status == 66)
    #expect(place.run("sync reset crm --to \(mine)").status == 81)
    let json = place.run("sync reset crm --to \(theirs) --json")
    #expect(json.error.contains(#""code":"context_mismatch""#), "\(json.error)")
    #expect(json.error.contains(#""kind":"run","id":\#(theirs),"workspace":"beta""#))
  }

  @Test("a target of another workspace is a mismatch, too")
  func targets() throws {
    let place = try CommandPlace.ready()
    _ = try sync("crm", in: "acme", isDelivered: true, place)
    _ = try sync("crm", in: "beta", isDelivered: true, place)
    for line in ["sync reset crm --to start --target 2", "sync state crm --target 2"] {
      let answer = place.run(line)
      #expect(answer.status == 80, "\(line): \(answer)")
      #expect(answer.error.contains("target 2 belongs to workspace 'beta'"), "\(answer.error)")
      #expect(answer.error.hasSuffix(" --target 2\n"), "\(answer.error)")
    }
    // The line that is told is a whole one.
    let reset = place.run("sync reset crm --to start --target 2").error
    #expect(reset.contains("hint: hotglue -w beta sync reset crm --to start --target 2\n"))
    let mixed = place.run("sync reset crm --to 1 --target 2").error
    #expect(mixed.contains("hint: hotglue -w beta sync reset crm --target 2 --to RUN\n"))
    #expect(place.run("sync state crm --target 9").status == 66)
    #expect(place.run("-w beta sync state crm --target 2").status == 0)
  }

  @Test("who may not read in the other workspace is not told what its source is called")
  func hidden() throws {
    var place = try CommandPlace.ready()
    _ = try sync("crm", in: "acme", isDelivered: true, place)
    _ = try sync("secret", in: "beta", isDelivered: true, place)
    #expect(place.run("-w beta workspace member add daemon --role viewer").status == 0)
    for (user, name) in [("daemon", "secret"), ("bin", "SOURCE")] {
      place.userName = user
      for line in ["sync state crm --run 2", "sync state crm --target 2"] {
        let answer = place.run(line)
        #expect(answer.status == 80, "\(line): \(answer)")
        #expect(answer.error.contains("hint: hotglue -w beta sync state \(name) --"), "\(answer)")
      }
    }
  }

  @Test("a link that names another workspace than its source is in is mended by one hint")
  func wrongLink() throws {
    let place = try CommandPlace.ready()
    _ = try sync("crm", in: "acme", isDelivered: false, place)
    _ = try sync("theirs", in: "beta", isDelivered: false, place)
    let answer = place.run("source show hotglue://acme/source/2")
    #expect(answer.status == 80, "\(answer)")
    #expect(
      answer.error.contains("\nhint: hotglue -w beta source show hotglue://beta/source/2\n"),
      "\(answer)")
    #expect(place.run("-w beta source show hotglue://beta/source/2").status == 0)
  }

  @Test("a link to a source of a workspace that is not there names nothing")
  func unknownWorkspace() throws {
    let place = try CommandPlace.ready()
    _ = try sync("crm", in: "acme", isDelivered: false, place)
    #expect(place.run("sync status hotglue://acme/source/1").status == 0)
    #expect(place.run("sync status hotglue://beta/source/1").status == 80)
    #expect(place.run("sync status hotglue://nowhere/source/1").status == 66)
  }
}

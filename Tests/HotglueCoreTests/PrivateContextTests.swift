import HotglueCore
import Testing

@Suite("Private contexts")
struct PrivateContextTests {
  private func file(
    _ tenant: ContextFile.Tenant?, pinned: ContextFile.Pin? = nil
  ) -> ContextFile {
    ContextFile(
      contextID: "c", store: "/s.db", storeID: "s", workspace: WorkspaceID("acme"), generation: 3,
      pinned: pinned, tenant: tenant)
  }

  private func resolved(_ file: ContextFile, flag: String? = nil) throws -> ResolvedContext {
    try ContextResolution.resolve(
      ContextRequest(workspace: flag, contextVariable: "/c.json"),
      findings: [
        ContextFinding(
          origin: .environment, shownPath: "/c.json", realPath: "/c.json",
          content: .bytes(Array(file.text.utf8)))
      ])
  }

  @Test(
    "whom a private file was made for is read as it was written",
    arguments: [
      nil, .shell, .command("foo", namesWorkspace: true), .command("é b", namesWorkspace: false),
    ] as [ContextFile.Tenant?])
  func roundTrip(tenant: ContextFile.Tenant?) throws {
    #expect(try ContextFile(parsing: Array(file(tenant).text.utf8)) == file(tenant))
  }

  @Test(
    "a tenant that is not understood makes the file unusable: what it fixes would be lost",
    arguments: [
      #""shell""#, "{}", #"{"kind":"pet"}"#, #"{"kind":"command"}"#,
      #"{"kind":"command","name":"x"}"#, #"{"kind":"command","name":1,"names_workspace":true}"#,
    ])
  func unknown(tenant: String) {
    let text = file(.shell).json.text.replacing(#"{"kind":"shell"}"#, with: tenant)
    #expect(throws: ContextFileError.badMember("tenant")) {
      try ContextFile(parsing: Array(text.utf8))
    }
  }

  @Test("a workspace is named by -w, by a job, by its shell, or by the caller of a command")
  func namesWorkspace() throws {
    let pin = ContextFile.Pin(job: 1, fence: 1)
    #expect(try !resolved(file(nil)).namesWorkspace)
    var shell = file(.shell)
    shell.generation = ContextFile.shellGeneration
    #expect(try resolved(shell).namesWorkspace)
    shell.generation += 2
    #expect(try !resolved(shell).namesWorkspace, "switched away and back")
    #expect(try !resolved(file(.command("x", namesWorkspace: false))).namesWorkspace)
    #expect(try resolved(file(.command("x", namesWorkspace: true))).namesWorkspace)
    #expect(try resolved(file(nil, pinned: pin)).namesWorkspace)
    for tenant in [nil, .command("x", namesWorkspace: false)] as [ContextFile.Tenant?] {
      #expect(try resolved(file(tenant), flag: "beta").namesWorkspace)
    }
    var none = file(.command("x", namesWorkspace: true))
    none.workspace = nil
    #expect(try !resolved(none).namesWorkspace)
  }

  @Test(
    "the path of a private context is told by its form",
    arguments: [
      ("/x/store.db.d/contexts/1-a/context.json", true),
      ("/x/store.db.d/contexts/context.json", false), ("/x/contexts/1-a/context.json", false),
      ("contexts/1-a/context.json", false), ("", false),
    ])
  func path(path: String, isPrivate: Bool) {
    #expect(ContextResolution.isPrivateContext(path) == isPrivate)
  }
}

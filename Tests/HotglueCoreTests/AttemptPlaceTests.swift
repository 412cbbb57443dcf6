import HotglueCore
import Testing

@Suite("The context of an attempt")
struct AttemptPlaceTests {
  private func resolve(_ path: String, _ file: ContextFile) throws -> ResolvedContext {
    try ContextResolution.resolve(
      ContextRequest(contextVariable: path),
      findings: [
        ContextFinding(
          origin: .environment, shownPath: path, realPath: path,
          content: .bytes(Array(file.text.utf8)))
      ])
  }

  private func file(_ pin: ContextFile.Pin?, _ tenant: ContextFile.Tenant? = nil) -> ContextFile {
    ContextFile(
      contextID: "x", store: "/x/store.db", storeID: "id", workspace: WorkspaceID("acme"),
      generation: 1, pinned: pin, tenant: tenant)
  }

  @Test("its path says whose it is")
  func path() {
    let place = AttemptPlace(contextPath: "/x/store.db.d/slots/a1-2.42-7.json")
    #expect(place?.folder == "/x/store.db.d" && place?.slot == "a1-2")
    #expect(place?.pin == .init(job: 42, fence: 7))
    #expect(place?.streamContextPath == "/x/store.db.d/slots/a1-2.stream.json")
    for other in [
      "/x/store.db.d/slots/a.stream.json", "/x/store.db.d/slots/a.idle.json", "/x/slots/a.1-1.json",
      "/x/store.db.d/a.1-1.json", "/x/store.db.d/slots/a.1-1-1.json", "/x/store.db.d/slots/a.json",
    ] {
      #expect(AttemptPlace(contextPath: other) == nil, "\(other)")
    }
  }

  @Test("a file that says something else than its name belongs to a later attempt, and is refused")
  func otherContent() throws {
    let path = "/x/store.db.d/slots/a.42-7.json"
    #expect(try resolve(path, file(.init(job: 42, fence: 7))).pinned?.fence == 7)
    for other in [ContextFile.Pin(job: 42, fence: 8), .init(job: 43, fence: 7), nil] {
      #expect(throws: ContextError.attemptEnded(path: path)) { try resolve(path, file(other)) }
    }
    let stream = "/x/store.db.d/slots/a.stream.json"
    let own = try resolve(stream, file(nil, .stream(type: "mail")))
    #expect(own.streamType == "mail" && own.pinned == nil && own.isOfHandler && own.namesWorkspace)
    for other in [file(.init(job: 1, fence: 1)), file(nil), file(nil, .shell)] {
      #expect(throws: ContextError.attemptEnded(path: stream)) { try resolve(stream, other) }
    }
  }

  @Test("variables that speak of another attempt are a contradiction; what is not set says nothing")
  func variables() throws {
    let pin = ContextFile.Pin(job: 42, fence: 7)
    try pin.require(job: nil, fence: nil)
    try pin.require(job: "42", fence: "7")
    try pin.require(job: "42", fence: nil)
    for (job, fence) in [("43", "7"), ("42", "6"), (nil, "6"), ("43", nil), ("", "7"), ("x", nil)] {
      #expect(throws: ContextError.otherAttempt(pin, job: job, fence: fence)) {
        try pin.require(job: job, fence: fence)
      }
    }
  }

  @Test("a stream's context says so, and is read as it was written")
  func stream() throws {
    let file = file(nil, .stream(type: "mail"))
    #expect(try ContextFile(parsing: Array(file.text.utf8)) == file)
  }
}

import HotglueCore
import HotglueStore
import StoreConformance
import Testing

@testable import HotglueStoreSQLite

@Suite("Drafts in the log")
struct DraftLogTests {
  @Test("each change of a draft leaves one row, and what changes nothing leaves none")
  func rows() throws {
    let fixture = try SQLiteFixture()
    _ = try fixture.workspace()
    let store = fixture.store
    func subjects() throws -> [String] {
      try store.connection.all(
        text: "SELECT coalesce(subject, '') FROM activity WHERE subject LIKE 'draft/%' ORDER BY id",
        [], { $0.text(0) })
    }
    let actor = StoreFixture.alice
    let now = SQLiteFixture.start
    let draft = try store.startDraft(
      NewDraft(kind: .job, name: nil, template: [], text: [], directory: "/", context: nil),
      in: fixture.acme, by: actor, at: now)
    for _ in 1...2 {
      _ = try store.saveDraft(
        draft.id, in: fixture.acme, text: [1], name: nil, by: actor, at: now)
    }
    _ = try store.discardDraft(draft.id, in: fixture.acme, by: actor, at: now)
    #expect(throws: StoreError.self) {
      try store.discardDraft(draft.id, in: fixture.acme, by: actor, at: now)
    }
    let open = try store.restoreDraft(draft.id, in: fixture.acme, by: actor, at: now)
    let request = EnqueueRequest(command: ["x"], directory: "/")
    _ = try store.submitDraft(
      open.stamp, in: fixture.acme, as: .job(request), over: nil, by: actor, at: now)
    #expect(
      try subjects() == ["draft/1", "draft/1", "draft/1", "draft/1", "draft/1 job/1"])
  }
}

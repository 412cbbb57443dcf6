public import HotglueCore
public import HotglueStore

extension SQLiteStore {
  public func importBookmark(
    _ bookmark: Bookmark, of source: SourceID, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> SyncRun {
    try write { () throws(StoreError) in
      try requireActive(workspace, for: actor)
      try requireSource(source, in: workspace)
      try refuseLiveRun(of: source, in: workspace)
      let before = try position(of: source, in: workspace)
      if let before {
        try connection.run(
          SyncSQL.interruptRuns, [.integer(source), .integer(now.milliseconds)])
        try giveUp(staged: before.staged, above: before.published, of: source)
      }
      let id = try insertRun(
        SyncRequest(workspace: workspace, source: source, attempt: nil), from: before?.bookmark,
        at: now)
      try connection.run(
        SyncSQL.setPosition, [.text(workspace.text), .integer(source), .integer(id)])
      try connection.run(
        SyncSQL.publish,
        [.integer(source), .integer(id), .integer(now.milliseconds), .text(bookmark.text)])
      try connection.run(
        SyncSQL.addBookmark,
        [.integer(id), .integer(1), .integer(now.milliseconds), .text(bookmark.text)])
      try connection.run(SyncSQL.notePublication, [.integer(id), .text(bookmark.text)])
      // What came after this bookmark is not known.
      try connection.run(SyncSQL.resetBoundaries, [.integer(source), .null])
      try connection.run(
        SyncSQL.endRun,
        [
          .integer(id), .text(SyncRun.State.succeeded.rawValue), .integer(now.milliseconds),
          .null, .null, .null,
          .text(JSON.strings([Self.importNote]).text),
        ])
      try logActivity(actor, in: workspace, subject: "source/\(try sourceName(source))", at: now)
      return try syncRun(id, of: source, in: workspace)
    }
  }

  private static var importNote: String { "the bookmark was imported" }
}

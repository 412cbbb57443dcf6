import HotglueCore
import HotglueStore

/// Streams that are sent whole.
extension SyncEngine {
  /// The stream is sent whole under this token: by its version, or under another key.
  func replace(
    _ stream: SingerStream, token: String, version: JSON? = nil
  ) throws(SyncError) {
    var start = ReplacementStart.beginning
    if let part = judge.part(of: givenValue, for: stream.identity), part.namesPlace {
      start = .place(isSameVersion: version.map { $0 == part.version } ?? false)
    }
    // What came before is staged before.
    try flush(publishing: nil)
    let replacement = try stored { () throws(StoreError) in
      try session.replace(stream: stream.index, token: token, from: start)
    }
    stream.isReplaced = replacement != .none
    if replacement == .anew { stream.resumption?.given = .beginning }
  }

  /// The catalog says that the stream is sent whole at every run, and the run begins it without a place.
  func replaceTable(_ stream: SingerStream) throws(SyncError) {
    guard stream.identity.isFullTable else { return }
    guard judge.part(of: givenValue, for: stream.identity)?.namesPlace != true else {
      keptTables.append(stream.title)
      return
    }
    let replacement = try stored { () throws(StoreError) in
      try session.replace(stream: stream.index, token: nil, from: .beginning)
    }
    stream.isReplaced = replacement != .none
  }

  /// Tells of streams that the catalog calls whole and that the tap was asked to resume.
  func noteKeptTables() {
    for title in keptTables where streams.contains(where: { $0.title == title && !$0.isReplaced }) {
      notes.add(
        "stream '\(title)' keeps records that the tap did not send: the bookmark names a place in it"
      )
    }
  }

  /// Tells of streams of which the catalog does not say whether they are sent whole.
  func noteMethods() {
    for stream in streams where stream.identity.needsMethod && !stream.isReplaced {
      notes.add(
        "stream '\(stream.title)' has no replication method in the catalog: records that the tap no longer "
          + "sends stay; 'hotglue source select --method' sets one")
    }
  }
}

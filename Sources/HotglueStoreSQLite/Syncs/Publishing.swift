import HotglueCore
import HotglueStore

extension SQLiteSyncSession {
  /// Bookmarks of a run that are kept.
  private static let kept = 1000

  /// Makes all that is staged visible, with the bookmark; within a step.
  func publish(_ publication: Publication, at now: Timestamp) throws(StoreError) {
    let next = publication.bookmark ?? bookmark
    let moves = next != bookmark
    published = staged
    try connection.run(
      SyncSQL.publish,
      [
        .integer(run.source), .integer(run.id), .integer(now.milliseconds),
        .optional(next?.text),
      ])
    // Only the first publication of a bookmark tells what was sent before its place.
    let isOwn = moves || publishedBookmarks == 0
    if let next, isOwn {
      publishedBookmarks += 1
      try connection.run(
        SyncSQL.addBookmark,
        [
          .integer(run.id), .integer(publishedBookmarks), .integer(now.milliseconds),
          .text(next.text),
        ])
      try connection.run(
        SyncSQL.thinBookmarks, [.integer(run.id), .integer(publishedBookmarks - Self.kept)])
    }
    try connection.run(SyncSQL.notePublication, [.integer(run.id), .optional(next?.text)])
    for (index, place) in publication.places {
      streams[index].repeats.publish(place, staged: staged)
      boundaryMovedAt = publishedBookmarks
      try keepBoundary(index)
    }
    try record(publication.tallies)
    for index in streams.indices {
      if streams[index].growth != 0 {
        try connection.run(
          SyncSQL.grow, [.integer(streams[index].id), .integer(streams[index].growth)])
        streams[index].growth = 0
      }
      let isOtherKey = streams[index].pendingSchema != nil
      try keepSchema(index)
      if isOwn || isOtherKey { try keepReplacement(index) }
    }
    bookmark = next
  }

  /// Records under another key become visible: from now on it is the stream's.
  private func keepSchema(_ index: Int) throws(StoreError) {
    guard let pending = streams[index].pendingSchema else { return }
    try connection.run(
      SyncSQL.setSchema,
      [.integer(streams[index].id), .integer(pending.version), .text(pending.key)])
    streams[index].pendingSchema = nil
  }

  var mark: BookmarkMark {
    BookmarkMark(bookmark: bookmark, publications: publishedBookmarks)
  }

  func withdraw(to mark: BookmarkMark, at now: Timestamp) throws(StoreError) {
    guard publishedBookmarks > mark.publications else { return }
    // Which records may come again after a bookmark in mid-run is not kept for each of them: where a
    // stream without keys has moved since, all begins where the run did.
    let isOwn = mark.publications > 0 && boundaryMovedAt <= mark.publications
    let next = isOwn ? mark.bookmark : bookmarkBefore
    let last = isOwn ? mark.publications : 0
    try step(durable: true) { () throws(StoreError) in
      try connection.run(SyncSQL.withdraw, [.integer(run.source), .optional(next?.text)])
      try connection.run(
        SyncSQL.withdrawFromRun, [.integer(run.id), .optional(isOwn ? next?.text : nil)])
      for index in streams.indices {
        if !isOwn, streams[index].repeats.boundary != streams[index].repeats.before {
          streams[index].repeats.withdraw()
          try keepBoundary(index)
        }
        try forgetReplacement(index, storedAfter: last)
      }
      bookmark = next
    }
  }

  /// What was seen up to a bookmark that is withdrawn says nothing of the one before it.
  private func forgetReplacement(_ index: Int, storedAfter last: Int) throws(StoreError) {
    guard let replacement = streams[index].replacement, replacement.isStored,
      replacement.storedAt > last
    else { return }
    try connection.run(SyncSQL.forgetReplacement, [.integer(streams[index].id)])
    try connection.run(SyncSQL.forgetSeen, [.integer(streams[index].id)])
    streams[index].replacement?.isStored = false
    streams[index].seen.markAllChanged()
  }

  private func keepBoundary(_ index: Int) throws(StoreError) {
    try connection.run(
      SyncSQL.setBoundary,
      [.integer(streams[index].id), .optional(streams[index].repeats.boundary)])
  }

  func markPlace(of stream: Int) { streams[stream].repeats.markPlace(staged: staged) }

  /// A run that resumes from this bookmark has to know what was sent before it.
  private func keepReplacement(_ index: Int) throws(StoreError) {
    let stream = streams[index]
    guard let replacement = stream.replacement, let token = replacement.token else { return }
    if !replacement.isStored {
      try connection.run(SyncSQL.forgetSeen, [.integer(stream.id)])
      try connection.run(
        SyncSQL.setReplacement,
        [
          .integer(stream.id), .text(token), .integer(stream.floor),
          .integer(replacement.begunBy),
        ])
      streams[index].replacement?.isStored = true
      streams[index].replacement?.storedAt = publishedBookmarks
    }
    for (chunk, bytes) in streams[index].seen.takeChanged() {
      try connection.run(
        SyncSQL.setSeen, [.integer(stream.id), .integer(chunk), .bytes(bytes)])
    }
  }

  func record(_ tallies: [Int: StreamTally]) throws(StoreError) {
    for (index, tally) in tallies {
      try connection.run(
        SyncSQL.setTally,
        [
          .integer(run.id), .integer(streams[index].id), .integer(tally.received),
          .integer(streams[index].counts.added), .integer(streams[index].counts.changed),
          .integer(streams[index].counts.unchanged), .integer(tally.rejected),
          .integer(tally.removed), .optional(streams[index].repeats.boundary),
        ])
    }
  }

  // MARK: Replacement

  func replace(
    stream index: Int, token: String?, from start: ReplacementStart
  ) throws(StoreError) -> ReplacementState {
    let stream = streams[index]
    let present: ReplacementState = stream.replacement == nil ? .none : .underWay
    if let token, stream.completed == token || stream.replacement?.token == token {
      return present
    }
    if let token, case .place(let isSameVersion) = start {
      let kept = try connection.first(
        SyncSQL.stream,
        [.text(run.workspace.text), .integer(run.source), .text(stream.name)]
      ) { (token: $0.optionalText(4), floor: $0.integer(5), run: $0.integer(8)) }
      if let kept, kept.token == token {
        try resume(index, token, floor: kept.floor, begunBy: kept.run)
        return .underWay
      }
      if isSameVersion { return present }
    }
    // Versions of this run, and those that it has seen, were sent.
    streams[index].replacement = .init(token: token, begunBy: run.id, isStored: false)
    return .anew
  }

  /// What an interrupted run saw of the same replacement was sent, too.
  private func resume(
    _ index: Int, _ token: String, floor: Int64, begunBy: SyncRunID
  ) throws(StoreError) {
    streams[index].floor = floor
    streams[index].replacement = .init(token: token, begunBy: begunBy, isStored: true)
    let chunks = try connection.all(
      SyncSQL.seen, [.integer(streams[index].id)], { ($0.integer(0), $0.bytes(1)) })
    for (chunk, bytes) in chunks { streams[index].seen.load(bytes, chunk: chunk) }
    streams[index].repeats.startOver()
  }

  func stageRemovals(
    stream index: Int, limit: Int, at now: Timestamp
  ) throws(StoreError) -> (removed: Int, isDone: Bool) {
    guard streams[index].replacement != nil else { return (0, true) }
    let page = try versions(of: index, after: streams[index].removalsAfter, limit: limit)
    var gone: [(id: Int64, key: RecordKey)] = []
    var last: RecordKey?
    for version in page where version.key != last {
      last = version.key
      if !version.isRemoval, !streams[index].wasSent(version.id) {
        gone.append((version.id, version.key))
      }
    }
    let isDone = page.count < limit
    if !gone.isEmpty {
      try step(durable: false) { () throws(StoreError) in
        try remove(gone, stream: index, at: now)
      }
      streams[index].growth -= Int64(gone.count)
    }
    streams[index].removalsAfter = last ?? streams[index].removalsAfter
    streams[index].isComplete = isDone
    return (gone.count, isDone)
  }

  /// Removes versions; within a step.
  func remove(
    _ versions: [(id: Int64, key: RecordKey)], stream index: Int, at now: Timestamp
  ) throws(StoreError) {
    let first = try takeNumbers(versions.count)
    let numbers = first..<first + Int64(versions.count)
    for (number, version) in zip(numbers, versions) {
      try connection.run(
        SyncSQL.insertVersion,
        [
          .integer(number), .integer(streams[index].id), version.key.value,
          .integer(now.milliseconds), .null,
        ])
    }
    // The removals themselves are of no use once what they remove is gone, which goes first.
    try supersede(versions.map(\.id) + numbers, by: first)
  }

  /// Notes that the step whose first version is `first` replaces versions; within it.
  func supersede(
    _ versions: some Sequence<Int64>, by first: Int64
  ) throws(StoreError) {
    for range in versions.closedRanges {
      try connection.run(
        SyncSQL.supersede,
        [
          .integer(run.source), .integer(first), .integer(range.lowerBound),
          .integer(range.upperBound),
        ])
    }
  }

  /// Versions of a stream by their keys, of each the newest first, staged ones too.
  func versions(
    of index: Int, after: RecordKey?, limit: Int
  ) throws(StoreError) -> [(id: Int64, key: RecordKey, isRemoval: Bool)] {
    var values: [SQLValue] = [
      .integer(streams[index].id), .integer(run.source), .integer(limit),
    ]
    var statement = SyncSQL.firstVersions
    if let after {
      values.append(after.value)
      statement = SyncSQL.nextVersions
    }
    return try connection.all(statement, values) {
      ($0.integer(0), $0.recordKey(1), $0.integer(2) != 0)
    }
  }

  // MARK: The end

  func finish(_ end: SyncEnd, at now: Timestamp) throws(StoreError) -> SyncRun {
    try step(durable: true) { () throws(StoreError) in
      switch end {
      case .succeeded(let publication, let notes):
        try publish(publication, at: now)
        for index in streams.indices {
          let before = streams[index].repeats.boundary
          streams[index].repeats.end()
          if streams[index].repeats.boundary != before { try keepBoundary(index) }
        }
        try record(publication.tallies)
        for stream in streams where stream.isComplete {
          try connection.run(SyncSQL.forgetSeen, [.integer(stream.id)])
          try connection.run(
            SyncSQL.completeReplacement,
            [
              .integer(stream.id), .optional(stream.replacement?.token),
              .optional(stream.replacement?.begunBy),
            ])
        }
        try endRun(.succeeded, nil, notes, at: now)
      case .failed(let failure, let tallies, let notes):
        try record(tallies)
        try store.giveUp(staged: staged, above: published, of: run.source)
        staged = published
        try endRun(.failed, failure, notes, at: now)
      }
    }
    run = try store.syncRun(run.id, of: run.source, in: run.workspace)
    return run
  }

  private func endRun(
    _ state: SyncRun.State, _ failure: Job.Failure?, _ notes: [String], at now: Timestamp
  ) throws(StoreError) {
    try connection.run(
      SyncSQL.endRun,
      [
        .integer(run.id), .text(state.rawValue), .integer(now.milliseconds),
        .optional(failure?.code), .optional(failure?.message), .optional(failure?.kind),
        notes.isEmpty ? .null : .text(JSON.strings(notes).text),
      ])
  }
}

extension RecordKey {
  var value: SQLValue {
    switch self {
    case .integer(let number): .integer(number)
    case .text(let text): .text(text)
    case .bytes(let bytes): .bytes(bytes)
    }
  }
}

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
    if let next, moves || publishedBookmarks == 0 {
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
      try keepBoundary(index)
    }
    try record(publication.tallies)
    for index in streams.indices {
      if streams[index].growth != 0 {
        try connection.run(
          SyncSQL.grow, [.integer(streams[index].id), .integer(streams[index].growth)])
        streams[index].growth = 0
      }
      if moves { try keepReplacement(index) }
    }
    bookmark = next
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
    guard let replacement = stream.replacement else { return }
    if !replacement.isStored {
      try connection.run(SyncSQL.forgetSeen, [.integer(stream.id)])
      try connection.run(
        SyncSQL.setReplacement,
        [.integer(stream.id), .text(replacement.token), .integer(stream.floor)])
      streams[index].replacement?.isStored = true
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

  func replace(stream index: Int, token: String) throws(StoreError) {
    guard streams[index].completed != token, streams[index].replacement?.token != token else {
      return
    }
    let kept = try connection.first(
      SyncSQL.stream,
      [.text(run.workspace.text), .integer(run.source), .text(streams[index].name)]
    ) { (token: $0.optionalText(4), floor: $0.integer(5)) }
    streams[index].seen.removeAll()
    streams[index].repeats.startOver(begun: staged)
    if let kept, kept.token == token {
      streams[index].floor = kept.floor
      streams[index].replacement = .init(token: token, isStored: true)
      let chunks = try connection.all(
        SyncSQL.seen, [.integer(streams[index].id)], { ($0.integer(0), $0.bytes(1)) })
      for (chunk, bytes) in chunks { streams[index].seen.load(bytes, chunk: chunk) }
    } else {
      streams[index].floor = staged
      streams[index].replacement = .init(token: token, isStored: false)
    }
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
        var number = try takeNumbers(gone.count)
        for (id, key) in gone {
          try connection.run(
            SyncSQL.insertVersion,
            [
              .integer(number), .integer(streams[index].id), key.value,
              .integer(now.milliseconds), .null,
            ])
          // The removal itself is of no use once what it removes is gone, which goes first.
          for old in [id, number] {
            try connection.run(
              SyncSQL.supersede, [.integer(run.source), .integer(number), .integer(old)])
          }
          number += 1
        }
      }
      streams[index].growth -= Int64(gone.count)
    }
    streams[index].removalsAfter = last ?? streams[index].removalsAfter
    streams[index].isComplete = isDone
    return (gone.count, isDone)
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
            [.integer(stream.id), .optional(stream.replacement?.token)])
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

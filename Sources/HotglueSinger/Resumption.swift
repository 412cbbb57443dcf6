import HotglueCore
import HotglueStore

/// Where a stream without keys goes on, and so which of its records may be repetitions.
struct Resumption {
  /// From what the tap was given.
  var given: ReplicationPlace
  /// What its bookmark says now.
  var place: ReplicationPlace
  /// Whether it moved in this run.
  var hasEverMoved = false
  /// Whether `place` has moved since it was published last.
  var hasMoved = false

  init(given: ReplicationPlace) {
    self.given = given
    place = given
  }

  /// Which of the records that are held this one may be.
  func repetition(
    of record: Int, on line: borrowing JSONTape
  ) -> RecordBatch.Repetition {
    switch given {
    case .beginning: return .any
    case .position: return .recent
    case .value(_, let property):
      let value = line.member(property, of: record).map { line.json(line[$0]) }
      return given.isAfter(value) ? .any : .recent
    }
  }
}

extension SyncEngine {
  func resumption(of stream: SingerStream) -> Resumption? {
    guard stream.key.isEmpty else { return nil }
    return Resumption(given: place(of: stream, in: givenValue))
  }

  private func place(of stream: SingerStream, in bookmark: JSON?) -> ReplicationPlace {
    if stream.identity.isFullTable { return .beginning }
    return ReplicationPlace(
      judge.part(of: bookmark, for: stream.identity), property: stream.replicationKey,
      properties: stream.schema.propertyNames)
  }

  /// The tap said a bookmark: where it moves a stream's place to a position, what was staged so far
  /// lies before it.
  func movePlaces(to bookmark: JSON) throws(SyncError) {
    for stream in streams {
      guard var resumption = stream.resumption else { continue }
      let next = place(of: stream, in: bookmark)
      guard next != resumption.place else { continue }
      (resumption.place, resumption.hasMoved, resumption.hasEverMoved) = (next, true, true)
      stream.resumption = resumption
      guard case .position = next else { continue }
      try flush(publishing: nil)
      session.markPlace(of: stream.index)
    }
  }

  /// A stream without keys that the tap sent records of without another bookmark for it: it will send them
  /// again in each run, and the bookmark is no place in them. What it repeated is not there twice.
  func removeRepetitions() throws(SyncError) {
    for stream in streams {
      guard let resumption = stream.resumption, !resumption.hasEverMoved,
        resumption.given.isPosition
      else { continue }
      var isDone = stream.tally.added == 0
      while !isDone {
        let step = try stored { () throws(StoreError) in
          try session.stageRepetitions(stream: stream.index, limit: 500, at: declarationTime)
        }
        stream.tally.added -= Int64(step.repeated)
        stream.tally.unchanged += Int64(step.repeated)
        isDone = step.isDone
      }
    }
  }

  /// The places that the next publication moves.
  func movedPlaces() -> [Int: Publication.PlaceKind] {
    var moved: [Int: Publication.PlaceKind] = [:]
    for stream in streams where stream.resumption?.hasMoved == true {
      stream.resumption?.hasMoved = false
      switch stream.resumption?.place {
      case .value where !stream.monitor.isOrdered: moved[stream.index] = .unordered
      case .value: moved[stream.index] = .value
      case .position: moved[stream.index] = .position
      case .beginning, nil: moved[stream.index] = .beginning
      }
    }
    return moved
  }
}

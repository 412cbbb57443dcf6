import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// How far a sync is, as its job says it: the number of records, and a part for each stream.
enum SyncProgressText {
  /// Parts that are shown at the most; the message of a job is bounded.
  private static let most = 20
  /// How often progress is told.
  private static let toldEveryMs: Int64 = 250

  /// Says progress now and then.
  static func teller(_ voice: AttemptVoice) -> (SyncProgress) -> Void {
    var toldAt: Int64 = 0
    return { progress in
      let now = BootClock.now()
      guard !progress.streams.isEmpty, now - toldAt >= toldEveryMs else { return }
      toldAt = now
      voice.say(.progress(told(progress)))
    }
  }

  static func told(_ progress: SyncProgress) -> JobProgress {
    let received = progress.streams.reduce(Int64(0)) { $0 + $1.tally.received }
    var parts = progress.streams.suffix(most).map { part($0.stream, $0.tally) }
    if progress.streams.count > most {
      parts.insert("\(progress.streams.count - most) more streams", at: 0)
    }
    parts.append(ByteCount.approximateText(progress.bytes))
    return JobProgress(
      current: received, total: nil, message: parts.joined(separator: separator))
  }

  static let separator = "; "

  /// `orders: 1200 received, 3 added, 1 changed, 1196 unchanged`
  static func part(_ stream: String, _ tally: StreamTally) -> String {
    var words = ["\(tally.received) received"]
    for (count, word) in [
      (tally.added, "added"), (tally.changed, "changed"), (tally.unchanged, "unchanged"),
      (tally.removed, "removed"), (tally.rejected, "rejected"),
    ] where count > 0 {
      words.append("\(count) \(word)")
    }
    return "\(stream): \(words.joined(separator: ", "))"
  }
}

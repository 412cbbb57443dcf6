import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// How far a sync is, as its job says it: the number of records, and a part for each stream.
enum SyncProgressText {
  /// Parts that are shown at the most; the message of a job is bounded.
  private static let most = 20
  /// Columns of a name, so that all parts find room in a message.
  private static let longestName = 100
  /// How often progress is told.
  private static let toldEveryMs: Int64 = 250

  /// Says progress now and then, and when there is some.
  static func teller(_ voice: AttemptVoice) -> (SyncProgress) -> Void {
    var toldAt: Int64 = 0
    var pace = SyncRates()
    var said: JobProgress?
    return { progress in
      let now = BootClock.now()
      guard !progress.streams.isEmpty, now - toldAt >= toldEveryMs else { return }
      toldAt = now
      pace.look(at: progress.streams, now)
      let told = told(progress, pace)
      guard told != said else { return }
      said = told
      voice.say(.progress(told))
    }
  }

  static func told(_ progress: SyncProgress, _ pace: SyncRates) -> JobProgress {
    let received = progress.streams.reduce(Int64(0)) { $0 + $1.tally.received }
    var parts = newest(
      progress.streams.map { part($0.stream, $0.tally, rate: pace.rates[$0.stream] ?? 0) },
      most: most)
    parts.append(ByteCount.approximateText(progress.bytes))
    return JobProgress(
      current: received, total: nil, message: parts.joined(separator: separator))
  }

  static let separator = "; "
  private static let more = " more streams"

  /// The last ones, and how many there are before them.
  static func newest(_ parts: [String], most: Int) -> [String] {
    guard parts.count > most else { return parts }
    guard most > 1 else { return most == 1 ? parts.suffix(1) : [] }
    let hidden = parts.dropLast(most - 1)
    let counted = hidden.first.flatMap { part in
      part.hasSuffix(more) ? Int(part.dropLast(more.count)) : nil
    }
    return ["\(hidden.count + (counted.map { $0 - 1 } ?? 0))\(more)"] + parts.suffix(most - 1)
  }

  /// What a message was made of.
  static func parts(of progress: JobProgress) -> [String] {
    (progress.message ?? "").split(separator: separator).map(String.init)
  }

  /// `orders: 1200 received (310/s), 3 added, 1 changed, 1196 unchanged`
  ///
  /// A name that holds what separates the parts is shown with a blank of another kind.
  static func part(_ stream: String, _ tally: StreamTally, rate: Int64) -> String {
    var words = ["\(tally.received) received" + (rate > 0 ? " (\(rate)/s)" : "")]
    for (count, word) in [
      (tally.added, "added"), (tally.changed, "changed"), (tally.unchanged, "unchanged"),
      (tally.removed, "removed"), (tally.rejected, "rejected"),
    ] where count > 0 {
      words.append("\(count) \(word)")
    }
    let name = TextWidth.cut(stream.replacing(separator, with: ";\u{a0}"), to: longestName)
    return "\(name): \(words.joined(separator: ", "))"
  }
}

/// How fast each stream comes, in records per second.
struct SyncRates {
  private(set) var rates: [String: Int64] = [:]
  private var from: [String: Int64] = [:]
  private var fromAt: Int64?
  /// Over how long it is measured.
  private static let windowMs: Int64 = 1000

  /// `now`: milliseconds of a clock that only goes on.
  mutating func look(at streams: [StreamReport], _ now: Int64) {
    guard let start = fromAt else { return keep(streams, now) }
    let spent = now - start
    guard spent >= Self.windowMs else { return }
    for report in streams {
      rates[report.stream] = (report.tally.received - (from[report.stream] ?? 0)) * 1000 / spent
    }
    keep(streams, now)
  }

  private mutating func keep(_ streams: [StreamReport], _ now: Int64) {
    fromAt = now
    for report in streams { from[report.stream] = report.tally.received }
  }
}

import HotglueCore

/// The incarnations that restores of this store began, oldest first: what tells in which one a job was
/// enqueued.
///
/// Each begins its job IDs beyond those of the one before, so the ID alone says it. A job keeps its
/// idempotency key for that reason when a backup that holds it is restored. The token is random: two
/// restores on two machines, or of two copies of one machine, never give out the same key.
struct IncarnationList {
  struct Entry: Equatable {
    var number: Int64
    var firstJob: JobID
    var token: String
  }

  private(set) var entries: [Entry] = []
  /// As it is recorded in `store_meta`: `NUMBER:FIRST_JOB:TOKEN`, separated by commas.
  private(set) var text = ""

  init() {}

  init?(_ text: String) {
    self.text = text
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let fields = part.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 3, let number = Int64(fields[0]), let first = JobID(fields[1]) else {
        return nil
      }
      entries.append(Entry(number: number, firstJob: first, token: String(fields[2])))
    }
  }

  mutating func append(_ entry: Entry) {
    entries.append(entry)
    text = entries.map { "\($0.number):\($0.firstJob):\($0.token)" }.joined(separator: ",")
  }

  /// The incarnation in which the job was enqueued, as idempotency keys name it.
  func name(ofJob id: JobID) -> String {
    guard let entry = entries.last(where: { $0.firstJob <= id }) else { return "1" }
    return "\(entry.number)-\(entry.token)"
  }
}

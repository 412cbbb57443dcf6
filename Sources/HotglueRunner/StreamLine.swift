import HotglueCore
import HotglueStore

/// What a stream's handler reads of one job, and what its context file says meanwhile.
///
/// Put together from texts, since thousands of them are made a second.
struct StreamLine {
  /// The store's path and its ID, as JSON texts.
  private let storePath: String
  private let storeID: String

  init(_ place: WorkerPlace) {
    storePath = JSON.string(place.storePath).text
    storeID = JSON.string(place.storeID).text
  }

  /// `{"job","fence","attempt","key","payload"}` on one line.
  func line(of claimed: ClaimedJob) -> [UInt8] {
    let job = claimed.job
    let key = JSON.string(claimed.idempotencyKey).text
    let text =
      "{\"job\":\(job.id),\"fence\":\(job.fence),\"attempt\":\(job.attempt),\"key\":\(key),"
      + "\"payload\":\(job.request.payload ?? "null")}"
    // Between the parts of a JSON text a line end is as good as a space, and within there is none.
    let newline = UInt8(ascii: "\n")
    return text.utf8.map { $0 == newline ? UInt8(ascii: " ") : $0 }
  }

  /// What `PinnedContext` says, filled up with spaces: files of one length replace each other in one
  /// write.
  func context(of job: Job) -> [UInt8] {
    var bytes = Array(
      ("{\"version\":1,\"context_id\":\"job-\(job.id)-\(job.fence)\",\"store\":\(storePath),"
        + "\"store_id\":\(storeID),\"workspace\":\"\(job.workspace.text)\",\"generation\":1,"
        + "\"previous\":null,\"pinned\":{\"job\":\(job.id),\"fence\":\(job.fence)}}\n").utf8)
    let missing = Self.contextBytes - bytes.count
    if missing > 0 { bytes += repeatElement(UInt8(ascii: " "), count: missing) }
    return bytes
  }

  private static let contextBytes = 1024
}

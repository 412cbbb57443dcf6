import HotglueCore
import HotglueProcess
import HotglueStore

/// What a stream's handler reads of one job. Put together from texts, since thousands are made a
/// second.
struct StreamLine {
  /// How the context of a job of this slot begins, as a JSON text without its closing quote.
  private let contextStart: String

  init(_ link: SupervisorLink) {
    let place = link.contextPath(job: 0, fence: 0)
    contextStart = String(JSON.string(String(place.dropLast("0-0.json".count))).text.dropLast())
  }

  /// `{"job","fence","attempt","key","payload","context"}` on one line, of an automation's job also
  /// `occurrence`.
  func line(of claimed: ClaimedJob) -> [UInt8] {
    let job = claimed.job
    let key = JSON.string(claimed.idempotencyKey).text
    let text =
      "{\"job\":\(job.id),\"fence\":\(job.fence),\"attempt\":\(job.attempt),\"key\":\(key),"
      + "\"payload\":\(job.request.payload ?? "null"),"
      + "\"context\":\(contextStart)\(job.id)-\(job.fence).json\""
      + (job.request.occurrence.map { ",\"occurrence\":\($0.told.text)" } ?? "") + "}"
    // Between the parts of a JSON text a line end is as good as a space, and within there is none.
    let newline = UInt8(ascii: "\n")
    return text.utf8.map { $0 == newline ? UInt8(ascii: " ") : $0 }
  }
}

extension JobOccurrence {
  /// What the variables `HOTGLUE_OCCURRENCE…` say to a handler of one job.
  fileprivate var told: JSON {
    .object([
      JSON.Member("automation", .string(name)), JSON.Member("at", .string(at.rfc3339)),
      JSON.Member("local", .string(local)), JSON.Member("previous", .text(previous?.rfc3339)),
      JSON.Member("catch_up", .bool(isCatchUp)),
    ])
  }
}

import HotglueCore
import HotglueStore

/// The context file that a handler is given: pinned to its workspace, job and fence, so that
/// `hotglue` inside the handler means this job.
struct PinnedContext {
  let storePath: String
  let storeID: String

  func bytes(for job: Job) -> [UInt8] {
    let file: JSON = .object([
      JSON.Member("version", .integer(1)),
      JSON.Member("context_id", .string("job-\(job.id)-\(job.fence)")),
      JSON.Member("store", .string(storePath)),
      JSON.Member("store_id", .string(storeID)),
      JSON.Member("workspace", .string(job.workspace.text)),
      JSON.Member("generation", .integer(1)),
      JSON.Member("previous", .null),
      JSON.Member(
        "pinned",
        .object([
          JSON.Member("job", .integer(job.id)), JSON.Member("fence", .integer(job.fence)),
        ])),
    ])
    return Array((file.prettyText + "\n").utf8)
  }
}

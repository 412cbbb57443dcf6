import HotglueCore
import HotglueStore

/// The context files that handlers are given.
struct PinnedContext {
  let storePath: String
  let storeID: String

  /// Pinned to its workspace, job and fence, so that `hotglue` inside the handler means this job.
  func bytes(for job: Job) -> [UInt8] {
    bytes(
      id: "job-\(job.id)-\(job.fence)", workspace: job.workspace,
      pinned: ContextFile.Pin(job: job.id, fence: job.fence))
  }

  /// Of a stream's handler: it means the workspace, and no job. Which job is meant only the line tells
  /// that the job was given by.
  func bytes(for stream: StreamKey, slot: String) -> [UInt8] {
    bytes(id: "stream-\(slot)", workspace: stream.workspace, tenant: .stream(type: stream.type))
  }

  private func bytes(
    id: String, workspace: WorkspaceID, pinned: ContextFile.Pin? = nil,
    tenant: ContextFile.Tenant? = nil
  ) -> [UInt8] {
    let file = ContextFile(
      contextID: id, store: storePath, storeID: storeID, workspace: workspace, generation: 1,
      pinned: pinned, tenant: tenant)
    return Array(file.text.utf8)
  }
}

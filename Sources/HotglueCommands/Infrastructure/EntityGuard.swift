import HotglueCore
import HotglueStore

extension WorkspaceSession {
  /// The job that an argument names: a number, or a link. A link into another workspace than the
  /// resolved one is refused, whatever number it carries; so is a job that belongs to another one.
  func jobID(_ text: String) throws -> JobID {
    let id = try jobNumber(text)
    if let owner = try store.owner(ofJob: id) {
      guard owner == workspace else { throw StoreError.otherWorkspace(id, owner: owner) }
      return id
    }
    throw StoreError.unknownJob(id)
  }

  /// As `jobID`, without asking the store: for commands whose next call asks it anyway.
  func jobNumber(_ text: String) throws -> JobID {
    var number = text
    if text.hasPrefix(EntityLink.scheme) {
      guard let link = EntityLink(text) else {
        throw CommandError.usage(
          "'\(text)' is not a link", hint: "links look like hotglue://WORKSPACE/job/42")
      }
      guard link.workspace == workspace else {
        throw CommandError.mismatch(
          of: link.kind.rawValue, link.id, owner: link.workspace, in: self)
      }
      guard link.kind == .job else {
        throw CommandError.usage(
          "'\(text)' names a \(link.kind.rawValue), not a job",
          hint: "give a job's ID or link")
      }
      number = link.id
    }
    guard let id = JobID(number), id > 0, number.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
    else {
      throw CommandError.usage(
        "'\(text)' is not a job ID", hint: "give a number like 42, or hotglue://\(workspace)/job/42"
      )
    }
    return id
  }
}

import ArgumentParser
import HotglueCore
import HotglueStore

struct WorkspaceProtect: StoreCommand {
  static let record = CommandRecord("workspace protect", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "protect", abstract: "have a workspace named by -w before anything changes in it",
    discussion: """
      What the context file says is then not enough for a command that changes something: it is
      refused (82) unless -w names the workspace. A context pinned to a job names its own. Reading
      and switching are as before.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace.")
  var id: String

  func run(in session: StoreSession) throws -> ExitStatus {
    try Protection(session: session, isProtected: true).apply(to: id)
  }
}

struct WorkspaceUnprotect: StoreCommand {
  static let record = CommandRecord(
    "workspace unprotect", .changesWorkspace, requires: .role(.owner))
  static let configuration = CommandConfiguration(
    commandName: "unprotect", abstract: "let the context file alone name a workspace again")

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The workspace.")
  var id: String

  func run(in session: StoreSession) throws -> ExitStatus {
    try Protection(session: session, isProtected: false).apply(to: id)
  }
}

private struct Protection {
  let session: StoreSession
  let isProtected: Bool

  func apply(to text: String) throws -> ExitStatus {
    let there = try session.entering(WorkspaceID(argument: text), isNamed: true)
    let id = there.workspace
    let isNew = try there.store.setProtection(
      of: id, to: isProtected, by: there.actor, at: there.now)
    var record = there.record
    record.isProtected = isProtected
    session.output.result(json: record.json, id: id.text) {
      let word = isProtected ? "protected" : "not protected"
      return "workspace '\(id)' is \(word)\(isNew ? "" : " already")"
    }
    return .done
  }
}

import ArgumentParser
import HotglueCore
import HotglueStore

struct QueueList: WorkspaceCommand {
  static let record = CommandRecord("queue list", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "show the queues of the workspace, by name",
    discussion: """
      Those that have a limit, and those in which jobs wait or run. 'pending' counts every job that \
      waits, whatever for.
      """)

  @OptionGroup var global: GlobalOptions

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let output = session.output
    let queues = try session.store.queues(in: session.workspace)
    output.breadcrumb(session.workspace.text, "queues")
    if output.isJSON {
      for queue in queues { output.jsonLine(QueueJSON.object(queue)) }
    } else if output.isQuiet {
      for queue in queues { output.line(queue.name) }
    } else {
      output.table(
        ["name", "limit", "running", "pending"],
        queues.map {
          [Cell($0.name), Cell($0.limit.map(String.init)), Cell($0.running), Cell($0.pending)]
        })
    }
    return .done
  }
}

/// A queue as JSON. Keys and their order are documented and never change.
enum QueueJSON {
  static func object(_ queue: Queue) -> JSON {
    .object([
      JSON.Member("name", .string(queue.name)),
      JSON.Member("workspace", .string(queue.workspace.text)),
      JSON.Member("limit", .optional(queue.limit)),
      JSON.Member("running", .integer(queue.running)),
      JSON.Member("pending", .integer(queue.pending)),
    ])
  }
}

import ArgumentParser
import HotglueCore

struct ContextShow: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "show workspace and store, and where each came from",
    discussion: """
      An origin is flag, environment, context_file, discovered (in this folder or above) or user (the
      home folder's).
      """)
  static let record = CommandRecord(
    "context show", .readsStore, requires: .none, contextFlags: .all)

  @OptionGroup var global: GlobalOptions

  func run(in session: StoreSession) throws -> ExitStatus {
    let context = session.context
    if let workspace = context.workspace { _ = try session.store.workspace(workspace) }
    let output = session.output
    if output.isJSON {
      output.object(try json(session))
      return .done
    }
    if output.isQuiet {
      output.line(try context.requireWorkspace().text)
      return .done
    }
    func origin(_ origin: ContextOrigin?) -> String { origin.map { " (\($0.rawValue))" } ?? "" }
    var fields: [(String, Cell)] = [
      ("workspace", Cell((context.workspace?.text ?? "-") + origin(context.origins.workspace))),
      ("store", Cell(context.store + origin(context.origins.store))),
      (
        "context_file",
        Cell((context.source?.realPath ?? "-") + origin(context.origins.contextFile))
      ),
      ("generation", Cell(context.generation.map { String($0) })),
      ("previous", Cell(context.source?.file.previous?.text)),
      ("pinned", Cell(context.pinned.map { "job \($0.job), attempt fence \($0.fence)" })),
    ]
    switch context.source?.file.tenant {
    case .shell?: fields.append(("private to", Cell("this shell")))
    case .command(let name, _)?: fields.append(("private to", Cell("hotglue-\(name)")))
    case .stream(let type)?:
      fields.append(("private to", Cell("the stream handler of type '\(type)'")))
    case nil: break
    }
    output.fields(fields)
    if context.workspace == nil {
      output.hint("select a workspace with 'hotglue workspace switch ID'")
    }
    return .done
  }

  private func json(_ session: StoreSession) throws -> JSON {
    let context = session.context
    let storeID = try context.storeID ?? session.store.info().storeID
    return .object([
      JSON.Member("workspace", .text(context.workspace?.text)),
      JSON.Member("store", .string(context.store)),
      JSON.Member("store_id", .string(storeID)),
      JSON.Member("generation", .optional(context.generation)),
      JSON.Member("context_file", .text(context.source?.realPath)),
      JSON.Member("pinned", context.pinned?.json ?? .null),
      JSON.Member(
        "origins",
        .object([
          JSON.Member("workspace", .text(context.origins.workspace?.rawValue)),
          JSON.Member("store", .string(context.origins.store.rawValue)),
          JSON.Member("context_file", .text(context.origins.contextFile?.rawValue)),
        ])),
    ])
  }
}

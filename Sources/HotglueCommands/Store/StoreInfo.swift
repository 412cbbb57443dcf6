import ArgumentParser
import HotglueCore
import HotglueStore

struct StoreInfoCommand: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "show what the store is and holds")
  static let record = CommandRecord(
    "store info", .readsStore, requires: .none)

  @OptionGroup var global: GlobalOptions

  func run(in session: StoreSession) throws -> ExitStatus {
    let info = try session.store.info()
    let output = session.output
    if output.isJSON {
      output.object(info.json)
    } else if output.isQuiet {
      output.line(info.storeID)
    } else {
      let contents = WorkspaceContents(jobsByState: info.jobsByState)
      output.fields([
        ("path", Cell(info.path)), ("folder", Cell(info.folder)), ("store_id", Cell(info.storeID)),
        ("incarnation", Cell(info.incarnation)), ("schema", Cell(info.schemaVersion)),
        ("group", Cell(info.group)), ("size_bytes", Cell(info.sizeBytes)),
        ("log_bytes", Cell(info.logBytes)), ("created", Cell(info.createdAt)),
        (
          "sqlite",
          Cell(
            info.sqliteVersion
              + (info.gateProtects ? " (the writer gate guards its log)" : ""))
        ),
        ("workspaces", Cell(info.workspaces)), ("holds", Cell(contents.summary)),
      ])
    }
    return .done
  }
}

extension StoreInfo {
  var json: JSON {
    .object([
      JSON.Member("path", .string(path)), JSON.Member("folder", .string(folder)),
      JSON.Member("store_id", .string(storeID)), JSON.Member("incarnation", .integer(incarnation)),
      JSON.Member("schema_version", .integer(schemaVersion)), JSON.Member("group", .text(group)),
      JSON.Member("size_bytes", .integer(sizeBytes)), JSON.Member("log_bytes", .integer(logBytes)),
      JSON.Member("created_at", .string(createdAt.rfc3339)),
      JSON.Member("sqlite_version", .string(sqliteVersion)),
      JSON.Member("gate_protects", .bool(gateProtects)),
      JSON.Member("workspaces", .integer(workspaces)),
      JSON.Member("jobs", WorkspaceContents(jobsByState: jobsByState).json),
    ])
  }
}

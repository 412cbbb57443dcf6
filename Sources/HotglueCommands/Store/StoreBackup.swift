import ArgumentParser
import HotglueCore
import HotglueStore

struct StoreBackup: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "write a whole copy of the store while it is in use",
    discussion: """
      One moment of the store, with all it acknowledged until then; the logs of attempts are not in
      it. 'hotglue store restore' puts it back.
      """)
  static let record = CommandRecord(
    "store backup", .readsStore, requires: .everywhere(.viewer), answersWithChange: true)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The copy; a file that exists is not overwritten.", completion: .file())
  var file: String

  func run(in session: StoreSession) throws -> ExitStatus {
    let path = try ContextLoader(session.environment).absolute(file)
    do {
      try session.store.backup(to: path)
    } catch {
      let folder = Path.folder(of: path)
      guard error == .missing(path: folder) else { throw error }
      throw CommandError(
        "cannot_create", .cannotCreate, "cannot create '\(path)': no folder '\(folder)'",
        hint: "make the folder first, or name another file",
        facts: [JSON.Member("path", .string(path))])
    }
    let json = JSON.object([
      JSON.Member("store", .string(session.context.store)), JSON.Member("backup", .string(path)),
    ])
    session.output.result(json: json, id: path) {
      "backed up '\(session.context.store)' to '\(path)'"
    }
    return .done
  }
}

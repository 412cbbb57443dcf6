import ArgumentParser
import HotglueCore
import HotglueStore

struct StoreRestore: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "put a backup in the place of the context's store",
    discussion: """
      The restored store is a new incarnation: IDs and fences jump ahead, attempts that were running
      become unknown, and idempotency keys differ. A store that is in the place must be moved away
      first.
      """)
  static let kind = CommandKind.storeRestore

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The backup.", completion: .file())
  var file: String

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let loader = ContextLoader(environment)
    let context = try loader.resolve(global)
    let path = try loader.absolute(file)
    try environment.stores.restore(path, context.store, environment.now())
    let info = try environment.stores.open(context.store, context.storeID).info()
    Output(environment, global).result(json: info.json, id: info.storeID) {
      "restored '\(context.store)' from '\(path)': incarnation \(info.incarnation)"
    }
    return .done
  }
}

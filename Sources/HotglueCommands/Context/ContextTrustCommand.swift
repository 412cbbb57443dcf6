import ArgumentParser
import Glibc
import HotglueCore
import HotglueFiles
import HotglueStore

struct ContextTrustCommand: HotglueCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust", abstract: "Trust a store of another user, or a copy",
    discussion: """
      A store holds commands that your workers run. So hotglue uses a store of another user only if you \
      have named it with --context, --store or $HOTGLUE_CONTEXT, or trusted it; and a copy (a clone, an \
      archive, a backup put in place by hand) only if you have trusted it. Look at its jobs and types \
      first if you do not know who wrote them: whoever may write the store can run commands as you.

      PATH is a directory with a context, a context file, or a store. The trust is kept in \
      ~/.config/hotglue/trusted.json ($XDG_CONFIG_HOME), with the store's ID, inode and birth time: \
      another file in its place is not trusted. A copy is recorded as a store of this place, for all who \
      may use it. Remove an entry from the file to withdraw the trust.

      Fails with 77 where other users may write the store or replace it, and with 69 where its schema is \
      not the one that hotglue makes.

      EXAMPLES
        hotglue context trust .
        hotglue context trust /srv/team/.hotglue
        hotglue context trust backup/store.db
      """)
  static let record = CommandRecord(
    "context trust", .changesStore, requires: .none)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The directory, the context file or the store.", completion: .file())
  var path: String

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let loader = ContextLoader(environment)
    let (named, id) = try store(loader)
    let (store, wasCopy) = try environment.stores.adopt(named, id)
    let info = try store.info()
    let fingerprint = try SystemError.of { () throws(FileError) in
      try FileFingerprint(of: info.path)
    }
    let facts = try SystemError.of { () throws(FileError) in try FileFacts(of: info.path) }
    try remember(
      TrustList.Entry(path: info.path, storeID: info.storeID, fingerprint: fingerprint), facts,
      in: environment)
    let actor = Actor(
      user: environment.user.name(), command: Self.record.name, workspaceOrigin: "none",
      terminal: environment.terminalName())
    try store.log(actor, in: nil, subjects: ["store"], at: environment.now())
    let owner = SystemAccounts.user(facts.owner)
    let json = JSON.object([
      JSON.Member("store", .string(info.path)), JSON.Member("store_id", .string(info.storeID)),
      JSON.Member("owner", .string(owner)), JSON.Member("group", .text(info.group)),
      JSON.Member("was_copy", .bool(wasCopy)),
    ])
    Output(environment, global).result(json: json, id: info.storeID) {
      "trusted the store '\(info.path)' of user '\(owner)'"
    }
    return .done
  }

  /// A store of this user, of root or of a group that the user is in counts without the list: where that
  /// cannot be written, as by a service without a home directory, the store alone knows that it is here.
  private func remember(
    _ entry: TrustList.Entry, _ facts: FileFacts, in environment: CommandEnvironment
  ) throws {
    do {
      try TrustList.add(entry, in: environment)
    } catch {
      let user = environment.user.id
      let isShared =
        facts.isOpenToGroup && user != 0 && SystemAccounts.isMember(of: facts.group)
      guard facts.owner == user || facts.owner == 0 || isShared else { throw error }
    }
  }

  /// The store, and its ID where a context names that.
  private func store(_ loader: ContextLoader) throws -> (path: String, id: String?) {
    var absolute = try loader.absolute(path)
    while absolute.count > 1, absolute.hasSuffix("/") { absolute.removeLast() }
    guard let facts = FileFacts(leadingTo: absolute) else {
      throw CommandError(
        "no_such_file", .notFound, "no file or directory '\(path)'",
        hint: "name the directory that holds '.hotglue', a context file or a store",
        facts: [JSON.Member("path", .string(absolute))])
    }
    if facts.isDirectory {
      for name in [".hotglue/context.json", "context.json"] {
        let file = Path.joined(absolute, name)
        if let found = try context(file, loader) { return found }
      }
      throw CommandError(
        "context_missing", .badContext, "no context in the directory '\(path)'",
        hint: "name a directory that holds '.hotglue', or the store itself",
        facts: [JSON.Member("path", .string(absolute))])
    }
    if Path.name(of: absolute).hasSuffix(".json"), let found = try context(absolute, loader) {
      return found
    }
    return (absolute, nil)
  }

  private func context(
    _ path: String, _ loader: ContextLoader
  ) throws -> (path: String, id: String?)? {
    guard let found = try loader.read(path, shown: path, ofAnyOwner: true) else { return nil }
    let file: ContextFile
    do {
      file = try ContextFile(parsing: found.bytes)
    } catch {
      throw ContextError.unusableFile(path: path, error)
    }
    return (Path.joined(Path.folder(of: found.realPath), file.store), file.storeID)
  }
}

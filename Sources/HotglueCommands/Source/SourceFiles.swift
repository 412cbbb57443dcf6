import HotglueCore
import HotglueStore

/// Where the store keeps what belongs to its sources: configurations that were given to be kept, and
/// what a tap is given for a run.
struct SourceFiles {
  private let folder: String
  private let isShared: Bool

  init(of store: any Store) {
    folder = store.folder
    isShared = store.group != nil
  }

  /// A configuration that is kept is named below the store's folder, so that the two move together;
  /// any other by its absolute path.
  static func isKept(_ config: String) -> Bool { !config.hasPrefix("/") }

  func path(of config: String) -> String { Path.joined(folder, config) }

  /// Keeps a configuration; the name by which a source refers to it.
  func keep(_ config: [UInt8], id: String) throws(SystemError) -> String {
    let name = "sources/config-\(id).json"
    try file(name).write(config)
    return name
  }

  /// Takes a kept configuration away; one that is only referred to stays.
  func forget(_ config: String?) throws(SystemError) {
    if let config, Self.isKept(config) { try file(config).remove() }
  }

  /// A file for the runs of one source, as `state`. Each run replaces that of the one before, so that
  /// a crash leaves nothing that is not used again.
  func runFile(_ kind: String, of source: SourceID) -> PrivateFile {
    file("sources/\(source).\(kind).json")
  }

  private func file(_ name: String) -> PrivateFile {
    PrivateFile(path: Path.joined(folder, name), isShared: isShared)
  }
}

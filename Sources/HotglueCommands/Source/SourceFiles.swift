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

  /// Of one that is kept, its path is made of its ID: no row leads out of the store's folder.
  func path(of config: String) -> String {
    guard Self.isKept(config) else { return config }
    return Path.joined(folder, Self.keptName(Self.keptID(config) ?? "unknown"))
  }

  private static func keptName(_ id: some StringProtocol) -> String { "sources/config-\(id).json" }

  private static func keptID(_ config: String) -> Substring? {
    guard config.hasPrefix("sources/config-"), config.hasSuffix(".json") else { return nil }
    let id = config.dropFirst("sources/config-".count).dropLast(".json".count)
    return !id.isEmpty && id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
      ? id : nil
  }

  /// Keeps a configuration; the name by which a source refers to it.
  func keep(_ config: [UInt8], id: String) throws(SystemError) -> String {
    let name = Self.keptName(id)
    try file(name).write(config)
    return name
  }

  /// Takes a kept configuration away; one that is only referred to stays.
  func forget(_ config: String?) throws(SystemError) {
    if let config, let id = Self.keptID(config) { try file(Self.keptName(id)).remove() }
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

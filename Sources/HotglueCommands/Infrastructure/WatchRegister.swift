import Glibc
import HotglueCore
import HotglueFiles
import HotglueProcess
import HotglueStore

/// The commands that stay with a store, so that a switch can say which of them it ends:
/// `STORE.d/watches/NAME`, a file each, locked for as long as its command lives.
///
/// It is for people to know, and nothing else relies on it: where there is no room or no leave to
/// write, a command stays unlisted. What a killed one left is swept by whoever looks.
struct WatchRegister {
  private let folder: String
  private let isShared: Bool

  init(_ store: any Store) {
    folder = store.folder + "/watches"
    isShared = store.group != nil
  }

  /// Listed until this value goes, or its process ends.
  struct Entry: ~Copyable {
    private let file: LockFile

    fileprivate init(_ file: LockFile) { self.file = file }

    deinit { file.removeFile() }
  }

  /// `nil` where it cannot be written.
  func enter(_ watch: LiveWatch) -> Entry? {
    guard (try? SharedFile.createDirectory(folder, isShared: isShared)) != nil else { return nil }
    sweep()
    // Between its making and its lock a sweep may take the file for a leftover: then once more.
    for _ in 0..<8 {
      let digits = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let path = "\(folder)/\(watch.processID)-\(digits)"
      guard let file = try? LockFile(new: path, isShared: isShared) else { return nil }
      let entry = Entry(file)
      guard (try? file.tryLock()) == true, file.isAtItsPath else { continue }
      guard (try? file.write(watch.text)) != nil else { return nil }
      return entry
    }
    return nil
  }

  /// Removes what killed commands left.
  func sweep() { _ = living() }

  /// Those that live, by their processes.
  func living() -> [LiveWatch] {
    let found = names(in: folder).filter { !$0.hasPrefix(".") }
      .compactMap { look(at: "\(folder)/\($0)") }
    return found.sorted { ($0.processID, $0.command) < ($1.processID, $1.command) }
  }

  /// `nil` of one whose command has ended, which is swept, or that cannot be read.
  private func look(at path: String) -> LiveWatch? {
    guard let file = try? LockFile(existing: path), let isFree = try? file.tryLock() else {
      return nil
    }
    if isFree {
      file.removeFile()
      return nil
    }
    return LiveWatch(text: Array(file.contents.utf8))
  }
}

extension WorkspaceSession {
  /// Lists this command among those that stay. `flag` makes it one of them; it `follows` when what it
  /// shows is of whatever workspace the context file names.
  func registerWatch(_ flag: String?, follows: Bool) -> WatchRegister.Entry? {
    guard let source = context.source, context.origins.store != .flag else { return nil }
    return WatchRegister(store).enter(
      LiveWatch(
        processID: Int(getpid()),
        command: base.command.name + (flag.map { " \($0)" } ?? ""), workspace: workspace,
        contextID: source.key.contextID, contextPath: source.key.path,
        followsContext: follows && context.origins.workspace == .contextFile
          && context.pinned == nil))
  }
}

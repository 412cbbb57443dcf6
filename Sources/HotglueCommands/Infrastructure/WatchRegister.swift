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
    private let path: String
    private let descriptor: Int32

    fileprivate init(path: String, descriptor: Int32) {
      self.path = path
      self.descriptor = descriptor
    }

    deinit {
      unlink(path)
      close(descriptor)
    }
  }

  /// `nil` where it cannot be written.
  func enter(_ watch: LiveWatch) -> Entry? {
    guard (try? SharedFile.createDirectory(folder, isShared: isShared)) != nil else { return nil }
    sweep()
    // Between its making and its lock a sweep may take the file for a leftover: then once more.
    for _ in 0..<8 {
      let digits = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let path = "\(folder)/\(watch.processID)-\(digits)"
      guard let descriptor = try? SharedFile.create(path, isShared: isShared) else { return nil }
      let entry = Entry(path: path, descriptor: descriptor)
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { continue }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else { continue }
      let bytes = Array(watch.text.utf8)
      guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { return nil }
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
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
      unlink(path)
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = read(descriptor, &bytes, bytes.count)
    return count > 0 ? LiveWatch(text: Array(bytes[..<count])) : nil
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

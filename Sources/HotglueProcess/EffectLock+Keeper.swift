import CSupervisor
import Glibc
import HotglueFiles

/// Who keeps the key of an effect: the one who carries it out, or what that left running.
extension EffectLock {
  /// Says in the locked file who carries the effect out. `title` names it, for people.
  ///
  /// Not synced: after another boot nothing of it lives.
  func record(title: String) throws(ProcessError) {
    // A file that was removed meanwhile keeps nobody else out.
    guard file.isAtItsPath else {
      throw .system(call: "find the lock", path: file.path, errno: ENOENT)
    }
    let record = EffectRecord(
      file: file.identity, runner: try ProcessIdentity.current(), mark: mark, title: title)
    try ProcessError.of { () throws(FileError) in try file.write(record.text) }
  }

  /// Takes back what `record` said, since nothing was started.
  func eraseRecord() { ftruncate(descriptor, 0) }

  public enum Look: Equatable, Sendable {
    case free
    case held(EffectKeeper?)

    public var keeper: EffectKeeper? {
      if case .held(let keeper) = self { return keeper }
      return nil
    }
  }

  /// Whether somebody keeps the key, and who, without waiting. `marked`, when it is given, is not
  /// asked for anew.
  public static func look(
    storeFolder: String, name: String, marked: MarkedProcesses? = nil
  ) throws(ProcessError) -> Look {
    let path = Self.path(storeFolder: storeFolder, name: name)
    let mark = EffectMark.of(storeFolder: storeFolder, name: name)
    let locked: LockFile
    do throws(FileError) {
      locked = try LockFile(existing: path)
    } catch {
      guard error.code == ENOENT else { throw ProcessError(error) }
      return try left(marked: mark, marked).map { .held($0) } ?? .free
    }
    let isFree = LockFile.state(of: path) != .held
    let record = record(in: locked)
    if let record, isFree {
      return try left(of: record, marked).map { .held($0) } ?? .free
    }
    if isFree { return try left(marked: mark, marked).map { .held($0) } ?? .free }
    if let record, record.runner.pidNamespace == hg_pid_namespace(),
      let runner = SeenProcess(record.runner.pid), runner.startTime == record.runner.startTime
    {
      return .held(EffectKeeper(process: runner, isLeft: false))
    }
    if let record, let keeper = try left(of: record, marked) { return .held(keeper) }
    guard let file = FileIdentity(path) else { return .held(nil) }
    let holder = HeldLocks().holder(of: path)
    let opener = SeenProcess.all().first { $0.pid != getpid() && $0.opening(of: file) != nil }
    return .held(opener.map { EffectKeeper(process: $0, isLeft: $0.pid != holder) })
  }

  /// A living process that carries the mark of the record: the key is kept as long as there is one.
  ///
  /// Nothing of another boot lives, and nothing of another store is asked about. From another PID
  /// namespace it is found if it can be seen from here.
  static func left(
    of record: EffectRecord, _ marked: MarkedProcesses? = nil
  ) throws(ProcessError) -> EffectKeeper? {
    guard record.runner.bootID == (try ProcessIdentity.current().bootID) else { return nil }
    return try left(marked: record.mark, marked)
  }

  /// The same by the mark alone, for a file that is gone or says nothing.
  static func left(
    marked mark: String, _ marked: MarkedProcesses? = nil
  ) throws(ProcessError) -> EffectKeeper? {
    let all: MarkedProcesses
    if let marked { all = marked } else { all = try MarkedProcesses(lookingFor: mark) }
    return all[mark].map { EffectKeeper(process: $0, isLeft: true) }
  }

  /// What stands in the file, unless the file is a copy.
  static func record(in file: LockFile) -> EffectRecord? {
    guard let record = EffectRecord(file.contents), record.file == file.identity else { return nil }
    return record
  }

  /// What lives of effects of this store that nobody carries out any more, each with the title of its
  /// effect.
  public static func left(
    storeFolder: String
  ) throws(ProcessError) -> [(title: String, keeper: EffectKeeper)] {
    let files = names(in: "\(storeFolder)/\(folderName)").sorted()
    guard !files.isEmpty else { return [] }
    let marked = try MarkedProcesses()
    var left: [(title: String, keeper: EffectKeeper)] = []
    for name in files {
      guard let file = try? LockFile(existing: path(storeFolder: storeFolder, name: name)),
        let record = record(in: file), let process = marked[record.mark],
        try ProcessIdentity.presence(of: record.runner) == .dead
      else { continue }
      left.append((record.title, EffectKeeper(process: process, isLeft: true)))
    }
    return left
  }
}

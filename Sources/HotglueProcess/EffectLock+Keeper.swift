import CSupervisor
import Glibc

/// Who keeps the key of an effect: the one who carries it out, or what that left running.
extension EffectLock {
  /// Says in the locked file who carries the effect out. `title` names it, for people.
  ///
  /// Not synced: after another boot nothing of it lives.
  func record(title: String) throws(ProcessError) {
    // A file that was removed meanwhile keeps nobody else out.
    guard Self.isAt(path, descriptor) else {
      throw .system(call: "find the lock", path: path, errno: ENOENT)
    }
    let record = EffectRecord(
      file: Self.identity(of: descriptor), runner: try ProcessIdentity.current(), mark: mark,
      title: title)
    let bytes = Array(record.text.utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else { throw .system(call: "write", path: path, errno: errno) }
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
    let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    let mark = EffectMark.of(storeFolder: storeFolder, name: name)
    guard descriptor >= 0 else {
      if errno == ENOENT { return try left(marked: mark, marked).map { .held($0) } ?? .free }
      throw .system(call: "open", path: path, errno: errno)
    }
    defer { Glibc.close(descriptor) }
    let isFree = try FileLock.isFree(path: path)
    let record = record(in: descriptor)
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
  static func record(in descriptor: Int32) -> EffectRecord? {
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0,
      let record = EffectRecord(String(decoding: bytes.prefix(count), as: UTF8.self)),
      record.file == identity(of: descriptor)
    else { return nil }
    return record
  }

  private static func identity(of descriptor: Int32) -> String {
    var facts = stat()
    return fstat(descriptor, &facts) == 0 ? "\(facts.st_dev):\(facts.st_ino)" : "?"
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
      let descriptor = hg_open_file(
        AT_FDCWD, path(storeFolder: storeFolder, name: name), O_RDONLY)
      guard descriptor >= 0 else { continue }
      defer { Glibc.close(descriptor) }
      guard let record = record(in: descriptor), let process = marked[record.mark],
        try ProcessIdentity.presence(of: record.runner) == .dead
      else { continue }
      left.append((record.title, EffectKeeper(process: process, isLeft: true)))
    }
    return left
  }
}

import CSupervisor
import Glibc

/// By what the processes of an attempt are found: the slot's name, which the attempt's row holds, and
/// the slot's file where that can be read.
public struct AttemptTrace: Sendable {
  public let storeFolder: String
  public let slot: String
  public let name: SlotName?
  /// `nil`: the file is lost.
  public let contents: SlotContents?
  /// The attempt is of this boot and this PID namespace, and the store is not a copy. Otherwise no
  /// process is searched or stopped because of it.
  public let mayBeTouched: Bool
  /// The supervisor's process.
  public let supervisorIdentity: (pid: Int32, startTime: UInt64)?

  public init(
    storeFolder: String, slot: String, contents: SlotContents?, mayBeTouched: Bool
  ) {
    self.storeFolder = storeFolder
    self.slot = slot
    name = SlotName(slot)
    self.contents = contents
    self.mayBeTouched = mayBeTouched
    supervisorIdentity =
      name.map { ($0.pid, $0.startTime) }
      ?? contents.map { ($0.supervisor.pid, $0.supervisor.startTime) }
  }

  /// As the slot's file alone tells it.
  public init(_ contents: SlotContents) {
    storeFolder = contents.storeFolder
    slot = contents.slot
    name = SlotName(contents.slot)
    self.contents = contents
    mayBeTouched = !contents.isCopy && contents.isOfThisBoot && contents.isOfThisNamespace
    supervisorIdentity = (contents.supervisor.pid, contents.supervisor.startTime)
  }

  /// The supervisor, while it lives and can be seen from here.
  public var supervisor: SeenProcess? {
    guard mayBeTouched, let (pid, startTime) = supervisorIdentity,
      let process = SeenProcess(pid), process.startTime == startTime
    else { return nil }
    return process
  }

  /// Whether the handler itself, as far as the slot names one, has ended.
  public var mainProcessHasEnded: Bool {
    guard let handler, handler.handlerPID > 1 else { return false }
    return SeenProcess(handler.handlerPID)?.startTime != handler.handlerStart
  }

  /// The processes that the supervisor may have left: of its stream, else of its attempt.
  var handler: SlotContents.Stream? {
    guard let contents else { return nil }
    return contents.stream
      ?? contents.attempt.map {
        SlotContents.Stream(
          mark: $0.mark, keepsChildren: $0.keepsChildren, handlerPID: $0.handlerPID,
          handlerStart: $0.handlerStart, sinceTicks: $0.sinceTicks)
      }
  }

  /// Whose processes are signalled because of this attempt: for any user but root the kernel decides.
  ///
  /// Rows and slots name processes by numbers, and other users may write them. So root signals only
  /// processes of the user who owns the slot's file, which no other user can forge: the rest counts as
  /// processes that cannot be stopped. Where the file is lost that is the store's owner, and nobody where
  /// a group may write.
  var signalledOwner: Int64 {
    guard geteuid() == 0 else { return Int64(HG_ANY_OWNER) }
    var status = stat()
    let owner: Int64 =
      if name == nil {
        Self.nobody
      } else if lstat("\(storeFolder)/slots/\(slot)", &status) == 0 {
        Int64(status.st_uid)
      } else if lstat(storeFolder, &status) == 0, status.st_mode & 0o022 == 0 {
        Int64(status.st_uid)
      } else {
        Self.nobody
      }
    return owner == 0 ? Int64(HG_ANY_OWNER) : owner
  }

  /// No process has this user.
  private static let nobody = Int64(uid_t.max)

  /// What a search looks for; `nil`: nothing can be searched, or nothing was started.
  func target() throws(ProcessError)
    -> (target: hg_sweep_target, group: ControlGroup.Open?, isHidden: Bool)?
  {
    guard mayBeTouched, let supervisor = supervisorIdentity else { return nil }
    // A whole slot that names no attempt has started nothing.
    if let contents, !contents.isDamaged, handler == nil { return nil }
    var target = hg_sweep_target()
    target.owner = signalledOwner
    target.session = supervisor.pid
    target.session_start = supervisor.startTime
    target.since = supervisor.startTime
    write(name?.mark ?? "", into: &target.mark)
    if let handler {
      target.group = handler.handlerPID
      target.group_start = handler.handlerStart
      target.since = handler.sinceTicks
      if !handler.mark.isEmpty { write(handler.mark, into: &target.mark) }
    }
    switch try ControlGroup.of(slot: slot, storeFolder: storeFolder) {
    case .seen(let found):
      target.cgroup = found.descriptor
      return (target, found, false)
    case .gone: return (target, nil, false)
    case .unrecorded: return (target, nil, contents?.hadGroup ?? false)
    case .hidden: return (target, nil, true)
    }
  }

  /// The processes of the attempt that live beside its supervisor and its main process, at most eight.
  /// One look: nothing is asked, signalled or waited for.
  public func leftovers() -> [EndedAttempt.Stray] {
    guard let (found, group, _) = try? target() else { return [] }
    var target = found
    if let supervisor { target.root = supervisor.pid }
    var names = hg_outcome().strays_left
    let count = withExtendedLifetime(group) {
      withUnsafeMutableBytes(of: &names) { room in
        hg_sweep_name(&target, room.bindMemory(to: hg_stray.self).baseAddress)
      }
    }
    return strays(names, count: Int(count))
  }
}

import HotglueCore
import HotglueProcess
public import HotglueStore

/// What lives of a store, as the machine shows it: for when its rows are lost, or are those of another
/// time. Nothing is asked and no lock is taken that anybody waits for.
public enum LivingProcesses {
  /// Workers by their locks in `folder`, supervisors that have an attempt by the locks of their slots,
  /// and processes by the mark in their environment and the context file that it names, or by the
  /// control group that they run in.
  public static func of(folder: String) throws(RunnerError) -> [LivingProcess] {
    let here = try processStep { () throws(ProcessError) in try ProcessIdentity.current() }
    let locks = HeldLocks()
    var handlers = SeenProcess.all().filter { $0.pid != here.pid }.compactMap { process in
      process.handlerContext(below: folder).map { _ in
        LivingProcess(pid: process.pid, role: .handler, attempt: process.attempt(below: folder))
      }
    }
    let marked = Set(handlers.map(\.pid))
    handlers += ControlGroup.occupants(storeFolder: folder).filter { !marked.contains($0.pid) }
      .map { LivingProcess(pid: $0.pid, role: .handler) }
    return workers(of: folder, locks) + supervisors(of: folder, locks) + handlers
  }

  private static func workers(of folder: String, _ locks: HeldLocks) -> [LivingProcess] {
    names(in: "\(folder)/workers").sorted().map { "\(folder)/workers/\($0)" }
      .filter { $0.hasSuffix(".lock") && locks.state(of: $0) == .held }
      .map { LivingProcess(pid: locks.holder(of: $0), role: .worker) }
  }

  /// Those whose attempt has not ended. An end that is not recorded is none: it is kept as a late
  /// report where its job is known.
  static func supervisors(of folder: String, _ locks: HeldLocks) -> [LivingProcess] {
    names(in: "\(folder)/slots").sorted().compactMap { slot in
      let path = "\(folder)/slots/\(slot)"
      guard !slot.contains("."), locks.state(of: path) == .held else { return nil }
      let contents: SlotContents?
      do throws(ProcessError) {
        contents = try Slot.read(storeFolder: folder, slot: slot)
      } catch {
        // It is held and cannot be read: nobody can say that nothing runs there.
        return LivingProcess(pid: locks.holder(of: path), role: .supervisor)
      }
      guard let contents, !contents.isCopy, contents.outcome == nil,
        let attempt = contents.attempt
      else { return nil }
      return LivingProcess(
        pid: contents.isOfThisNamespace ? contents.supervisor.pid : nil, role: .supervisor,
        attempt: LivingProcess.Attempt(job: attempt.job, fence: attempt.fence))
    }
  }
}

extension SeenProcess {
  /// Of which attempt of the store with this folder it is: the context that a handler was given lies
  /// there, and a copy of the store has another folder. A stream's handler has jobs but no attempt of
  /// its own, and what it has started for one of them is part of it while it lives.
  func attempt(below folder: String) -> LivingProcess.Attempt? {
    guard let path = handlerContext(below: folder), let place = AttemptPlace(contextPath: path),
      FileIdentity(place.streamContextPath) == nil
    else { return nil }
    return LivingProcess.Attempt(job: place.pin.job, fence: place.pin.fence)
  }

  /// The context that it was given as a handler under this folder, or by one.
  func handlerContext(below folder: String) -> String? {
    guard let variables = environment,
      variables.contains(where: { $0.hasPrefix("HOTGLUE_MARK=") }),
      let context = variables.first(where: { $0.hasPrefix("HOTGLUE_CONTEXT=") })
    else { return nil }
    let path = context.dropFirst("HOTGLUE_CONTEXT=".count)
    return path.hasPrefix("\(folder)/slots/") ? String(path) : nil
  }
}

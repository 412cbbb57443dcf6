import CSupervisor
import Glibc

/// The control group in which a slot's attempts run, where one is delegated to their worker.
public enum ControlGroup {
  /// Whether somebody can say what lives in it.
  enum Sight {
    case seen(Open)
    /// No record of one is there. It was lost where the slot says that there was one.
    case unrecorded
    /// It is gone, so that nothing lives in it.
    case gone
    /// It cannot be opened, or is not mounted here as its supervisor saw it.
    case hidden
  }

  /// The open folder of a group.
  final class Open {
    let descriptor: Int32

    fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }
  }

  /// The group that is named beside a slot, if it still is the one that was meant.
  /// Throws where this process cannot look, out of descriptors or memory for one: that says nothing.
  static func of(slot: String, storeFolder: String) throws(ProcessError) -> Sight {
    var descriptor: Int32 = -1
    let error = hg_cgroup_open(storeFolder, slot, &descriptor)
    switch error {
    case 0: return .seen(Open(descriptor))
    case ENOENT: return .unrecorded
    case ESRCH: return .gone
    case EMFILE, ENFILE, ENOMEM, EINTR:
      throw .system(call: "open the control group", path: slot, errno: error)
    default: return .hidden
    }
  }

  /// Why a slot's attempts run in no group of their own though one is delegated; nil: they do, or none
  /// is.
  public static func failure(slot: String, storeFolder: String) -> String? {
    let error = hg_cgroup_failure(storeFolder, slot)
    return error == 0 ? nil : String(cString: strerror(error))
  }

  /// Every process in a group that is named in the store's folder, with its slot; not this one.
  public static func occupants(storeFolder: String) -> [(slot: String, pid: Int32)] {
    let slots = names(in: "\(storeFolder)/slots").filter { $0.hasSuffix(suffix) }
      .map { String($0.dropLast(suffix.count)) }
    return slots.sorted().flatMap { slot in
      pids(slot: slot, storeFolder: storeFolder).map { (slot, $0) }
    }
  }

  private static let suffix = ".group"

  private static func pids(slot: String, storeFolder: String) -> [Int32] {
    guard case .seen(let group)? = try? of(slot: slot, storeFolder: storeFolder) else { return [] }
    var pids = [Int32](repeating: 0, count: 4096)
    let count = hg_cgroup_list(group.descriptor, &pids, UInt32(pids.count))
    return Array(pids.prefix(Int(count)))
  }

  /// Removes groups that have become empty and whose slots are gone: what an attempt kept has ended.
  public static func sweep(storeFolder: String) throws(ProcessError) {
    try ProcessError.check(hg_cgroup_sweep(storeFolder), "look through", "\(storeFolder)/slots")
  }
}

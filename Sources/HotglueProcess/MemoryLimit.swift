import CSupervisor

/// The limits of memory and stack that this process runs under.
public enum MemoryLimit {
  /// From here on one that is reached ends the process with status 75 and a message, not by a signal.
  public static func reportWhenReached() { hg_limits_report() }
}

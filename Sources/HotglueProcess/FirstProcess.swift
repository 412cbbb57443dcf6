import CSupervisor

/// Process 1 of a PID namespace, as a container's first command is.
public enum FirstProcess {
  /// There a signal that a process does not handle does nothing. So the program goes on in a child, while
  /// process 1 passes signals on, reaps, and ends as the child does.
  /// Returns whether that was so. Called before any thread or store is there.
  public static func leave() throws(ProcessError) -> Bool {
    var wasFirst = false
    try ProcessError.check(hg_leave_first_process(&wasFirst), "fork", nil)
    return wasFirst
  }
}

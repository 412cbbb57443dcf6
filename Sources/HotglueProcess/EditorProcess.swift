import Glibc
public import HotglueFiles

/// A person's editor, run on one file as git runs it: by the shell when its command has words of its
/// own, with this process's standard input and output, in its process group.
public enum EditorProcess {
  /// Runs the editor until it ends. `lock` stays held by it when this process dies.
  ///
  /// INT and QUIT of the terminal are the editor's business meanwhile; this process ignores them.
  public static func run(
    _ editor: String, on file: String, environment: [String], keeping lock: LockFile
  ) throws(ProcessError) -> ChildEnd {
    let interrupts = signal(SIGINT, SIG_IGN)
    let quits = signal(SIGQUIT, SIG_IGN)
    defer {
      signal(SIGINT, interrupts)
      signal(SIGQUIT, quits)
    }
    return try ChildEnd(reaping: start(editor, file, environment, lock))
  }

  private static func start(
    _ editor: String, _ file: String, _ environment: [String], _ lock: LockFile
  ) throws(ProcessError) -> pid_t {
    // `"$@"` is the file, whatever is in its name; the editor's words are the shell's to split. The
    // shell outlives an interrupt by a trap, which the editor does not inherit.
    let words = ["sh", "-c", "trap : INT QUIT; \(editor) \"$@\"", editor, file]
    let arguments = words.map { strdup($0) } + [nil]
    let variables = InheritedBytes.vector(environment)
    defer { for text in arguments + variables { free(text) } }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What this process ignores would be ignored by the editor too.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Onto itself: that takes the mark away by which it would be closed.
    posix_spawn_file_actions_adddup2(&actions, lock.descriptor, lock.descriptor)
    var pid: pid_t = 0
    let error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, variables)
    try ProcessError.check(error, "start", editor)
    return pid
  }
}

import Glibc

/// Watches over the process of one target, and goes on with the next seed where an input ended it.
struct Parent {
  private let name: String
  private let options: Options
  static let mostFindings: Int64 = 5
  /// One input takes no longer than this, also on a busy machine.
  private static let patienceMs: Int64 = 30_000

  init(_ name: String, _ options: Options) {
    self.name = name
    self.options = options
  }

  /// True: nothing was found.
  func run() throws -> Bool {
    let folder = try makeFolder()
    let descriptor = open(folder + "/board", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    removeAll(folder)
    guard descriptor >= 0, ftruncate(descriptor, off_t(Board.bytes)) == 0 else {
      throw Finding("no shared memory")
    }
    defer { close(descriptor) }
    let board = try Board(descriptor: descriptor)
    defer { munmap(board.memory, Board.bytes) }
    let start = milliseconds()
    let until = start + Int64(options.seconds) * 1000
    var seed = options.seed
    var isFirst = true
    repeat {
      let pid = try spawn(descriptor, seed, until, replaysKept: isFirst)
      isFirst = false
      let (status, isHung) = watch(pid, board)
      if let problem = Self.problem(status, isHung) {
        board.findings += 1
        let origin = board.seed == 0 ? "kept input" : "seed \(board.seed)"
        Self.tell(name, origin, problem, board.input, options)
      } else if status != 0 {
        throw Finding("target '\(name)' cannot run")
      }
      seed = max(options.seed, board.seed + 1)
    } while milliseconds() < until && board.findings < Self.mostFindings
    let seconds = Double(milliseconds() - start) / 1000
    let tenths = Int(seconds * 10)
    print(
      "\(name): \(board.count) inputs in \(tenths / 10).\(tenths % 10) s, \(board.findings) findings"
    )
    return board.findings == 0
  }

  private static func problem(_ status: Int32, _ isHung: Bool) -> String? {
    if isHung { return "it was not read within \(patienceMs / 1000) s" }
    let signal = status & 0x7F
    return signal == 0 ? nil : "it ended the program by signal \(signal)"
  }

  /// Prints a finding, and keeps its input as a test of the runs to come.
  static func tell(
    _ name: String, _ origin: String, _ problem: String, _ input: [UInt8], _ options: Options
  ) {
    defer { fflush(nil) }
    print("\(name): \(origin): \(problem)")
    print("  " + String(String(decoding: input.prefix(400), as: UTF8.self).debugDescription))
    guard !options.kept.isEmpty, !origin.hasPrefix("kept") else { return }
    let folder = "\(options.kept)/\(name)"
    mkdir(options.kept, 0o755)
    mkdir(folder, 0o755)
    let path = "\(folder)/\(origin.replacing(" ", with: "-"))"
    do {
      try Files.write(input, to: path)
      print("  kept as \(path)")
    } catch {
      print("  \(error)")
    }
  }

  private func spawn(
    _ descriptor: Int32, _ seed: UInt64, _ until: Int64, replaysKept: Bool
  ) throws -> pid_t {
    let words =
      [
        "fuzz", "--child", name, "--seed", String(seed), "--until", String(until), "--samples",
        options.samples, "--kept", options.kept,
      ] + (replaysKept ? ["--replay"] : [])
    let arguments = words.map { strdup($0) } + [nil]
    defer { for word in arguments { free(word) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, descriptor, Board.descriptor)
    var pid: pid_t = 0
    guard posix_spawn(&pid, "/proc/self/exe", &actions, nil, arguments, environ) == 0 else {
      throw Finding("cannot start a process")
    }
    return pid
  }

  private func watch(_ pid: pid_t, _ board: Board) -> (status: Int32, isHung: Bool) {
    var status: Int32 = 0
    var seen = (count: Int64(-1), at: milliseconds())
    while true {
      let done = waitpid(pid, &status, WNOHANG)
      if done == pid { return (status, false) }
      if board.count != seen.count { seen = (board.count, milliseconds()) }
      if milliseconds() - seen.at > Self.patienceMs {
        kill(pid, SIGKILL)
        waitpid(pid, &status, 0)
        return (status, true)
      }
      usleep(20_000)
    }
  }
}

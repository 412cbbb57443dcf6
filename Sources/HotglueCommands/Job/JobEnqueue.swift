import ArgumentParser
import HotglueCore
import HotglueStore

struct JobEnqueue: WorkspaceCommand {
  static let record = CommandRecord("job enqueue", .changesWorkspace, requires: .role(.operator))
  static let configuration = CommandConfiguration(
    commandName: "enqueue", abstract: "store a command, or a job of a type, to be run by a worker",
    usage: "hotglue job enqueue [flags] (TYPE | -- COMMAND… | --jsonl FILE|-)",
    discussion: """
      Prints the job's ID alone on standard output. The command is run without a shell, in this \
      folder. A job of a TYPE runs its type's command by its type's policy; flags override that for \
      this job. A type that is not defined yet makes the job wait. With --jsonl each line is one \
      JSON object: 'command' (an array) or 'type', 'payload', 'env', 'cwd', and the flags' names in snake_case; what a line does not say is as the flags say it.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup(title: "Policy") var policy: PolicyOptions
  @OptionGroup(title: "Job") var job: EnqueueOptions

  @Option(
    help: ArgumentHelp(
      "Enqueue many: JSON Lines from a file or from what is piped in.", valueName: "file|-"))
  var jsonl: String?

  @Option(
    help: ArgumentHelp(
      "With --jsonl: store so many lines at a time, each time all or none. "
        + "Needed past 100000 lines or 64 MiB.", valueName: "n"))
  var commitEvery: Int?

  @Argument(
    help: ArgumentHelp("The job's type; left out for a command.", valueName: "type"))
  var type: String?

  @Argument(parsing: .postTerminator, help: "The command and its arguments, behind '--'.")
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    var words = job.plain
    words.settings = policy.given + words.settings
    return try Enqueuing(
      words: words, jsonl: jsonl, commitEvery: commitEvery, type: type, command: command
    ).run(in: session)
  }
}

/// What `job enqueue` does, whoever has read its arguments.
struct Enqueuing {
  var words = EnqueueWords()
  var jsonl: String?
  var commitEvery: Int?
  /// What stands before `--`.
  var type: String?
  var command: [String] = []

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    let bare = try BareJob(words, in: session.environment)
    if let jsonl {
      try checkBulk()
      return try BulkEnqueue(session: session, bare: bare, commitEvery: commitEvery)
        .run(from: jsonl)
    }
    try checkSingle()
    let payload = try words.payloadText(in: session.environment)
    let type = try type.map { try session.name($0, of: .type) }
    let request =
      if let type, type != TypeName.bareCommand {
        try bare.request(type: type, payload: payload)
      } else {
        try bare.request(command: command, payload: payload)
      }
    let enqueued = try session.store.enqueue(
      [request], in: session.workspace, by: session.actor, at: bare.now)
    for job in enqueued {
      if session.output.isJSON {
        session.output.object(
          JobJSON.object(
            try session.store.job(job.id, in: session.workspace), at: session.now))
      } else {
        session.output.rawLine(String(job.id))
      }
      if !job.isNew { session.output.detail("job \(job.id) was enqueued with this key before") }
    }
    if enqueued.contains(where: \.waitsForType) { try session.noteUndefined([request.type]) }
    return .done
  }

  private func checkSingle() throws(CommandError) {
    guard commitEvery == nil else {
      throw .usage("'--commit-every' is for '--jsonl'", hint: "leave it out")
    }
    if command.isEmpty {
      guard let type, type != TypeName.bareCommand else {
        throw .usage(
          "there is no command to enqueue",
          hint: "hotglue job enqueue [flags] (TYPE | -- COMMAND…)")
      }
    } else if let type, type != TypeName.bareCommand {
      throw .usage(
        "'\(type)' stands before '--'",
        hint: "\(again: .command(type))")
    }
  }

  private func checkBulk() throws(CommandError) {
    guard command.isEmpty, type == nil else {
      throw .usage(
        "a command and '--jsonl' cannot both be given",
        hint: "each line names its own command")
    }
    let key = words.settings.first { $0.setting == .key }?.value
    for (flag, value) in [("--payload", words.payload), ("--key", key)] where value != nil {
      throw .usage(
        "'\(flag)' and '--jsonl' cannot both be given",
        hint: "give '\(flag.dropFirst(2))' in each line")
    }
    if let commitEvery, commitEvery < 1 {
      throw .usage(
        "'--commit-every' cannot be '\(commitEvery)'", hint: "give a whole number from 1 on")
    }
  }
}

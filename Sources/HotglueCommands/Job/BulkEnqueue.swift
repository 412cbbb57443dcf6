import HotglueCore
import HotglueStore

/// `job enqueue --jsonl`: all lines or none, or `commitEvery` lines at a time.
struct BulkEnqueue {
  let session: WorkspaceSession
  let bare: BareJob
  let commitEvery: Int?

  /// What one transaction takes, and what is held in memory at most.
  static let mostLines = 100_000
  static let mostBytes = 64 << 20

  func run(from name: String) throws -> ExitStatus {
    let input: LineInput
    if name == "-" {
      input = LineInput(.reader(session.environment.readInput))
    } else {
      input = try LineInput.open(session.environment.path(name))
    }
    if let commitEvery {
      try enqueue(from: input, every: commitEvery)
    } else {
      try enqueueAll(from: input)
    }
    return .done
  }

  /// Nothing is stored before the last line is known to be good.
  private func enqueueAll(from input: LineInput) throws {
    let reader = lineReader
    var part = Part()
    while let request = try next(input, reader) {
      part.append(request, input)
      if part.isTooLarge {
        throw tooLarge(
          input, hint: "give --commit-every N: N lines are stored at a time; nothing was enqueued")
      }
    }
    try store(part)
  }

  private func tooLarge(_ input: LineInput, hint: Hint) -> CommandError {
    .badInput(
      "the input is larger than one transaction takes "
        + "(\(Self.mostLines) lines, \(Self.mostBytes >> 20) MiB)",
      hint: hint, facts: [JSON.Member("line", .integer(input.line))])
  }

  /// Input that can be read twice is validated whole first. Of a pipe each part is, before it is
  /// stored.
  private func enqueue(from input: LineInput, every count: Int) throws {
    let reader = lineReader
    if input.canRewind {
      while try next(input, reader) != nil {}
      guard input.rewind() else {
        throw CommandError.badInput("the input changed while it was read")
      }
    }
    var part = Part()
    var stored = 0
    do {
      while let request = try next(input, reader) {
        part.append(request, input)
        if part.isTooLarge { throw tooLarge(input, hint: "give a smaller --commit-every") }
        guard part.requests.count == count else { continue }
        try store(part)
        stored += count
        try session.environment.output.flush()
        session.output.detail("\(Count.of(stored, "job")) enqueued, up to line \(input.line)")
        part = Part()
      }
      try store(part)
    } catch {
      throw saying(stored, error)
    }
  }

  /// The error, and how far it came: what is stored stays stored.
  private func saying(_ stored: Int, _ error: any Error) -> CommandError {
    var words =
      (error as? StoreError).map { CommandError($0, in: session) }
      ?? CommandError(from: error)
    let before: Hint = words.hint.map { "\($0); " } ?? ""
    words.hint =
      stored == 0
      ? "\(before)nothing was enqueued"
      : "\(before)\(stored == 1 ? "the first job" : "the first \(stored) jobs") of the input "
        + "\(stored == 1 ? "is" : "are") enqueued, the rest is not"
    words.facts.append(JSON.Member("enqueued", .integer(stored)))
    return words
  }

  private var lineReader: JobLine {
    JobLine(
      defaults: bare.settings, directory: bare.directory, umask: bare.umask,
      chosenDirectory: bare.chosenDirectory, environment: bare.environment, now: bare.now,
      zone: session.environment.localZone, variable: session.environment.recordedValue)
  }

  /// The next job; lines of white space are passed over. `nil` at the end.
  private func next(_ input: LineInput, _ reader: JobLine) throws -> EnqueueRequest? {
    do {
      while true {
        let found: EnqueueRequest?? = try input.nextLine { bytes in
          if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
          return try reader.request(bytes, line: input.line)
        }
        guard let line = found else { return nil }
        if let request = line { return request }
      }
    } catch let error as BadLine {
      throw CommandError(error)
    } catch let error as LineInput.TooLong {
      throw CommandError.badInput(
        "line \(error.line): it is longer than \(LineInput.longestLine >> 20) MiB",
        hint: "each line is one JSON object, as {\"command\":[\"echo\",\"hello\"]}",
        facts: [JSON.Member("line", .integer(error.line))])
    }
  }

  /// Stores the requests in one transaction and prints their IDs, in the order of the input.
  private func store(_ part: Part) throws {
    guard !part.requests.isEmpty else { return }
    let enqueued: [Enqueued]
    do {
      enqueued = try session.store.enqueue(
        part.requests, in: session.workspace, by: session.actor, at: bare.now)
    } catch {
      throw try naming(part, error)
    }
    for job in enqueued {
      if session.output.isJSON {
        session.output.jsonLine(
          JobJSON.object(
            try session.store.job(job.id, in: session.workspace), at: session.now))
      } else {
        session.output.rawLine(String(job.id))
      }
    }
    let undefined = zip(part.requests, enqueued).filter { $1.waitsForType }.map(\.0.type)
    try session.noteUndefined(Set(undefined))
  }

  /// A key's conflict, and the line that has it. A job that is not there was to be made by an earlier
  /// line of the same part.
  private func naming(_ part: Part, _ error: StoreError) throws -> any Error {
    guard case .keyConflict(let key, let job, let difference) = error else { return error }
    let stored =
      try session.store.owner(ofJob: job) == nil
      ? nil : session.store.job(job, in: session.workspace).request
    let lines = part.requests.indices.filter { index in
      let request = part.requests[index]
      return request.key == key && (stored == nil || request.type == stored?.type)
    }
    // A key is one of its type.
    func first(like index: Int) -> Int? {
      lines.first { part.requests[$0].type == part.requests[index].type }
    }
    let differing = try lines.first { index in
      let holder = stored ?? first(like: index).map { part.requests[$0] }
      guard let holder else { return false }
      return try !Self.asksForSame(part.requests[index], as: holder)
    }
    guard let at = differing ?? lines.first, let earlier = first(like: at) else { return error }
    let line = part.lines[at]
    let isInStore = stored != nil
    var words = CommandError(error)
    words.message =
      isInStore
      ? "line \(line): \(words.message)"
      : "line \(line): key '\(key)' is that of line \(part.lines[earlier]), whose request differs: "
        + difference
    if !isInStore { words.hint = "use another key, or the same request; nothing was enqueued" }
    words.facts.append(JSON.Member("line", .integer(line)))
    return words
  }

  /// By the rule that the store goes by: the command counts by its bytes, and is no part of a typed
  /// job's request; a payload counts by its value.
  private static func asksForSame(
    _ request: EnqueueRequest, as holder: EnqueueRequest
  ) throws -> Bool {
    guard (request.overrides == nil) == (holder.overrides == nil) else { return false }
    if request.overrides == nil {
      let (mine, theirs) = (request.command.map(\.utf8), holder.command.map(\.utf8))
      guard mine.count == theirs.count,
        zip(mine, theirs).allSatisfy({ $0.elementsEqual($1) })
      else { return false }
    }
    guard let mine = request.payload, let theirs = holder.payload else {
      return request.payload == nil && holder.payload == nil
    }
    return try JSON.parse(mine).isEquivalent(to: JSON.parse(theirs))
  }
}

/// What is stored in one transaction, and the lines that it comes from.
private struct Part {
  private(set) var requests: [EnqueueRequest] = []
  private(set) var lines: [Int] = []
  private var bytes = 0

  var isTooLarge: Bool { requests.count > BulkEnqueue.mostLines || bytes > BulkEnqueue.mostBytes }

  /// The request of the line that was read last.
  mutating func append(_ request: EnqueueRequest, _ input: LineInput) {
    requests.append(request)
    lines.append(input.line)
    bytes += input.lineBytes
  }
}

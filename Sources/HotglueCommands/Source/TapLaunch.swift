import HotglueCore
import HotglueProcess
import HotglueSinger
import HotglueStore

/// Starts the tap of a source.
struct TapLaunch {
  let source: Source
  let files: SourceFiles
  let environment: CommandEnvironment
  /// By what the processes of a tap are found that no supervisor looks after; `nil`: an attempt's does.
  private let mark: String?

  init(_ source: Source, in session: WorkspaceSession) {
    self.source = source
    let isInAttempt = session.environment.variables["HOTGLUE_MARK"] != nil
    mark = isInAttempt ? nil : "tap-\(UInt64.random(in: 0...UInt64.max))"
    files = SourceFiles(of: session.store)
    environment = session.environment
  }

  /// Starts it with `arguments` behind its own and the configuration. What says that this process is
  /// an attempt is kept from it: a tap says nothing of a job.
  func start(_ arguments: [String]) throws -> TapProcess {
    let definition = source.definition
    var words = definition.command
    if let config = definition.config {
      let path = files.path(of: config)
      guard FileLook.isReadable(path) else {
        throw TapFailure(
          .config,
          "the configuration "
            + (SourceFiles.isKept(config) ? "that was kept" : "'\(config)'") + " cannot be read")
      }
      words += ["--config", path]
    }
    let started = try TapProcess.start(
      words + arguments, in: definition.directory, umask: definition.umask,
      environment: variables)
    switch started {
    case .started(let tap): return tap
    case .notExecuted(let number):
      throw TapFailure(
        .notFound,
        "the tap '\(words[0])' cannot be executed: "
          + environment.executionFailure(words[0], code: number, in: definition.directory))
    case .noFolder(let number):
      throw TapFailure(
        .notFound,
        "the tap's folder '\(definition.directory)' cannot be entered: "
          + SystemError("enter", definition.directory, code: number).reason)
    }
  }

  /// Starts a target, in the folder of the tap: whoever runs the sync, from wherever, the words of a
  /// target mean the same.
  func startTarget(_ words: [String]) throws -> TapProcess {
    let directory = source.definition.directory
    let started = try TapProcess.start(
      words, in: directory, umask: source.definition.umask, environment: variables,
      withInput: true)
    switch started {
    case .started(let target): return target
    case .notExecuted(let number):
      throw TapFailure(
        .targetNotFound,
        "the target '\(words[0])' cannot be executed in '\(directory)': "
          + environment.executionFailure(words[0], code: number, in: directory))
    case .noFolder(let number):
      throw TapFailure(
        .targetNotFound,
        "the target's folder '\(directory)' cannot be entered: "
          + SystemError("enter", directory, code: number).reason)
    }
  }

  /// Without what would make it part of this attempt, or belongs to the caller's shell.
  private var variables: [String] {
    environment.variables
      .filter { !["HOTGLUE_REPORT_FD", "PWD", "OLDPWD"].contains($0.key) }
      .map { "\($0.key)=\($0.value)" } + ["PWD=\(source.definition.directory)"]
      + (mark.map { ["HOTGLUE_MARK=\($0)"] } ?? [])
  }

  /// Stops what the tap left running, also what has made itself a daemon, as a supervisor does it.
  func stopLeftovers() {
    guard let mark else { return }
    // What cannot be looked for is left: the command has its answer.
    _ = try? AttemptRemains(marked: mark, stopSequence: StopSequence.standard.steps).waitUntilDone()
  }

  /// Reads it to its end; what it writes to standard error is written to ours.
  func read(
    _ tap: TapProcess, idleTimeout: Span?, signals: LeavingSignals
  ) -> TapRun {
    TapRun(tap, idleTimeout: idleTimeout, signals: signals, log: log)
  }

  /// Writes what it complains of to our standard error: a terminal gets it without control characters.
  var log: (UnsafeBufferPointer<UInt8>) -> Void {
    let errors = environment.errorOutput
    var filter = environment.isTerminal(.error) ? TerminalFilter() : nil
    return { bytes in
      if let shown = filter?.shown(bytes) { errors.append(shown) } else { errors.append(bytes) }
      // A standard error that is gone is nobody's loss.
      try? errors.flush()
    }
  }

  /// Writes the catalog for the tap, if there is one; the arguments that name it.
  func catalogArguments(as kind: String = "catalog") throws -> [String] {
    guard let catalog = source.definition.catalog else { return [] }
    let file = files.runFile(kind, of: source.id)
    try file.write(catalog.text.utf8)
    return [source.definition.takesProperties ? "--properties" : "--catalog", file.path]
  }

  /// Writes the bookmark for the tap, if there is one; the arguments that name it.
  func stateArguments(_ bookmark: Bookmark?, as kind: String = "state") throws -> [String] {
    guard let bookmark else { return [] }
    let file = files.runFile(kind, of: source.id)
    try file.write(bookmark.text.utf8)
    return ["--state", file.path]
  }
}

extension TapFailure: Error {}

extension CommandError {
  /// `hint`: a better one than that of every such failure of the source with this name.
  init(_ failure: TapFailure, of source: String, hint better: Hint? = nil) {
    let name = Shell.exact(source, insideQuotes: true)
    let hint: Hint? =
      switch failure.kind {
      case .notFound:
        "name it by its path, or put it into PATH; 'hotglue source edit \(name) -- TAP COMMAND…' "
          + "changes it"
      case .config: "'hotglue source test \(name)' tries the tap after a change"
      case .targetNotFound: "name it by its path, or put it into PATH"
      case .targetConfig, .targetEarly: nil
      case .transient, .crash, .hang, .targetTransient, .targetCrash, .targetHang: nil
      }
    self.init(failure.kind.rawValue, .unsuccessful, failure.message, hint: better ?? hint)
  }
}

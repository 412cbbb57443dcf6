import ArgumentParser
import HotglueCore
import HotglueStore

struct SyncStatus: WorkspaceCommand {
  static let record = CommandRecord("sync status", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "tell how the last sync of a source stands",
    discussion: "Without a source: of every source of the workspace, a line each.")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The source's name or link.", valueName: "source"))
  var source: String?

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    guard let source else { return try all(in: session) }
    let standing = try SyncStanding.last(of: session.source(source), in: session)
    let output = session.output
    let targets = try session.store.syncTargets(
      of: standing.source.id, in: session.workspace)
    if output.isJSON {
      output.object(standing.json(with: targets))
      return .done
    }
    if output.isQuiet {
      output.line(standing.state ?? "never")
      return .done
    }
    output.breadcrumb(session.workspace.text, "sources", standing.source.name, "sync")
    let position = try session.store.syncPosition(
      of: standing.source.id, in: session.workspace)
    var fields: [(name: String, cell: Cell)] = [
      ("source", Cell(standing.source.name)), ("state", Self.cell(standing.state)),
      ("target", Cell(standing.told.target.map(String.init))),
      ("job", Cell((standing.job?.id ?? standing.told.runs.last?.job).map(String.init))),
      ("started at", Cell(standing.startedAt)), ("finished at", Cell(standing.finishedAt)),
      ("published at", Cell(position?.publishedAt)),
    ]
    if let progress = standing.job?.progress, standing.job?.state == .running {
      fields.append(("progress", Cell(ProgressText.of(progress))))
    }
    if let job = standing.job, job.state == .pending { fields.append(("runs at", Cell(job.runAt))) }
    if let error = standing.error { fields.append(("error", Cell(error.message, .bad))) }
    for note in standing.told.notes { fields.append(("note", Cell(note))) }
    output.fields(fields)
    output.table(standing.told.headings, standing.told.rows)
    if !targets.isEmpty {
      output.table(
        ["target", "command", "confirmed at", "bookmark"],
        targets.map {
          [
            Cell($0.id), Cell(ShellWords.joined($0.command)), Cell($0.confirmedAt),
            Cell($0.bookmark?.text),
          ]
        })
    }
    return .done
  }

  private func all(in session: WorkspaceSession) throws -> ExitStatus {
    let standings = try session.store.sources(in: session.workspace).map {
      try SyncStanding.last(of: $0, in: session)
    }
    if session.output.isJSON {
      for standing in standings {
        let targets = try session.store.syncTargets(
          of: standing.source.id, in: session.workspace)
        session.output.jsonLine(standing.json(with: targets))
      }
    } else if session.output.isQuiet {
      for standing in standings { session.output.line(standing.source.name) }
    } else {
      session.output.table(
        ["source", "state", "job", "started", "finished", "error"],
        standings.map { standing in
          [
            Cell(standing.source.name), Self.cell(standing.state),
            Cell(standing.job.map { String($0.id) }), Cell(standing.startedAt),
            Cell(standing.finishedAt), Cell(standing.error?.message),
          ]
        })
    }
    return .done
  }

  static func cell(_ state: String?) -> Cell {
    switch state {
    case "succeeded": Cell(state, .good)
    case "failed", "interrupted": Cell(state, .bad)
    case "running": Cell(state, .active)
    case nil: Cell("never", .faint)
    default: Cell(state)
    }
  }
}

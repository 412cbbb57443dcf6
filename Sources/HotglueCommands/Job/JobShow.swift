import ArgumentParser
import HotglueCore
import HotglueStore

struct JobShow: WorkspaceCommand {
  static let kind = CommandKind.jobShow
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "tell the whole story of a job: policy, attempts, history, and what comes next")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("The job's ID or link.", valueName: "job"))
  var job: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    try session.show(session.jobNumber(job))
    return .done
  }
}

struct OpenLink: StoreCommand {
  static let kind = CommandKind.open
  static let configuration = CommandConfiguration(
    commandName: "open",
    abstract: "show what a link names, in its own workspace and without switching")

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("A link: hotglue://WORKSPACE/job/42", valueName: "link"))
  var link: String

  func run(in session: StoreSession) throws -> ExitStatus {
    guard let link = EntityLink(link) else {
      throw CommandError.usage(
        "'\(link)' is not a link", hint: "links look like hotglue://WORKSPACE/job/42")
    }
    let there = try session.entering(link.workspace)
    if link.kind == .source {
      let source: Source
      do {
        source = try there.source(link.text)
      } catch let error as CommandError where error.exit == .contextMismatch {
        // The number is another workspace's: the link names nothing.
        throw StoreError.unknownSource(link.id, link.workspace, near: [])
      }
      try there.show(source)
      return .done
    }
    guard link.kind == .job else {
      throw CommandError(
        "not_found", .notFound,
        "no \(link.kind.rawValue) '\(link.id)' in workspace '\(link.workspace)'",
        facts: [JSON.Member("link", .string(link.text))])
    }
    do {
      try there.show(there.jobNumber(link.text))
    } catch StoreError.otherWorkspace(let id, _) {
      // The number is another workspace's: the link names nothing.
      throw StoreError.unknownJob(id)
    }
    return .done
  }
}

extension WorkspaceSession {
  fileprivate func show(_ id: JobID) throws {
    let story = try JobStory(of: id, in: workspace, from: store)
    if output.isJSON {
      output.object(JobJSON.story(story))
    } else if output.isQuiet {
      output.rawLine(String(id))
    } else {
      output.breadcrumb(workspace.text, "jobs", String(id))
      JobStoryText(story: story, output: output, now: now).print()
    }
  }
}

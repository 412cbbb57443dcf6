import ArgumentParser
import HotglueCore
import HotglueStore

struct OpenLink: StoreCommand {
  static let record = CommandRecord("open", .readsStore, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "open",
    abstract: "show what a link names, in its own workspace and without switching",
    discussion: """
      Links name a job (hotglue://acme/job/42), a type (hotglue://acme/type/mail), an effect \
      (hotglue://acme/effect/42/charge), a draft (hotglue://acme/draft/7), a source \
      (hotglue://acme/source/3), or an automation (hotglue://acme/automation/5). Every 'show' prints the link of what it shows.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: ArgumentHelp("A link: hotglue://WORKSPACE/job/42", valueName: "link"))
  var link: String

  func run(in session: StoreSession) throws -> ExitStatus {
    let link = try EntityLink(argument: link)
    let there = try session.entering(link.workspace)
    return try there.telling { try there.show(link) }
  }
}

extension WorkspaceSession {
  /// Shows what a link into this workspace names. Every kind of thing has its line here.
  fileprivate func show(_ link: EntityLink) throws -> ExitStatus {
    switch link.kind {
    case .job:
      let id = try link.number(of: .job)
      do {
        return try show(job: id)
      } catch StoreError.otherWorkspace {
        // The number is another workspace's: the link names nothing.
        throw StoreError.unknownJob(id)
      }
    case .type: return try show(type: store.type(link.id, in: workspace))
    case .effect:
      let name = try link.effect()
      guard let effect = try store.effect(name) else { throw StoreError.unknownEffect(name) }
      return try show(effect: effect)
    case .draft:
      do {
        try show(draft: draft(link.text))
        return .done
      } catch StoreError.draftOfOtherWorkspace(let id, _) {
        throw StoreError.unknownDraft(id)
      }
    case .source:
      let source: Source
      do {
        source = try self.source(link.text)
      } catch let error as CommandError where error.exit == .contextMismatch {
        // The number is another workspace's: the link names nothing.
        throw StoreError.unknownSource(link.id, link.workspace, near: [])
      }
      try show(source)
      return .done
    case .automation:
      let automation: Automation
      do {
        automation = try self.automation(link.text)
      } catch let error as CommandError where error.exit == .contextMismatch {
        throw StoreError.unknownAutomation(link.id, link.workspace, near: [])
      }
      try show(automation)
      return .done
    }
  }
}

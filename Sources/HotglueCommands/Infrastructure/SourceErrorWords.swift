import HotglueCore
import HotglueStore

extension CommandError {
  /// What is wrong with what was asked of a source or a sync.
  init(ofSource error: StoreError) {
    switch error {
    case .unknownSource(let name, let workspace, let near):
      self.init(
        "unknown_source", .notFound, "no source '\(name)' in workspace '\(workspace)'",
        hint: near.isEmpty
          ? "see them with 'hotglue source list'"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
        facts: [
          JSON.Member("source", .string(name)),
          JSON.Member("workspace", .string(workspace.text)), JSON.Member("near", .strings(near)),
        ])
    case .sourceExists(let name, let workspace):
      self.init(
        "source_exists", .cannotCreate,
        "source '\(name)' exists already in workspace '\(workspace)'",
        hint: "see it with 'hotglue source show \(Shell.quoted(name))', or choose another name",
        facts: [JSON.Member("source", .string(name))])
    case .staleSource(let name, let expected, let found):
      self.init(
        "stale_source", .refused,
        "source '\(name)' was changed meanwhile: it is at revision \(found), not at \(expected)",
        hint: "see what it is now with 'hotglue source show \(Shell.quoted(name))'",
        facts: [
          JSON.Member("source", .string(name)), JSON.Member("expected", .integer(expected)),
          JSON.Member("found", .integer(found)),
        ])
    case .unknownSyncRun(let run, let source):
      self.init(
        "unknown_run", .notFound, "the source has no run \(run)",
        hint: "see them with 'hotglue sync history SOURCE'",
        facts: [JSON.Member("run", .integer(run)), JSON.Member("source_id", .integer(source))])
    case .unknownTarget(let target, let source):
      self.init(
        "unknown_target", .notFound, "the source has no target \(target)",
        hint: "see them with 'hotglue sync status SOURCE'",
        facts: [
          JSON.Member("target", .integer(target)), JSON.Member("source_id", .integer(source)),
        ])
    case .unknownStream(let name, let source, let near):
      self.init(
        "unknown_stream", .notFound, "the source has no stream '\(name)'",
        hint: near.isEmpty
          ? "streams are there once a sync has seen them"
          : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
        facts: [
          JSON.Member("stream", .string(name)), JSON.Member("source_id", .integer(source)),
          JSON.Member("near", .strings(near)),
        ])
    case .syncRuns(let source, let run, let job):
      self.init(
        "sync_runs", .refused, "a sync of the source runs (run \(run))",
        hint: job.map { "wait for it: 'hotglue job wait \($0)'" },
        facts: [
          JSON.Member("source_id", .integer(source)), JSON.Member("run", .integer(run)),
          JSON.Member("job", .optional(job)),
        ])
    case .staleSync(let run, let current):
      self.init(
        "stale_sync", .refused, "run \(run) is not the current one of its source any more",
        hint: "another run has begun since; nothing was changed",
        facts: [
          JSON.Member("run", .integer(run)), JSON.Member("current", .optional(current)),
        ])
    case .streamKeyChanged(let stream, let from, let to):
      self.init(
        "key_changed", .refused,
        "the key of stream '\(stream)' was (\(from.joined(separator: ", "))) and is "
          + "(\(to.joined(separator: ", "))) now",
        hint: "a full sync takes the stream under its new key: 'hotglue sync run SOURCE --full'",
        facts: [
          JSON.Member("stream", .string(stream)), JSON.Member("from", .strings(from)),
          JSON.Member("to", .strings(to)),
        ])
    default:
      self.init("internal", .internalError, "the store failed: \(error)")
    }
  }
}

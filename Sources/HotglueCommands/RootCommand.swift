import ArgumentParser

/// The tree of all commands: for help, completions, the manual, and messages about arguments.
/// Commands themselves run without it, since building it costs more than most of them do.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hotglue",
    abstract: "durable jobs, workspace context and syncs for the shell",
    discussion: """
      Jobs are commands, kept in one store and run by workers; every job belongs to a workspace, and
      which one a command acts in has one source: the context file, or -w. 'hotglue init' makes both
      in this folder. The global options are taken before or after a command's name.

      What holds when a process dies, and every exit status, is in hotglue-contract(7); how the
      workspace is found, in hotglue-context(7); who may do what there, in hotglue-guards(7).

      A command that is none of these is looked for in PATH: 'hotglue foo' runs 'hotglue-foo' with \
      the context fixed for it.
      """,
    version: Hotglue.version,
    subcommands: [
      Initialize.self, WorkspaceNoun.self, ContextNoun.self, JobNoun.self, TypeNoun.self,
      QueueNoun.self, AutomationNoun.self, EffectNoun.self, DraftNoun.self, SourceNoun.self,
      SyncNoun.self, RecordNoun.self, StoreNoun.self,
    ] + CommandRegistry.commands(of: "").filter { $0 != Initialize.self })
}

struct WorkspaceNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workspace", abstract: "make, list and switch workspaces",
    discussion: """
      A workspace keeps its jobs apart from those of all others. Its ID is never renamed and never
      used again; the name for people may change.
      """,
    subcommands: CommandRegistry.commands(of: "workspace") + [MemberNoun.self])
}

struct MemberNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "member", abstract: "say who may do what in the workspace",
    discussion: """
      A workspace without members is open to all who may write the store. Once it has some, a viewer
      reads, an operator also enqueues, works and retries, an owner also manages the workspace. The
      user is that of the operating system.

      These are guard rails for people. The security boundary is the permissions of the store's
      files: see hotglue-guards(7).
      """,
    subcommands: CommandRegistry.commands(of: "workspace member"))
}

struct ContextNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "context", abstract: "see which workspace and store a command acts on, and why",
    discussion: """
      One context file counts: that of --context, else of $HOTGLUE_CONTEXT, else the nearest
      .hotglue/context.json in this folder or above, else the user's own. See hotglue-context(7).
      """,
    subcommands: CommandRegistry.commands(of: "context"))
}

struct JobNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job", abstract: "enqueue commands as jobs, see them, and act on them",
    discussion: """
      Where a job is named, its number is taken, or its link: hotglue://WORKSPACE/job/42. A job of
      another workspace than the resolved one is refused, with the flag that would mean it.
      """,
    subcommands: CommandRegistry.commands(of: "job"))
}

struct TypeNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "type", abstract: "define what jobs of a type run, and by which contract",
    subcommands: CommandRegistry.commands(of: "type"))
}

struct QueueNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue", abstract: "see the queues of the workspace, and bound what runs in them",
    discussion: """
      A queue is a name that jobs wait under ('--queue'); a worker may serve all queues or some. It \
      needs no definition.
      """,
    subcommands: CommandRegistry.commands(of: "queue"))
}

struct AutomationNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "automation", abstract: "Enqueue jobs by a schedule",
    discussion: """
      An automation enqueues a job of a type, a command or a sync at each occurrence of its schedule, \
      exactly once. Workers tick; 'automation tick' does so once. See hotglue-automation(7).
      """,
    subcommands: CommandRegistry.commands(of: "automation") + [AutomationImportNoun.self])
}

struct AutomationImportNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take over schedules of other programs",
    subcommands: CommandRegistry.commands(of: "automation import"))
}

struct EffectNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "effect", abstract: "carry out steps to confirmation at most once, and see them",
    subcommands: CommandRegistry.commands(of: "effect"))
}

struct DraftNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "draft", abstract: "write jobs and types in an editor, and submit them when ready",
    discussion: """
      A draft is bound to the workspace it was begun in and is submitted nowhere else. What was typed
      is kept whatever happens; a draft that was put aside lies in the bin for 14 days. Where a draft
      is named, its number is taken, or its link: hotglue://WORKSPACE/draft/7.
      """,
    subcommands: CommandRegistry.commands(of: "draft"))
}

struct SourceNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "source", abstract: "define where records come from: Singer taps",
    discussion: "See hotglue-sync(7), which has a complete example.",
    subcommands: CommandRegistry.commands(of: "source"))
}

struct SyncNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "take in what sources send, and see how it went",
    subcommands: CommandRegistry.commands(of: "sync"))
}

struct RecordNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "read the records of a source",
    subcommands: CommandRegistry.commands(of: "record"))
}

struct StoreNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "look after the store's file",
    discussion: """
      The store is one SQLite file, beside it a folder of the same name that ends in '.d' with locks
      and logs. The two belong together: move them together, and only while no worker runs.
      """,
    subcommands: CommandRegistry.commands(of: "store"))
}

import ArgumentParser

/// The tree of all commands: for help, completions, the manual, and messages about arguments.
/// Commands themselves run without it, since building it costs more than most of them do.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hotglue",
    abstract: "durable jobs, workspace context and syncs for the shell",
    version: Hotglue.version,
    subcommands: [
      Initialize.self, WorkspaceNoun.self, ContextNoun.self, JobNoun.self, StoreNoun.self,
      OpenLink.self, RecordOutcome.self,
    ])
}

struct WorkspaceNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workspace", abstract: "make, list and switch workspaces",
    subcommands: [
      WorkspaceCreate.self, WorkspaceList.self, WorkspaceShow.self, WorkspaceCurrent.self,
      WorkspaceSwitch.self, WorkspaceArchive.self,
    ])
}

struct ContextNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "context", abstract: "see which workspace and store a command acts on, and why",
    subcommands: [ContextShow.self, ContextPath.self, ContextPrompt.self])
}

struct JobNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job", abstract: "enqueue commands as jobs, see them, and act on them",
    subcommands: [
      JobEnqueue.self, JobList.self, JobShow.self, JobLogs.self, JobWait.self, JobCancel.self,
      JobRetry.self, JobResolve.self, JobPrune.self, JobLifecycle.self, JobWork.self,
      JobReclaim.self, JobRun.self,
    ])
}

struct StoreNoun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "look after the store's file",
    subcommands: [
      StoreInfoCommand.self, StoreCheck.self, StoreBackup.self, StoreRestore.self,
      StorePrune.self,
    ])
}

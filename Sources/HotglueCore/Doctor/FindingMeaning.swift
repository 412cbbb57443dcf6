extension FindingCode {
  /// What it means, in a sentence or two: the same for every finding of the code.
  public var meaning: String {
    switch self {
    case .storeMissing: "the context names a store that is not there"
    case .storeUnusable: "the store cannot be opened, so nothing in it can be checked"
    case .storeCorrupt:
      "the file is damaged: what SQLite wrote is not what is there now, so nothing in it is certain"
    case .storeBusy: "another program keeps the file locked, so nothing in it could be checked"
    case .storeReadOnly: "nothing can be enqueued, claimed or recorded"
    case .schemaNewer: "a newer hotglue wrote the store; this one does not know what it holds"
    case .fileSystem: "locks and shared memory are not reliable there: commits can be lost"
    case .otherStore: "the context was made with another store: commands refuse to use this one"
    case .storeMoved:
      "commands refuse a copy until its user trusts it, since its jobs were written somewhere else"
    case .notPrivate:
      "a store holds commands that a worker will run, so nobody else may write to its files"
    case .contextUnusable: "commands that resolve this context are refused"
    case .littleSpace: "workers claim nothing below this floor, so that what runs can be recorded"
    case .longLog:
      "something reads for so long that the log cannot start anew; every command reads through it"
    case .gateFrozen:
      "the process is stopped while it holds the writer gate: nothing can be written until it goes on"
    case .gateHeld: "writers wait for it; a restore or a large enqueue takes its time"
    case .gateReplaced:
      "the write lock is another file than the process holds, so commits can be lost, or it is not a "
        + "regular file, so that no command can write"
    case .otherProgram:
      "it does not take the writer gate, which is what keeps this version of SQLite from losing commits"
    case .schemaChanged:
      "the store holds what no hotglue has made, or lacks what it needs; triggers are never run"
    case .inconsistent:
      "rows of the store contradict each other, which only a fault in hotglue or another program causes"
    case .attemptDead:
      "no process of the attempt's supervisor is left; the next worker or this command resolves it at once"
    case .attemptHeld:
      "its main process has ended and these processes of it have not: the job stays running until "
        + "they have, since nothing is run beside them; only their owner or root may stop another user's"
    case .attemptUnattended:
      "its worker is gone; it goes on under its supervisor, which records its end, or a worker adopts it"
    case .attemptElsewhere:
      "it belongs to another PID namespace, where it may live; from here it cannot be judged"
    case .attemptUnknown:
      "it began under a store that is lost or was replaced: the same job may be run beside it, and its "
        + "end changes no job"
    case .attemptResolving:
      "its supervisor is gone, and this process finds out what became of it and records that"
    case .leaseOver:
      "its worker lives and has not renewed the lease: the next worker takes the attempt over"
    case .workerFrozen: "the process is stopped; when its lease is over another worker takes over"
    case .supervisorFrozen:
      "the attempt's supervisor is stopped: time-outs and orders wait, and its end is not recorded"
    case .forkServerFrozen:
      "it makes supervisors: what runs goes on, and its worker replaces it when it needs another one"
    case .strayProcess:
      "the attempt has ended and this process of it lives on; a later attempt would run beside it"
    case .storeCopied:
      "the slot was made in another place: the store was copied while the attempt ran, and what "
        + "runs belongs to the original. Here it becomes unknown, and nothing outside is touched"
    case .workerOutdated: "it runs a binary that was replaced; it and its attempts go on unharmed"
    case .workerElsewhere:
      "it belongs to another PID namespace: from here its processes cannot be seen or stopped"
    case .switchOpen: "a switch was cut short; the next command in that context settles it"
    case .switchFrozen:
      "the process is stopped while it switches or makes the context: nobody else can switch it"
    case .jobUncertain:
      "an attempt ended in a way nobody knows, and the job is not safe to run twice: it waits for a person"
    case .effectUnknown: "a step may have happened and nobody knows: it is never guessed"
    case .effectStray:
      "what carried an effect out has gone, and this process that it started lives on: until it has "
        + "ended, the effect is neither checked nor carried out again"
    case .zoneMissing:
      "the file of the automation's time zone cannot be read: nothing fires until it can, and never in "
        + "another zone"
    case .automationPaused:
      "jobs of the automation ended badly as often in a row as '--pause-after' says"
    case .archivedRunning: "what ran when the workspace was archived goes on and is recorded"
    case .clockBehind:
      "the wall clock was set back: times to run that were set before lie further ahead"
    case .slotLeft: "a supervisor that is gone left it; the next worker removes it"
    case .lockLeft: "a worker that is gone left it; workers remove it after ten minutes"
    case .logLeft: "nothing in the store names it any more"
    case .draftLeft: "a command that was killed left it half made; nothing refers to it"
    }
  }
}

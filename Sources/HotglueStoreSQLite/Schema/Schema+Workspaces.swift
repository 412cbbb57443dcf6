extension Schema {
  /// Workspaces, their members, the contexts that select them, drafts, and the audit log.
  ///
  /// A workspace without members is open to all who may write the store; one that has some has an owner
  /// among them, which the code keeps. A draft's `context_id` and `context_path` name the context file in
  /// which it was begun; `moved_by` is set while it lies in the bin by a switch that is not confirmed: the
  /// generation of that intent.
  static let workspaces = """
    CREATE TABLE store_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE workspace (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'archived')),
      protected INTEGER NOT NULL DEFAULT 0 CHECK (protected IN (0, 1)),
      created_at INTEGER NOT NULL,
      archived_at INTEGER,
      CHECK ((state = 'archived') = (archived_at IS NOT NULL))
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE member (
      workspace TEXT NOT NULL REFERENCES workspace (id),
      user TEXT NOT NULL CHECK (user <> ''),
      role TEXT NOT NULL CHECK (role = 'viewer' OR role = 'operator' OR role = 'owner'),
      added_at INTEGER NOT NULL,
      added_by TEXT NOT NULL,
      PRIMARY KEY (workspace, user)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE context (
      context_id TEXT NOT NULL,
      path TEXT NOT NULL,
      generation INTEGER NOT NULL,
      workspace TEXT REFERENCES workspace (id),
      previous TEXT REFERENCES workspace (id),
      intent_generation INTEGER,
      intent_workspace TEXT REFERENCES workspace (id),
      -- Who began the switch, as JSON: another process may have to end it.
      intent_by TEXT,
      PRIMARY KEY (context_id, path),
      CHECK ((intent_generation IS NULL) = (intent_workspace IS NULL)),
      CHECK (intent_generation > generation)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE draft (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      workspace TEXT NOT NULL REFERENCES workspace (id),
      kind TEXT NOT NULL CHECK (kind IN ('job', 'type', 'source', 'automation')),
      name TEXT,
      state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'bin', 'submitted')),
      version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1),
      context_id TEXT,
      context_path TEXT,
      directory TEXT NOT NULL,
      base_revision INTEGER,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      updated_at INTEGER NOT NULL,
      closed_at INTEGER,
      moved_by INTEGER,
      entity TEXT,
      template BLOB NOT NULL,
      text BLOB NOT NULL,
      -- Who has it open in an editor, as JSON.
      opened_by TEXT,
      UNIQUE (workspace, id),
      CHECK ((context_id IS NULL) = (context_path IS NULL)),
      CHECK ((state = 'open') = (closed_at IS NULL)),
      CHECK ((state = 'submitted') = (entity IS NOT NULL)),
      CHECK (moved_by IS NULL OR (state = 'bin' AND context_id IS NOT NULL))
    ) STRICT;

    CREATE INDEX draft_by_state ON draft (workspace, state, id);
    CREATE INDEX draft_of_context ON draft (context_id, context_path, workspace)
      WHERE state = 'open';
    CREATE INDEX draft_moved ON draft (context_id, context_path) WHERE moved_by IS NOT NULL;
    CREATE INDEX draft_closed ON draft (closed_at) WHERE closed_at IS NOT NULL;

    -- The log of mutations. `job` is the job whose handler ran the command.
    CREATE TABLE activity (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      workspace TEXT REFERENCES workspace (id),
      user TEXT NOT NULL,
      command TEXT NOT NULL,
      origin TEXT NOT NULL,
      terminal TEXT,
      job INTEGER,
      subject TEXT,
      repaired_by TEXT
    ) STRICT;
    """
}

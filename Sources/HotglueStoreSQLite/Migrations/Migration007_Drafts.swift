extension Migration {
  /// Drafts.
  ///
  /// `context_id` and `context_path` name the context file in which a draft was begun. `moved_by` is
  /// set while the draft lies in the bin by a switch that is not confirmed: the generation of that
  /// intent.
  static let drafts = Migration(
    version: 7,
    script: """
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
      """)
}

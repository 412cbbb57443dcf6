/// The statements on drafts.
enum DraftSQL {
  static let insert = SQL(
    "draft.insert",
    """
    INSERT INTO draft (workspace, kind, name, context_id, context_path, directory, base_revision,
      created_at, created_by, updated_at, template, text, opened_by)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, ?10, ?11, ?12)
    """)
  static let owner = SQL("draft.owner", "SELECT workspace FROM draft WHERE id = ?1")
  static let one = SQL(
    "draft.one",
    """
    SELECT id, kind, name, state, version, directory, base_revision, created_at, updated_at, entity,
      template, text
    FROM draft WHERE workspace = ?1 AND id = ?2
    """)
  static let page = SQL(
    "draft.page",
    """
    SELECT id, kind, name, state, version, directory, base_revision, created_at, updated_at, entity,
      template, text
    FROM draft INDEXED BY draft_by_state
    WHERE workspace = ?1 AND state = ?2 AND id < ?3 AND (?4 IS NULL OR kind = ?4)
    ORDER BY id DESC LIMIT ?5
    """)
  static let ofContext = SQL(
    "draft.of_context",
    """
    SELECT id, kind, name, state, version, directory, base_revision, created_at, updated_at, entity,
      template, text
    FROM draft INDEXED BY draft_of_context
    WHERE context_id = ?1 AND context_path = ?2 AND workspace = ?3 AND state = 'open' ORDER BY id
    """)
  static let stampsOfContext = SQL(
    "draft.stamps_of_context",
    """
    SELECT id, version FROM draft INDEXED BY draft_of_context
    WHERE context_id = ?1 AND context_path = ?2 AND workspace = ?3 AND state = 'open'
    """)
  static let countOpen = SQL(
    "draft.count_open",
    """
    SELECT count(*) FROM draft INDEXED BY draft_by_state WHERE workspace = ?1 AND state = 'open'
    """)

  static let editor = SQL(
    "draft.editor", "SELECT opened_by FROM draft WHERE workspace = ?1 AND id = ?2")
  static let noteEditor = SQL(
    "draft.note_editor", "UPDATE draft SET opened_by = ?3 WHERE workspace = ?1 AND id = ?2")
  static let save = SQL(
    "draft.save",
    """
    UPDATE draft SET text = ?3, name = coalesce(?4, name), updated_at = ?5, version = version + 1
    WHERE workspace = ?1 AND id = ?2 AND state <> 'submitted'
    """)
  static let discard = SQL(
    "draft.discard",
    """
    UPDATE draft SET state = 'bin', closed_at = ?3, version = version + 1
    WHERE workspace = ?1 AND id = ?2 AND state = 'open'
    """)
  static let restore = SQL(
    "draft.restore",
    """
    UPDATE draft SET state = 'open', closed_at = NULL, moved_by = NULL, version = version + 1
    WHERE workspace = ?1 AND id = ?2 AND state = 'bin'
    """)
  static let submit = SQL(
    "draft.submit",
    """
    UPDATE draft SET state = 'submitted', closed_at = ?4, entity = ?5, version = version + 1
    WHERE workspace = ?1 AND id = ?2 AND version = ?3 AND state = 'open'
    """)

  /// The moves of a switch: provisional with its intent, final with its confirmation, undone when it
  /// is rolled back.
  static let move = SQL(
    "draft.move",
    """
    UPDATE draft SET state = 'bin', closed_at = ?5, moved_by = ?6, version = version + 1
    WHERE id = ?3 AND version = ?4 AND context_id = ?1 AND context_path = ?2 AND state = 'open'
    """)
  static let moved = SQL(
    "draft.moved",
    """
    SELECT id, workspace FROM draft INDEXED BY draft_moved
    WHERE context_id = ?1 AND context_path = ?2 AND moved_by IS NOT NULL
    """)
  static let confirmMoves = SQL(
    "draft.confirm_moves",
    """
    UPDATE draft INDEXED BY draft_moved SET moved_by = NULL
    WHERE context_id = ?1 AND context_path = ?2 AND moved_by IS NOT NULL
    """)
  static let undoMoves = SQL(
    "draft.undo_moves",
    """
    UPDATE draft INDEXED BY draft_moved
    SET state = 'open', closed_at = NULL, moved_by = NULL, version = version + 1
    WHERE context_id = ?1 AND context_path = ?2 AND moved_by IS NOT NULL
    """)

  static let prunable = SQL(
    "draft.prunable",
    """
    SELECT id FROM draft INDEXED BY draft_closed
    WHERE closed_at IS NOT NULL AND closed_at < ?1 AND moved_by IS NULL ORDER BY closed_at LIMIT ?2
    """)
  static let remove = SQL(
    "draft.remove",
    "DELETE FROM draft WHERE id = ?1 AND state <> 'open' AND moved_by IS NULL")
}

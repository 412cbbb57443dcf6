/// The statements on members, protection, and the guards that depend on them.
enum MemberSQL {
  static let guardOne = SQL(
    "member.guard_one",
    """
    SELECT id, name, state, protected, created_at,
      EXISTS (SELECT 1 FROM member WHERE workspace = ?1),
      (SELECT role FROM member WHERE workspace = ?1 AND user = ?2)
    FROM workspace WHERE id = ?1
    """)
  static let guardAll = SQL(
    "member.guard_all",
    """
    SELECT id, name, state, protected, created_at,
      EXISTS (SELECT 1 FROM member WHERE member.workspace = workspace.id),
      (SELECT role FROM member WHERE member.workspace = workspace.id AND user = ?1)
    FROM workspace ORDER BY id
    """)
  static let all = SQL(
    "member.all",
    "SELECT user, role, added_at, added_by FROM member WHERE workspace = ?1 ORDER BY user")
  static let any = SQL("member.any", "SELECT 1 FROM member LIMIT 1")
  static let set = SQL(
    "member.set",
    """
    INSERT INTO member (workspace, user, role, added_at, added_by) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (workspace, user) DO UPDATE SET role = ?3, added_at = ?4, added_by = ?5
    """)
  static let remove = SQL(
    "member.remove", "DELETE FROM member WHERE workspace = ?1 AND user = ?2")
  static let protect = SQL(
    "workspace.protect",
    "UPDATE workspace SET protected = ?2 WHERE id = ?1 AND protected <> ?2")
}

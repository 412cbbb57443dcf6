extension Migration {
  /// The members of workspaces. A workspace without any is open to all who may write the store; one
  /// that has some has an owner among them, which the code keeps.
  static let members = Migration(
    version: 6,
    script: """
      CREATE TABLE member (
        workspace TEXT NOT NULL REFERENCES workspace (id),
        user TEXT NOT NULL CHECK (user <> ''),
        role TEXT NOT NULL CHECK (role = 'viewer' OR role = 'operator' OR role = 'owner'),
        added_at INTEGER NOT NULL,
        added_by TEXT NOT NULL,
        PRIMARY KEY (workspace, user)
      ) STRICT, WITHOUT ROWID;
      """)
}

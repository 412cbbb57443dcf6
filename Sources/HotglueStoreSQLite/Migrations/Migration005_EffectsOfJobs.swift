extension Migration {
  /// Indexes on the effects whose keys belong to the workspace: those that a job began, and those that
  /// retention may remove. What nobody knows the end of is in neither for removal.
  static let effectsOfJobs = Migration(
    version: 5,
    script: """
      CREATE INDEX effect_begun_in ON effect (workspace, job, id)
        WHERE scope_job IS NULL AND job IS NOT NULL;
      CREATE INDEX effect_settled ON effect (workspace, finished_at)
        WHERE scope_job IS NULL AND finished_at IS NOT NULL AND state <> 'unknown';
      """)
}

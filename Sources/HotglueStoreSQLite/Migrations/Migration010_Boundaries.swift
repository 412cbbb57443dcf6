extension Migration {
  /// What a run may send again of a stream without keys.
  ///
  /// Of the versions above `boundary` a tap that is given the published bookmark may send some again;
  /// NULL: of all. With a run's counts it is kept for the bookmark that the run published last, to
  /// which a reset may go back.
  static let boundaries = Migration(
    version: 10,
    script: """
      ALTER TABLE sync_stream ADD COLUMN boundary INTEGER;
      ALTER TABLE sync_tally ADD COLUMN boundary INTEGER;
      """)
}

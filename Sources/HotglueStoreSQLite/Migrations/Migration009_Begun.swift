extension Migration {
  /// Who began what another one may have to end: the intent of a switch, and a draft in an editor.
  /// Each is an actor as JSON. The log names who ended it besides.
  static let begun = Migration(
    version: 9,
    script: """
      ALTER TABLE context ADD COLUMN intent_by TEXT;
      ALTER TABLE draft ADD COLUMN opened_by TEXT;
      ALTER TABLE activity ADD COLUMN repaired_by TEXT;
      """)
}

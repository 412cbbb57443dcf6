/// A name for people: one line that every list can show.
enum DisplayName {
  static let longest = 255

  /// Refuses a name that would show as nothing, or as something else. `flag` is where it was given.
  static func check(_ name: String, of flag: String) throws(CommandError) {
    let accepted: Hint = "give one line of text, of at most \(longest) bytes"
    guard name.contains(where: { !$0.isWhitespace }) else {
      throw .usage("'\(flag)' is empty", hint: accepted)
    }
    guard name.utf8.count <= longest else {
      throw .usage("'\(flag)' has \(name.utf8.count) bytes", hint: accepted)
    }
    guard !name.unicodeScalars.contains(where: Visible.isUnsafe) else {
      throw .usage(
        "'\(flag)' has a control character: '\(Visible.text(name))'", hint: accepted)
    }
  }
}

/// Why a user decided something, as the record of it keeps it: any text, but not none.
enum Reason {
  static func check(_ reason: String, kept place: String) throws(CommandError) {
    guard reason.contains(where: { !$0.isWhitespace }) else {
      throw .usage("'--reason' is empty", hint: "say how you know; it is kept in \(place)")
    }
  }
}

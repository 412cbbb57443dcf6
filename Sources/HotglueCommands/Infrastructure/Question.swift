import HotglueCore

extension Output {
  /// Asks a person before something is lost. Returns when the answer is yes, or `--yes` was given.
  ///
  /// Off a terminal and with `--no-input` nothing is asked, and what is piped in is left alone: the
  /// command is refused and names the flag. So it is when the answer is not yes.
  func confirm(_ question: String) throws {
    if options.yes { return }
    guard canAsk else {
      throw CommandError.needsConfirmation(
        "this must be confirmed: \(question)", hint: "\(again: .flag("--yes"))")
    }
    ask(Visible.text(question) + " [y/N] ")
    guard ["y", "yes"].contains(try answer()) else {
      throw CommandError.needsConfirmation(
        "declined: nothing was changed", hint: "\(again: .flag("--yes"))")
    }
  }

  /// Whether there is somebody to ask.
  var canAsk: Bool {
    !options.noInput && environment.isTerminal(.input) && environment.isTerminal(.error)
  }

  /// A part of a question, as it is.
  func ask(_ text: String) { environment.errorOutput.append(text) }

  /// What was answered: the first word, in lower case.
  func answer() throws -> Substring {
    try environment.errorOutput.flush()
    return String(decoding: try line(), as: UTF8.self).lowercased().trimmed
  }

  /// One line of standard input, read byte by byte so that no more of it is taken.
  private func line() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < 1024 {
      let next = try environment.readInput(1)
      guard let byte = next.first, byte != UInt8(ascii: "\n") else { break }
      bytes.append(byte)
    }
    return bytes
  }
}

extension String {
  fileprivate var trimmed: Substring {
    drop(while: \.isWhitespace).prefix { !$0.isWhitespace }
  }
}

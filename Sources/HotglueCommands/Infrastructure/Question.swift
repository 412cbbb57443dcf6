import HotglueCore

extension Output {
  /// Asks a person before something is lost. Returns when the answer is yes, or `--yes` was given.
  ///
  /// Off a terminal and with `--no-input` nothing is asked, and what is piped in is left alone: the
  /// command is refused and names the flag. So it is when the answer is not yes.
  func confirm(_ question: String) throws {
    if options.yes { return }
    guard !options.noInput, environment.isTerminal(.input), environment.isTerminal(.error) else {
      throw CommandError.needsConfirmation(
        "this must be confirmed: \(question)", hint: "add --yes to answer yes")
    }
    environment.errorOutput.append(Visible.text(question) + " [y/N] ")
    try environment.errorOutput.flush()
    let answer = String(decoding: try line(), as: UTF8.self).lowercased()
    guard ["y", "yes"].contains(answer.trimmed) else {
      throw CommandError.needsConfirmation(
        "declined: nothing was changed", hint: "answer y, or add --yes")
    }
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

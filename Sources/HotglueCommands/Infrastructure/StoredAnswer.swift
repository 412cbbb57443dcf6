import HotglueCore

extension CommandError {
  /// Standard output cannot be written after a change was stored: the message says that it was, with what
  /// the command says it has stored, or with what the lost answer began with, which is or holds its ID.
  /// A second try would change more.
  func saying(what arguments: [String], lostBy output: ByteSink) -> CommandError {
    guard let answer = output.stored ?? Self.beginning(of: arguments, output.lost) else {
      return self
    }
    var refusal = self
    refusal.message +=
      answer.isEmpty ? "; the change is stored" : "; the change is stored: \(answer)"
    refusal.facts.append(JSON.Member("stored", answer.isEmpty ? .bool(true) : .string(answer)))
    return refusal
  }

  /// `nil` for a command that stored nothing.
  private static func beginning(of arguments: [String], _ lost: [UInt8]) -> String? {
    guard case .command(let command, let rest) = Dispatch.decide(arguments),
      command.record.answersWithChange,
      !rest.prefix(while: { $0 != "--" }).contains("--dry-run")
    else { return nil }
    let first = String(decoding: lost.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    let id = (try? JSON.parse(first))?["id"]
    return id?.stringValue ?? id?.integerValue.map { String($0) } ?? String(first.prefix(200))
  }
}

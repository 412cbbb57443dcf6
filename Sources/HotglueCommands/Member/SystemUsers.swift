import Glibc
import HotglueCore

/// Users of the system, read from its file: a fully static program cannot ask the name service.
enum SystemUsers {
  /// The login name that a name or a number stands for. A number that the file does not list is a
  /// user all the same, of a name service; so such users are named by their numbers.
  static func loginName(of text: String) throws -> String {
    let entries = try entries()
    if entries.contains(where: { $0.name == text }) { return text }
    if let number = UInt32(text) {
      return entries.first { $0.id == number }?.name ?? String(number)
    }
    let near = NearMatch.among(entries.map(\.name), to: text)
    throw CommandError(
      "unknown_user", .notFound, "no user '\(text)' in /etc/passwd",
      hint: near.isEmpty
        ? "give the number of a user that another service knows: 'id -u USER'"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?",
      facts: [JSON.Member("user", .string(text))])
  }

  private static func entries() throws -> [(name: String, id: UInt32)] {
    guard let file = fopen("/etc/passwd", "re") else { throw SystemError("open", "/etc/passwd") }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var size = 0
    defer { free(line) }
    var found: [(name: String, id: UInt32)] = []
    while getline(&line, &size, file) > 0, let line {
      let fields = String(cString: line).split(separator: ":", omittingEmptySubsequences: false)
      if fields.count >= 3, let id = UInt32(fields[2]) { found.append((String(fields[0]), id)) }
    }
    return found
  }
}

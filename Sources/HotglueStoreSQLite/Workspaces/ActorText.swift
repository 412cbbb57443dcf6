import HotglueCore
import HotglueStore

extension Actor {
  /// As it is kept of somebody who has begun something. What it may do is judged when it begins, and is
  /// not kept.
  var text: String {
    JSON.object([
      JSON.Member("user", .string(user)), JSON.Member("command", .string(command)),
      JSON.Member("origin", .string(workspaceOrigin)), JSON.Member("terminal", .text(terminal)),
      JSON.Member("job", .optional(job)),
    ]).text
  }

  /// Reads what `text` wrote; `nil` when it is not that.
  init?(text: String) {
    guard let json = try? JSON.parse(Array(text.utf8)), let user = json["user"]?.stringValue,
      let command = json["command"]?.stringValue, let origin = json["origin"]?.stringValue
    else { return nil }
    self.init(
      user: user, command: command, workspaceOrigin: origin,
      terminal: json["terminal"]?.stringValue, job: json["job"]?.integerValue)
  }
}

import Glibc
import HotglueCore

/// Says on descriptor 3 how far this attempt is and what came of it.
struct AttemptVoice {
  private static let descriptor: Int32 = 3

  /// What this process starts does not get the descriptor: it would speak for the attempt.
  init() { _ = fcntl(Self.descriptor, F_SETFD, FD_CLOEXEC) }

  /// A supervisor that is gone hears nothing; who comes next judges by the exit status.
  func say(_ line: HandlerLine) {
    let bytes = Array((line.json.text + "\n").utf8)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(Self.descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}

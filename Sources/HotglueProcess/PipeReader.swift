import CSupervisor
import Glibc

/// Reads pipes that do not block, piece by piece, always into the same room.
struct PipeReader {
  private var room = [UInt8](repeating: 0, count: 256 << 10)

  /// Gives `take` a piece, or with `takesAll` all that is there now, and no more than that and a piece:
  /// whoever still writes does not keep this going. False at the end of the pipe.
  mutating func read(
    _ descriptor: Int32, takesAll: Bool, _ take: (UnsafeBufferPointer<UInt8>) -> Void
  ) throws(ProcessError) -> Bool {
    var left = takesAll ? Int(hg_pipe_unread(descriptor)) : 0
    repeat {
      let count = room.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { return false }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EAGAIN { return true }
        throw .system(call: "read", path: nil, errno: errno)
      }
      left -= count
      room.withUnsafeBufferPointer { take(UnsafeBufferPointer(rebasing: $0[..<count])) }
    } while left > 0
    return true
  }
}

import Glibc

/// Where a command writes to, with a buffer in front.
///
/// A reader that went away is no error: from then on everything is dropped. Any other failure is
/// kept and thrown by `flush`, since a result that was lost must not end with status 0.
public final class ByteSink {
  private var buffer: [UInt8] = []
  private let write: (_ bytes: [UInt8]) throws(SystemError) -> Void
  /// The first failure there was, but for a reader that went away.
  private(set) var failure: SystemError?
  /// The reader is gone; what would go on for long may stop.
  public private(set) var isClosed = false
  /// How the bytes began that could not be written.
  private(set) var lost: [UInt8] = []
  /// The ID of what the command has stored, where its answer does not begin with that: told when the
  /// answer is lost.
  var stored: String?
  private static let capacity = 64 << 10
  /// What `write` writes to, so that a reader that goes away is noticed without a write.
  private let descriptor: Int32?

  public init(
    to descriptor: Int32? = nil, write: @escaping (_ bytes: [UInt8]) throws(SystemError) -> Void
  ) {
    self.descriptor = descriptor
    self.write = write
  }

  /// For `poll`, which tells of nothing here but that the reader is gone.
  var watched: pollfd { pollfd(fd: descriptor ?? -1, events: 0, revents: 0) }

  /// Takes what `poll` has told of `watched`.
  func take(_ polled: pollfd) {
    if polled.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { isClosed = true }
  }

  public func append(_ text: String) { append(text.utf8) }

  public func append(_ bytes: some Sequence<UInt8>) {
    guard !isClosed, failure == nil else { return }
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.capacity { drain() }
  }

  /// Writes what is buffered; throws the first failure there was.
  public func flush() throws(SystemError) {
    drain()
    if let failure { throw failure }
  }

  private func drain() {
    guard !buffer.isEmpty, !isClosed, failure == nil else { return }
    do {
      try write(buffer)
    } catch  where error.code == EPIPE {
      isClosed = true
    } catch {
      failure = error
      lost = Array(buffer.prefix(4096))
    }
    buffer.removeAll(keepingCapacity: true)
  }
}

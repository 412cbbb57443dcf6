import CZlib
import HotglueProcess

/// A file of a BATCH message, plain or compressed with gzip, read a piece at a time.
final class BatchFile {
  private let file: gzFile
  private let path: String
  private var room = [UInt8](repeating: 0, count: 256 << 10)

  struct Failure: Error {
    let reason: String
  }

  /// `url` is a `file:` URL or a path.
  init(url: String) throws(Failure) {
    path = try Self.path(of: url)
    let descriptor: Int32
    do throws(RegularFile.Refusal) {
      descriptor = try RegularFile.open(path)
    } catch {
      throw Failure(reason: error.reason)
    }
    guard let opened = gzdopen(descriptor, "r") else {
      RegularFile.close(descriptor)
      throw Failure(reason: "it cannot be opened")
    }
    file = opened
    gzbuffer(file, 128 << 10)
  }

  deinit { gzclose_r(file) }

  /// Runs `body` with the next piece; false at the end. A file that ends too early is a failure.
  func next<E: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(E) -> Void
  ) throws(PieceError<E>) -> Bool {
    let file = file
    let count = room.withUnsafeMutableBytes { gzread(file, $0.baseAddress, UInt32($0.count)) }
    var code: Int32 = Z_OK
    if count <= 0 {
      let text = gzerror(file, &code).map { String(cString: $0) } ?? ""
      if count < 0 || code != Z_OK {
        throw .file(Failure(reason: text.isEmpty ? "it is damaged" : text))
      }
      return false
    }
    do throws(E) {
      try room.withUnsafeBufferPointer { (bytes) throws(E) in
        try body(UnsafeBufferPointer(rebasing: bytes[..<Int(count)]))
      }
    } catch {
      throw .body(error)
    }
    return true
  }

  enum PieceError<E: Error>: Error {
    case file(Failure)
    case body(E)
  }

  /// The path that a `file:` URL names on this machine.
  static func path(of url: String) throws(Failure) -> String {
    guard let colon = url.firstIndex(of: ":"), !url.hasPrefix("/") else { return url }
    guard url[..<colon].lowercased() == "file" else {
      throw Failure(reason: "only files of this machine are read")
    }
    var rest = url[url.index(after: colon)...]
    if rest.hasPrefix("//") {
      rest = rest.dropFirst(2)
      if rest.hasPrefix("localhost/") { rest = rest.dropFirst("localhost".count) }
    }
    guard rest.hasPrefix("/") else { throw Failure(reason: "it names another machine") }
    var bytes: [UInt8] = []
    var escaped: [UInt8] = []
    for byte in rest.utf8 {
      if byte == UInt8(ascii: "%") || !escaped.isEmpty {
        escaped.append(byte)
        guard escaped.count == 3 else { continue }
        guard let code = UInt8(String(decoding: escaped.dropFirst(), as: UTF8.self), radix: 16),
          code != 0
        else { throw Failure(reason: "its URL is not valid") }
        bytes.append(code)
        escaped = []
      } else {
        bytes.append(byte)
      }
    }
    guard escaped.isEmpty else { throw Failure(reason: "its URL is not valid") }
    return String(decoding: bytes, as: UTF8.self)
  }
}

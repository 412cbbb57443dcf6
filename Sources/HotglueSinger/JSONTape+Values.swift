import HotglueCore

/// What the values of a line say.
extension JSONTape {
  func raw(_ node: JSONTape.Node) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: bytes[Int(node.start)..<Int(node.end)])
  }

  /// The bytes of a text without its quotes: what it says, unless it `isEscaped`.
  func inner(_ node: JSONTape.Node) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: bytes[Int(node.start) + 1..<Int(node.end) - 1])
  }

  func text(_ node: JSONTape.Node) -> String {
    guard node.isEscaped else { return String(decoding: inner(node), as: UTF8.self) }
    return json(node).stringValue ?? ""
  }

  /// The value as a tree.
  func json(_ node: JSONTape.Node) -> JSON {
    do throws(JSONError) {
      return try JSON.parse(Array(raw(node)))
    } catch {
      // The tape accepts what the reader accepts, so this is not reached.
      return .null
    }
  }

  func isText(_ node: JSONTape.Node, _ wanted: StaticString) -> Bool {
    guard node.kind == .string else { return false }
    let own = inner(node)
    guard own.count == wanted.utf8CodeUnitCount else { return false }
    for index in 0..<own.count where own[index] != wanted.utf8Start[index] { return false }
    return true
  }
}

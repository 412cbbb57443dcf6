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

  private static let nonFiniteReason = "NaN and Infinity are not JSON values"

  /// What makes the text unreadable as JSON although it has its form, and the range of bytes of it.
  var oddity: (range: ClosedRange<Int>, reason: String)? {
    if let halves { return (halves, Message.halfReason) }
    if let nonFinites { return (nonFinites, Self.nonFiniteReason) }
    return nil
  }

  /// Where something odd lies in this value, and what it is; `nil`: the value can be read.
  func oddity(in node: JSONTape.Node) -> (byte: Int, reason: String)? {
    guard let oddity, isOdd(node) else { return nil }
    let halves = halves.map { ($0, Message.halfReason) }
    let nonFinites = nonFinites.map { ($0, Self.nonFiniteReason) }
    for case .some((let range, let reason)) in [halves, nonFinites] {
      for byte in [range.lowerBound, range.upperBound]
      where byte >= node.start && byte < node.end {
        return (byte, reason)
      }
    }
    return (Int(node.start), oddity.reason)
  }

  /// Whether a value has something odd in it, and so cannot be read.
  func isOdd(_ node: JSONTape.Node) -> Bool {
    guard oddity != nil else { return false }
    do throws(JSONError) {
      _ = try JSON.parse(Array(raw(node)))
      return false
    } catch {
      return true
    }
  }

  /// The names and numbers that lead from a value to the one in it where a byte lies, outermost first.
  /// A byte of a name lies in the object.
  func path(to byte: Int, in index: Int) -> [String] {
    var path: [String] = []
    var index = index
    while let step = step(towards: byte, from: index) {
      path.append(step.name)
      index = step.index
    }
    return path
  }

  private func step(towards byte: Int, from index: Int) -> (name: String, index: Int)? {
    let isObject = self[index].kind == .object
    let end = Int(self[index].next)
    var place = index + 1
    var number = 0
    while place < end {
      let value = isObject ? place + 1 : place
      if byte < self[value].end {
        if !isObject { return (String(number), value) }
        return byte < self[place].end ? nil : (text(self[place]), value)
      }
      place = Int(self[value].next)
      number += 1
    }
    return nil
  }

  func isText(_ node: JSONTape.Node, _ wanted: StaticString) -> Bool {
    guard node.kind == .string else { return false }
    let own = inner(node)
    guard own.count == wanted.utf8CodeUnitCount else { return false }
    for index in 0..<own.count where own[index] != wanted.utf8Start[index] { return false }
    return true
  }
}

/// What a tap gave as its place in the source (Singer calls it STATE): opaque, kept as it was written.
public struct Bookmark: Hashable, Sendable {
  /// A JSON text.
  public let text: String

  public init(text: String) { self.text = text }

  /// Whether it says nothing: `{}`, `null`, or objects and lists that hold nothing else.
  public static func isEmpty(_ value: JSON) -> Bool {
    switch value {
    case .null: true
    case .array(let values): values.allSatisfy(isEmpty)
    case .object(let members): members.allSatisfy { isEmpty($0.value) }
    case .bool, .number, .string: false
    }
  }

  /// The bookmark after a tap said `said`: an empty one never replaces a filled one, because a tap that
  /// says `{}` at its start would else make the next run begin from nothing.
  public static func after(_ said: JSON, current: Bookmark?) -> Bookmark? {
    isEmpty(said) && current != nil ? current : Bookmark(text: said.text)
  }

  /// Whether `next` is before `current` for this stream; `nil` where the two cannot be compared.
  public static func isBackwards(_ next: JSON?, from current: JSON?) -> Bool? {
    switch (next, current) {
    case (.string(let next), .string(let current)):
      if let new = Timestamp(rfc3339: next), let old = Timestamp(rfc3339: current) {
        return new < old
      }
      return nil
    case (.number(let next), .number(let current)):
      guard let new = ExactDecimal(next.utf8), let old = ExactDecimal(current.utf8) else {
        return nil
      }
      return new < old
    default: return nil
    }
  }
}

extension Bookmark {
  /// This bookmark without what it says of some streams, so that a tap sends those from their beginning;
  /// `nil` where it does not keep streams apart, and all of them begin anew.
  public func without(_ streams: [String]) -> Bookmark? {
    guard !streams.isEmpty else { return self }
    let value: JSON
    do throws(JSONError) {
      value = try JSON.parse(text)
    } catch {
      return nil
    }
    func rest(_ members: [JSON.Member]) -> JSON {
      .object(members.filter { !streams.contains($0.key) })
    }
    if let members = value["bookmarks"]?.members {
      return Bookmark(text: value.setting("bookmarks", rest(members)).text)
    }
    guard let members = value.members,
      streams.contains(where: { name in members.contains { $0.key == name } })
    else { return nil }
    return Bookmark(text: rest(members).text)
  }
}

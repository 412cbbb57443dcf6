import HotglueCore

/// The values of an `enum`, found by what they mean: neither the order of an object's members nor the
/// spelling of a number counts, as in `JSON.isEquivalent`.
struct ChoiceSet {
  private let forms: Set<[UInt8]>

  init(_ values: [JSON]) { forms = Set(values.map(\.equivalenceForm)) }

  func contains(_ value: JSON) -> Bool { forms.contains(value.equivalenceForm) }

  /// A string by its bytes, which are its text.
  func contains(text: UnsafeBufferPointer<UInt8>) -> Bool {
    var form = [UInt8(ascii: "\"")]
    form.append(contentsOf: text)
    form.append(UInt8(ascii: "\""))
    return forms.contains(form)
  }
}

import Testing

@testable import HotglueStoreSQLite

@Suite("whether two records say the same")
struct RecordComparisonTests {
  private func isSame(_ left: String, _ right: String, ignoring: [String] = []) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    return left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        RecordComparison.isSame(left, right, ignoring: ignoring)
      }
    }
  }

  @Test(
    "the order of members and the spelling of texts do not count",
    arguments: [
      (#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#), (#"{"a":"é"}"#, #"{"a":"\u00e9"}"#),
      (#"{"a":"x\/y"}"#, #"{"a":"x/y"}"#), (#"{"\u0061":1}"#, #"{"a":1}"#),
      (#"{"o":{"x":[1,{"y":"\n"}],"z":0}}"#, #"{"o":{"z":0,"x":[1,{"y":"\u000a"}]}}"#),
      (#"{"a":"\\","b":1}"#, #"{"b":1,"a":"\u005c"}"#), ("{}", "{}"),
    ])
  func same(_ left: String, _ right: String) {
    #expect(isSame(left, right))
    #expect(isSame(right, left))
  }

  @Test(
    "values, digits of numbers and the order of lists do",
    arguments: [
      (#"{"a":1,"b":2}"#, #"{"a":2,"b":1}"#), (#"{"a":1}"#, #"{"a":1.0}"#),
      (#"{"a":[1,2]}"#, #"{"a":[2,1]}"#), (#"{"a":"12"}"#, #"{"a":"21"}"#),
      (#"{"a":1}"#, #"{"a":1,"b":2}"#), (#"{"a":null}"#, #"{}"#), (#"{"a":"1"}"#, #"{"a":1}"#),
      (#"{"a":"\n","b":1}"#, #"{"a":"\n","b":10}"#), (#"{"a":"\n","b":1}"#, #"{"a":"\n"}"#),
      (#"{"a":"e\u0301"}"#, #"{"a":"\u00e9"}"#), (#"{"ab":1,"cd":2}"#, #"{"ad":1,"cb":2}"#),
      (#"{"a":"\n","b":{"c":1}}"#, #"{"a":"\n","b":{"c":2}}"#),
    ])
  func other(_ left: String, _ right: String) {
    #expect(!isSame(left, right))
    #expect(!isSame(right, left))
  }

  @Test("members that are left out do not count, whatever they hold and wherever they stand")
  func ignored() {
    let left = #"{"id":1,"t":{"x":"},{\"","y":[1,2]},"v":"a\n"}"#
    #expect(isSame(left, #"{"id":1,"t":5,"v":"a\n"}"#, ignoring: ["t"]))
    #expect(isSame(left, #"{"v":"a\n","id":1,"t":"later"}"#, ignoring: ["t"]))
    #expect(isSame(left, #"{"id":1,"v":"a\n"}"#, ignoring: ["t"]))
    #expect(!isSame(left, #"{"id":2,"t":5,"v":"a\n"}"#, ignoring: ["t"]))
    #expect(!isSame(left, #"{"id":1,"t":5,"v":"b\n"}"#, ignoring: ["t"]))
    #expect(!isSame(#"{"o":{"t":1}}"#, #"{"o":{"t":2}}"#, ignoring: ["t"]))
  }
}

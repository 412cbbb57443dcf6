extension Sequence<Int64> {
  /// The numbers as ranges without a gap, in ascending order.
  var closedRanges: [ClosedRange<Int64>] {
    var found: [ClosedRange<Int64>] = []
    for number in sorted() {
      if let last = found.last, number <= last.upperBound + 1 {
        found[found.count - 1] = last.lowerBound...Swift.max(last.upperBound, number)
      } else {
        found.append(number...number)
      }
    }
    return found
  }
}

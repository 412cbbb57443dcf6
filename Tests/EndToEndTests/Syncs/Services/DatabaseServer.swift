/// A database that a test starts, changes with SQL and reads with SELECT.
///
/// The scenario has SQL that all of them take; what differs between them is here.
protocol DatabaseServer: AnyObject {
  func execute(_ sql: String) throws

  /// The rows of a query: a line each, columns separated by '|', NULL as 'NULL'.
  func rows(_ sql: String) throws -> [String]

  /// The configuration of its taps and targets, which differ in what they call the database.
  func config(_ more: [String: Any]) -> [String: Any]

  /// Makes the two schemas `shop` and `sales`.
  func createSchemas() throws

  /// An integer key, as this database counts rows where it can.
  var keyType: String { get }

  /// SQL that makes text of a column of numbers.
  func retypeToText(_ table: String, _ column: String) -> String
}

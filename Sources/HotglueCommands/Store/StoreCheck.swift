import ArgumentParser
import HotglueCore
import HotglueStore

struct StoreCheck: StoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "look for anything that is wrong in the store",
    discussion: "Ends with status 1 when there are findings.")
  static let record = CommandRecord(
    "store check", .readsStore, requires: .none)

  @OptionGroup var global: GlobalOptions

  func run(in session: StoreSession) throws -> ExitStatus {
    let findings = try session.store.check()
    let output = session.output
    if output.isJSON {
      output.object(
        .object([
          JSON.Member("store", .string(session.context.store)),
          JSON.Member("sound", .bool(findings.isEmpty)),
          JSON.Member("findings", .strings(findings)),
        ]))
    } else {
      for finding in findings { output.line(finding) }
      if findings.isEmpty { output.note("the store '\(session.context.store)' is sound") }
    }
    return findings.isEmpty ? .done : .unsuccessful
  }
}

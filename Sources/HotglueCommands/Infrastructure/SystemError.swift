import Glibc
import HotglueCore
import HotglueFiles
import HotglueProcess

/// A call to the operating system that failed.
public struct SystemError: Error, Hashable, Sendable {
  /// What was tried, as in 'cannot OPERATION …'.
  public var operation: String
  public var path: String
  public var code: Int32

  public init(_ operation: String, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// The call that failed just now.
  public init(_ operation: String, _ path: String) {
    self.init(operation, path, code: errno)
  }

  init(_ error: FileError) { self.init(error.step, error.path, code: error.code) }

  /// A step of the file kit, with its failure as one of these.
  @discardableResult
  static func of<T>(_ step: () throws(FileError) -> T) throws(SystemError) -> T {
    do throws(FileError) { return try step() } catch { throw SystemError(error) }
  }

  /// The system's words for the code, lower-case.
  public var reason: String {
    guard let text = strerror(code) else { return "error \(code)" }
    let words = String(cString: text)
    return words.prefix(1).lowercased() + words.dropFirst()
  }
}

extension CommandEnvironment {
  /// Why `command` could not be executed: the system's words, and the interpreter of a script.
  func executionFailure(_ command: String, code: Int32, in directory: String? = nil) -> String {
    AttemptEnd.reason(
      SystemError("execute", command, code: code).reason,
      interpreter: ScriptInterpreter.of(command, path: variables["PATH"], in: directory))
  }
}

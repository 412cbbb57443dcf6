import Foundation

/// The repository this test is part of, read as files.
enum Repository {
  static let root: URL = {
    var folder = URL(filePath: #filePath)
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    return folder
  }()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: path).path)
  }

  static func isExecutable(_ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: root.appending(path: path).path)
  }

  /// The names in a folder, sorted; folders among them too.
  static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
  }

  /// The targets of the package: the directories in `Sources` that hold code.
  static func targets() throws -> [String] {
    try names(in: "Sources").filter { $0 != "README.md" && $0 != "Decisions" }
  }

  /// Every file below a folder, as paths from the root, sorted.
  static func files(under folder: String, suffix: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
      .filter { $0.hasSuffix(suffix) }
      .map { folder + "/" + $0 }
      .sorted()
  }

  /// The executable under test: the release build that `Scripts/test` names, else the debug
  /// build that `swift test` has just made beside the tests.
  static var binary: URL {
    if let path = ProcessInfo.processInfo.environment["HOTGLUE_BINARY"], !path.isEmpty {
      return URL(filePath: path)
    }
    return root.appending(path: ".build/debug/hotglue")
  }

  /// Runs a program to its end, in the root, and returns what it did. Standard output goes
  /// through a file, so that nothing can fill a pipe nobody reads.
  static func run(
    _ program: URL, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (status: Int32, output: String) {
    let output = FileManager.default.temporaryDirectory
      .appending(path: "hotglue-repository-\(UUID().uuidString)")
    try Data().write(to: output)
    defer { try? FileManager.default.removeItem(at: output) }

    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = root
    process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
      .merging(environment) { _, new in new }
    let handle = try FileHandle(forWritingTo: output)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    process.waitUntilExit()
    try handle.close()
    return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
  }
}

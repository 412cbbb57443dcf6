import CSupervisor

/// The interpreter of a script that could not be executed: the system's error names the script alone.
public enum ScriptInterpreter {
  /// What the first line of the script names which `command` means; `nil` when it is none. `path` is the
  /// PATH that it was looked for along, `directory` where it was to run.
  public static func of(
    _ command: String, path: String?, in directory: String? = nil
  ) -> String? {
    var name = command
    if let directory, command.contains("/"), !command.hasPrefix("/") {
      name = "\(directory)/\(command)"
    }
    var bytes = [CChar](repeating: 0, count: Int(HG_QUOTE_BYTES))
    hg_script_interpreter(name, path ?? "/bin:/usr/bin", &bytes)
    let text = bytes.withUnsafeBufferPointer { buffer in
      String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    return text.isEmpty ? nil : text
  }
}

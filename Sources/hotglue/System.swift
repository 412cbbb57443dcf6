import Glibc
import HotglueCommands
import HotglueCore

/// The calls to the operating system behind `CommandEnvironment.live`.
enum System {
  /// Makes standard streams that are closed fail as such: else the first file that is opened takes
  /// the number, and what is meant for the stream goes into it.
  static func holdStandardStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO
    where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest number that is free is this one. Opened the wrong way round, it fails with EBADF.
      // A program that is executed finds the stream closed, as it was given.
      _ = open("/dev/null", (descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC)
    }
  }

  /// The arguments without the program's name; `nil` when one is not UTF-8.
  static func arguments() -> [String]? {
    var arguments: [String] = []
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let bytes = CommandLine.unsafeArgv[index],
        let text = String(validatingCString: bytes)
      else { return nil }
      arguments.append(text)
    }
    return arguments
  }

  /// The environment; `others` are the names of variables whose values are not UTF-8.
  static func variables() -> (texts: [String: String], others: Set<String>) {
    var variables: [String: String] = [:]
    var others: Set<String> = []
    var entry = environ
    while let bytes = entry.pointee {
      entry += 1
      guard let equals = strchr(bytes, Int32(UInt8(ascii: "="))) else { continue }
      let length = equals - bytes
      let name = UnsafeBufferPointer(start: bytes, count: length).withMemoryRebound(to: UInt8.self)
      {
        String(validating: $0, as: UTF8.self)
      }
      guard let name else { continue }
      if let value = String(validatingCString: equals + 1) {
        variables[name] = value
      } else {
        others.insert(name)
      }
    }
    return (variables, others)
  }

  static func currentDirectory() -> CurrentDirectory {
    guard let path = getcwd(nil, 0) else { return .gone }
    defer { free(path) }
    if let text = String(validatingCString: path) { return .path(text) }
    return .notUTF8(
      UnsafeBufferPointer(start: path, count: strlen(path)).map { UInt8(bitPattern: $0) })
  }

  /// Can be read only by setting it; no other thread runs yet.
  static func umask() -> FileMask {
    let mask = Glibc.umask(0o077)
    _ = Glibc.umask(mask)
    return FileMask(bits: UInt16(truncatingIfNeeded: mask))
  }

  static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// A random UUID (version 4 of RFC 9562).
  static func newID() -> String {
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The login name from the system's file: a fully static program cannot ask the name service.
  static func userName() -> String {
    let id = geteuid()
    guard let file = fopen("/etc/passwd", "re") else { return String(id) }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var size = 0
    defer { free(line) }
    while getline(&line, &size, file) > 0, let line {
      let fields = UnsafeBufferPointer(start: line, count: strlen(line))
        .map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: ":"), maxSplits: 3)
      // A name that is not text cannot be recorded: the number names the user as well.
      if fields.count >= 3, String(validating: fields[2], as: UTF8.self).flatMap(UInt32.init) == id
      {
        return String(validating: fields[0], as: UTF8.self) ?? String(id)
      }
    }
    return String(id)
  }

  static func terminalName() -> String? {
    for descriptor in [STDIN_FILENO, STDERR_FILENO, STDOUT_FILENO] where isatty(descriptor) == 1 {
      var buffer = [CChar](repeating: 0, count: 256)
      if ttyname_r(descriptor, &buffer, buffer.count) == 0 {
        return buffer.withUnsafeBufferPointer {
          $0.baseAddress.flatMap { String(validatingCString: $0) }
        }
      }
    }
    return nil
  }

  static func terminalSize(_ stream: StandardStream) -> TerminalSize? {
    guard isatty(stream.rawValue) == 1 else { return nil }
    var size = winsize()
    guard ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    // A serial line may not know its rows.
    return TerminalSize(columns: Int(size.ws_col), rows: size.ws_row > 0 ? Int(size.ws_row) : 24)
  }

  static func read(
    _ descriptor: Int32, _ name: String, _ count: Int
  ) throws(SystemError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    while true {
      let got = Glibc.read(descriptor, &buffer, count)
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw SystemError("read", name) }
      buffer.removeLast(count - got)
      return buffer
    }
  }

  static func write(
    _ bytes: [UInt8], to descriptor: Int32, _ name: String
  ) throws(SystemError) {
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress.map { $0 + start }, bytes.count - start)
      }
      if count > 0 {
        start += count
      } else if errno == EAGAIN {
        // Someone else's non-blocking descriptor: wait until it takes more.
        var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wait, 1, -1)
      } else if errno != EINTR {
        throw SystemError("write", name)
      }
    }
  }
}

import CSupervisor
import Glibc

/// A process as `/proc` shows it at one moment. Looking at one asks, locks and disturbs nothing.
public struct SeenProcess: Hashable, Sendable {
  public var pid: Int32
  /// Clock ticks since boot.
  public var startTime: UInt64
  /// Stopped by a signal or a debugger: it does nothing until somebody wakes it.
  public var isFrozen: Bool

  /// `nil`: there is no such process, or it has ended and was not reaped yet.
  public init?(_ pid: Int32) {
    var start: UInt64 = 0
    var state: CChar = 0
    guard pid > 0, hg_process_start(pid, &start, &state) == 0 else { return nil }
    let letter = UInt8(bitPattern: state)
    if letter == UInt8(ascii: "Z") || letter == UInt8(ascii: "X") { return nil }
    self.pid = pid
    startTime = start
    isFrozen = letter == UInt8(ascii: "T") || letter == UInt8(ascii: "t")
  }

  /// Whether it still lives, and is no other process with the same number.
  public var isStillThere: Bool { SeenProcess(pid)?.startTime == startTime }

  /// When it began, in milliseconds of the boot clock.
  public var beganMs: Int64 {
    let perSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
    return Int64(startTime * 1000 / perSecond)
  }

  /// The kernel's short name for it, at most 15 bytes.
  public var shortName: String? {
    smallFile("/proc/\(pid)/comm").map { String($0.prefix { $0 != "\n" }) }
  }

  /// Who started it, or has taken it on since.
  public var parent: Int32? {
    smallFile("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("PPid:") }?
      .split(whereSeparator: { $0 == "\t" || $0 == " " }).last.flatMap { Int32($0) }
  }

  /// Whether it has this file or folder open under any of its descriptors.
  public func hasOpen(_ file: FileIdentity) -> Bool {
    names(in: "/proc/\(pid)/fd").contains { FileIdentity("/proc/\(pid)/fd/\($0)") == file }
  }

  /// The files that it has open under this path and that are no longer there: removed or replaced.
  public func replacedFiles(at path: String) -> [FileIdentity] {
    let now = FileIdentity(path)
    return names(in: "/proc/\(pid)/fd").compactMap { name in
      let link = "/proc/\(pid)/fd/\(name)"
      var buffer = [CChar](repeating: 0, count: 4096)
      guard readlink(link, &buffer, buffer.count - 1) > 0 else { return nil }
      let shown = text(of: buffer)
      guard shown == path || shown == path + " (deleted)", let file = FileIdentity(link),
        file != now
      else { return nil }
      return file
    }
  }

  /// Every process of this PID namespace.
  public static func all() -> [SeenProcess] {
    names(in: "/proc").compactMap { Int32($0) }.sorted().compactMap { SeenProcess($0) }
  }

  /// The command line's first words, for people.
  public var words: String {
    let text = smallFile("/proc/\(pid)/cmdline") ?? ""
    let words = text.split(separator: "\0").prefix(3).enumerated().map { index, word in
      index == 0 ? String(word.split(separator: "/").last ?? word) : String(word)
    }
    if !words.isEmpty { return words.joined(separator: " ") }
    return smallFile("/proc/\(pid)/comm").map { String($0.prefix { $0 != "\n" }) } ?? "a process"
  }

  /// Its environment when it was executed, `NAME=VALUE` each; `nil` where it may not be read.
  public var environment: [String]? {
    smallFile("/proc/\(pid)/environ")?.split(separator: "\0").map(String.init)
  }

  /// The file that it executes.
  public var executable: SeenExecutable? { SeenExecutable("/proc/\(pid)/exe") }

  /// How it has a file open; `nil`: not at all, or its descriptors may not be looked at.
  public func opening(of file: FileIdentity) -> FileOpening? {
    var opening: FileOpening?
    for name in names(in: "/proc/\(pid)/fd") {
      guard FileIdentity("/proc/\(pid)/fd/\(name)") == file else { continue }
      let flags = smallFile("/proc/\(pid)/fdinfo/\(name)")?.split(separator: "\n")
        .first { $0.hasPrefix("flags:") }?.split(whereSeparator: { $0 == "\t" || $0 == " " }).last
      let mode = flags.flatMap { Int32($0, radix: 8) }.map { $0 & O_ACCMODE } ?? O_RDWR
      if mode != O_RDONLY { return .writable }
      opening = .readOnly
    }
    return opening
  }
}

public enum FileOpening: Sendable { case readOnly, writable }

/// Which file it is, also after a reboot that gives its device another number. A copy has another
/// inode, or was born later.
public func fileOrigin(_ path: String) -> String? {
  var inode: UInt64 = 0
  var birth: Int64 = 0
  guard hg_file_birth(path, &inode, &birth) == 0 else { return nil }
  return "\(inode):\(birth)"
}

/// Which file it is, whatever it is called.
public struct FileIdentity: Hashable, Sendable {
  public var device: UInt64
  public var inode: UInt64

  /// `nil`: there is no such file.
  public init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}

/// The program that a process runs.
public struct SeenExecutable: Hashable, Sendable {
  /// The last part of its path.
  public var name: String
  /// Where it was when it was started, or where it was moved to since; another file may stand there now.
  public var path: String
  /// The file was replaced or removed since.
  public var isReplaced: Bool
  public var identity: FileIdentity?

  init?(_ link: String) {
    var buffer = [CChar](repeating: 0, count: 4096)
    guard readlink(link, &buffer, buffer.count - 1) > 0 else { return nil }
    let shown = text(of: buffer)
    let deleted = " (deleted)"
    let running = FileIdentity(link)
    let isGone = shown.hasSuffix(deleted) && FileIdentity(shown) != running
    let plain = isGone ? String(shown.dropLast(deleted.count)) : shown
    path = plain
    identity = running
    isReplaced = isGone || FileIdentity(plain).map { $0 != running } ?? false
    name = plain.split(separator: "/").last.map(String.init) ?? plain
  }

  /// This program.
  public static var own: SeenExecutable? { SeenExecutable("/proc/self/exe") }

  /// What a supervisor of this process executes to start the program at `path` once more: the file that
  /// is there, after an upgrade the new one; and where none is left, the one that runs.
  public static func startable(_ path: String) -> String {
    access(path, X_OK) == 0 ? path : "/proc/self/exe"
  }
}

/// A file of the system as text; `nil` when it cannot be read.
func smallFile(_ path: String) -> String? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { Glibc.close(descriptor) }
  var bytes: [UInt8] = []
  var block = [UInt8](repeating: 0, count: 16_384)
  while bytes.count < 4 << 20 {
    let count = read(descriptor, &block, block.count)
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { break }
    bytes += block.prefix(count)
  }
  return String(decoding: bytes, as: UTF8.self)
}

import CSupervisor
import Glibc

/// When the parts of a log were written, as its supervisor noted it.
///
/// A file of pairs beside the log: what comes from an offset on was written at a moment. A log that was
/// written at one moment has no such file, and its own time tells.
final class LogTimes {
  private let paths: [String]
  private var descriptor: Int32 = -1
  private var entries: [(offset: Int64, ms: Int64)] = []

  /// `paths`: where the file may be.
  init(at paths: [String]) { self.paths = paths }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The file of a log's times.
  static func path(of log: String) -> String {
    (log.hasSuffix(".log") ? String(log.dropLast(4)) : log) + ".times"
  }

  /// When the byte at an offset of the log was written; `nil`: the log was written at one moment.
  func ms(at offset: Int64) -> Int64? {
    if (entries.last?.offset ?? -1) < offset { readOn() }
    guard !entries.isEmpty else { return nil }
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    return entries[max(0, low - 1)].ms
  }

  private func readOn() {
    for path in paths where descriptor < 0 {
      descriptor = hg_open_file(AT_FDCWD, path, O_RDONLY)
    }
    guard descriptor >= 0 else { return }
    var block = [Int64](repeating: 0, count: 2048)
    while true {
      let from = off_t(entries.count * 16)
      let got = block.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, $0.count, from)
      }
      let count = max(0, got) / 16
      for entry in 0..<count { entries.append((block[2 * entry], block[2 * entry + 1])) }
      if count < block.count / 2 { return }
    }
  }
}

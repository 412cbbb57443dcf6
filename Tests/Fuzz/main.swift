import Glibc

/// Gives inputs by chance to the readers of foreign input, each target in a process of its own: what ends
/// that process or keeps it for too long is a finding, too.
struct Options {
  var targets: [String] = []
  var seconds = 60
  var seed: UInt64 = 1
  var samples = ""
  var kept = ""
  /// Set for the process that carries a target out.
  var child: String?
  var until: Int64 = 0
  var replaysKept = false

  init() throws {
    var arguments = CommandLine.arguments.dropFirst()
    func value(_ flag: String) throws -> String {
      guard let text = arguments.popFirst() else { throw Finding("\(flag) needs a value") }
      return text
    }
    func number(_ flag: String) throws -> Int64 {
      guard let number = Int64(try value(flag)), number >= 0 else {
        throw Finding("\(flag) needs a number")
      }
      return number
    }
    while let word = arguments.popFirst() {
      switch word {
      case "--seconds": seconds = Int(clamping: try number(word))
      case "--seed": seed = UInt64(try number(word))
      case "--samples": samples = try value(word)
      case "--kept": kept = try value(word)
      case "--child": child = try value(word)
      case "--until": until = try number(word)
      case "--replay": replaysKept = true
      default:
        guard FuzzTargets.names.contains(word) else {
          throw Finding(
            "there is no target '\(word)': one of \(FuzzTargets.names.joined(separator: ", "))")
        }
        targets.append(word)
      }
    }
    if targets.isEmpty { targets = FuzzTargets.names }
  }
}

func milliseconds() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

func makeFolder() throws -> String {
  let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
  var template = Array("\(base)/hotglue-fuzz-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw Finding("cannot create a folder in \(base)") }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func removeAll(_ path: String) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  guard status.st_mode & S_IFMT == S_IFDIR else {
    unlink(path)
    return
  }
  for name in Files.names(in: path) { removeAll(path + "/" + name) }
  rmdir(path)
}

do {
  let options = try Options()
  if let name = options.child {
    exit(try Child(name, options).run())
  }
  var isGood = true
  for target in options.targets where try !Parent(target, options).run() { isGood = false }
  exit(isGood ? 0 : 1)
} catch {
  print("fuzz: \(error)")
  exit(70)
}

import Glibc
import HotglueCore
import HotglueStore
import HotglueStoreSQLite

/// Runs simulated schedules and says which seed broke which rule.
struct Options {
  var runs = 1
  var seed: UInt64 = 1
  var steps: Int?
  var isVerbose = false
  var keepsGoing = false

  init() throws {
    var arguments = CommandLine.arguments.dropFirst()
    func number(_ flag: String) throws -> UInt64 {
      guard let text = arguments.popFirst(), let value = UInt64(text) else {
        throw Violation(rule: "usage", text: "\(flag) needs a number")
      }
      return value
    }
    while let flag = arguments.popFirst() {
      switch flag {
      case "--runs": runs = Int(try number(flag))
      case "--seed": seed = try number(flag)
      case "--steps": steps = Int(try number(flag))
      case "--verbose": isVerbose = true
      case "--keep-going": keepsGoing = true
      default:
        throw Violation(
          rule: "usage",
          text: "simulate [--runs N] [--seed S] [--steps N] [--verbose] [--keep-going]")
      }
    }
  }
}

/// How long a schedule is when nobody says: mostly short ones, which reach as many states and cost
/// less, and one in forty of 2,000 steps, for what only comes with time.
func length(of seed: UInt64) -> Int { seed % 40 == 0 ? 2000 : 100 }

func milliseconds() -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

func simulate() throws -> Int32 {
  let options = try Options()
  // Memory, not disk: the schedule is what is tried here, and its steps wait for no disk. That what
  // is acknowledged is synced is tried elsewhere, with kills and faults under the real program.
  let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
  let folder = "\(base)/hotglue-simulate-\(getpid())"
  guard mkdir(folder, 0o700) == 0 else {
    throw Violation(rule: "simulation", text: "cannot make \(folder)")
  }
  defer { removeAll(folder) }

  var sum = Universe.Counters()
  var failed = 0
  let start = milliseconds()
  for index in 0..<options.runs {
    let seed = options.seed &+ UInt64(index)
    let steps = options.steps ?? length(of: seed)
    let place = "\(folder)/\(seed)"
    guard mkdir(place, 0o700) == 0 else {
      throw Violation(rule: "simulation", text: "cannot make \(place)")
    }
    let universe = try Universe(seed: seed, folder: place)
    do {
      try universe.run(steps: steps)
      if options.isVerbose { for line in universe.trace { print(line) } }
    } catch {
      failed += 1
      if !options.keepsGoing || options.isVerbose {
        for line in universe.trace.suffix(options.isVerbose ? 400 : 40) { print("  \(line)") }
      }
      print("seed \(seed), step \(universe.stepNumber): \(error)")
      print("again: Scripts/simulate --seed \(seed) --steps \(steps)")
    }
    sum.add(universe.counters)
    universe.tearDown()
    removeAll(place)
    if failed > 0, !options.keepsGoing { break }
    if (index + 1) % 10_000 == 0 {
      print("\(index + 1) runs")
      fflush(nil)
    }
  }
  let seconds = Double(milliseconds() - start) / 1000
  print(
    "\(options.runs) runs from seed \(options.seed): \(failed) failed; \(sum.steps) steps, \(sum.claims) claims, \(sum.starts) handlers, \(sum.ends) ends, \(sum.late) late words, \(sum.crashes) deaths, \(sum.restores) restores in \(seconds) s"
  )
  return failed == 0 ? 0 : 1
}

extension Universe.Counters {
  mutating func add(_ other: Self) {
    steps += other.steps
    claims += other.claims
    starts += other.starts
    ends += other.ends
    crashes += other.crashes
    restores += other.restores
    late += other.late
  }
}

func removeAll(_ path: String) {
  if let folder = opendir(path) {
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { removeAll(path + "/" + name) }
    }
    closedir(folder)
    rmdir(path)
  } else {
    unlink(path)
  }
}

do {
  exit(try simulate())
} catch {
  print("simulate: \(error)")
  exit(70)
}

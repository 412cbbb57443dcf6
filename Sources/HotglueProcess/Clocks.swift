import CSupervisor

/// Milliseconds since boot, the time asleep included: the clock of leases, stop sequences and time-outs.
/// It never jumps, and means nothing on another boot.
public enum BootClock {
  public static func now() -> Int64 { hg_boot_clock_ms() }
}

/// Milliseconds since 1970 UTC: the clock for people. It may jump.
public enum WallClock {
  public static func now() -> Int64 { hg_wall_clock_ms() }
}

/// `bytes` (at most 64) random bytes of the kernel as twice as many lower-case hexadecimal digits.
public func randomHex(bytes: Int) throws(ProcessError) -> String {
  precondition((1...64).contains(bytes))
  var digits = [CChar](repeating: 0, count: 2 * bytes + 1)
  try ProcessError.check(hg_random_hex(&digits, bytes), "getrandom")
  return text(of: digits)
}

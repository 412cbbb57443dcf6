public import HotglueCore

/// Wall clock and boot clock of a test: they stand still until the test moves them.
public struct ManualClock: Sendable {
  public var now: Timestamp
  public var boot: BootTime

  public init(
    now: Timestamp = Timestamp(milliseconds: 1_770_000_000_000),
    boot: BootTime = BootTime(bootID: "boot-1", milliseconds: 1_000_000)
  ) {
    self.now = now
    self.boot = boot
  }

  public mutating func advance(by span: Span) {
    now = now.advanced(by: span)
    boot = boot.advanced(by: span)
  }
}

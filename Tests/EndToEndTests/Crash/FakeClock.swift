import Foundation
import Testing

/// Runs hotglue under a wall clock of its own; the clocks that leases go by stay what they are.
///
/// The executable that is shipped is fully static, so nothing can be put before its clock. Used is the
/// debug build of the same sources, which loads the C library, and before it a few lines of C. (Not
/// libfaketime: it changes the environment before the program begins, and Swift finds the arguments
/// behind the environment.)
struct FakeClock {
  private let world: World
  private let binary: String
  private let variables: [String: String]

  private static let source = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static long offset(void) {
      char text[32] = "";
      const char *path = getenv("WALL_CLOCK");
      int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
      if (fd < 0) return 0;
      long got = read(fd, text, sizeof text - 1);
      close(fd);
      return got > 0 ? strtol(text, NULL, 10) : 0;
    }
    int clock_gettime(clockid_t clock, struct timespec *at) {
      int result = (int)syscall(SYS_clock_gettime, clock, at);
      if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) at->tv_sec += offset();
      return result;
    }
    int gettimeofday(struct timeval *restrict at, void *restrict zone) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      at->tv_sec = now.tv_sec;
      at->tv_usec = now.tv_nsec / 1000;
      return zone ? 0 : 0;
    }
    time_t time(time_t *at) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (at) *at = now.tv_sec;
      return now.tv_sec;
    }
    """

  init(_ world: World) throws {
    self.world = world
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    binary = URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/hotglue"
    try #require(
      FileManager.default.isExecutableFile(atPath: binary), "the debug build is at \(binary)")
    try Data(Self.source.utf8).write(to: world.folder.appendingPathComponent("clock.c"))
    let made = try world.command(
      "/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c"])
    try #require(made.status == 0, "\(made.errorOutput)")
    variables = [
      "LD_PRELOAD": world.folder.path + "/clock.so", "WALL_CLOCK": world.folder.path + "/clock",
    ]
    try set(0)
    let now = try findings()
    try #require(now == [])
  }

  static let day = 86_400

  /// Every process that runs under it sees the jump at once.
  func set(_ seconds: Int) throws {
    try Data("\(seconds)\n".utf8).write(
      to: world.folder.appendingPathComponent("clock"), options: .atomic)
  }

  @discardableResult
  func run(_ arguments: [String]) throws -> String {
    let result = try world.command(binary, arguments, extra: variables)
    try #require(result.status == 0, "\(arguments): \(result.errorOutput)")
    return result.output
  }

  func start(_ arguments: [String]) throws -> Process {
    try world.start(
      binary, arguments, input: nil, output: nil, errors: nil, extra: variables)
  }

  func findings() throws -> [String] { try codes("findings") }
  func notes() throws -> [String] { try codes("notes") }

  private func codes(_ name: String) throws -> [String] {
    let result = try world.command(binary, ["doctor", "--json"], extra: variables)
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let list = try #require((object as? [String: Any])?[name] as? [[String: Any]])
    return list.compactMap { $0["code"] as? String }
  }
}

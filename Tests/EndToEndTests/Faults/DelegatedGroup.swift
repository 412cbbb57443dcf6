import Foundation
import Testing

/// A control group of the kernel's second interface, with or without the mark that says that whoever
/// runs in it may make groups of its own. It needs root, and where no such hierarchy is mounted for
/// writing it mounts one.
final class DelegatedGroup {
  let path: String
  private let mounted: String?

  init(isDelegated: Bool = true) throws {
    let name = "hotglue-e2e-\(UUID().uuidString)"
    let writable = try Self.hierarchies().first(where: Self.isWritable)
    mounted = try writable == nil ? Self.mount() : nil
    let root = try #require(mounted ?? writable)
    path = "\(root)/\(name)"
    try #require(mkdir(path, 0o755) == 0, "no control group at \(path): errno \(errno)")
    guard isDelegated else { return }
    let isMarked = try Self.python(
      """
      import os, sys
      for name in 'user.delegate', 'trusted.delegate':
          try: os.setxattr(sys.argv[1], name, b'1'); sys.exit(0)
          except OSError: pass
      sys.exit(1)
      """, path)
    try #require(isMarked, "\(path) takes no attribute")
  }

  deinit {
    // Whatever the rules do, the test leaves nothing behind.
    try? "1".write(toFile: "\(path)/cgroup.kill", atomically: false, encoding: .utf8)
    var tries = 0
    while !Self.remove(path), tries < 500 {
      usleep(10_000)
      tries += 1
    }
    if let mounted {
      umount(mounted)
      rmdir(mounted)
    }
  }

  private static func remove(_ path: String) -> Bool {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      var status = stat()
      let below = "\(path)/\(name)"
      if lstat(below, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { _ = remove(below) }
    }
    return rmdir(path) == 0 || errno == ENOENT
  }

  private static func hierarchies() throws -> [String] {
    try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n")
      .filter { $0.contains(" - cgroup2 ") }
      .compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }
  }

  /// Whether the tests themselves run in a group that is delegated to them.
  static func holdsThisProcess() throws -> Bool {
    let own = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
      .split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3)
    guard let own else { return false }
    return try hierarchies().contains { mount in
      try python(
        """
        import os, sys
        try: marks = os.listxattr(sys.argv[1])
        except OSError: marks = []
        sys.exit(0 if any(name.endswith('.delegate') for name in marks) else 1)
        """, "\(mount)\(own)")
    }
  }

  /// Runs a script with the path as its argument; true when it ends well. Foundation knows no attributes.
  private static func python(_ script: String, _ path: String) throws -> Bool {
    let process = try Process.run(
      URL(fileURLWithPath: "/usr/bin/python3"), arguments: ["-c", script, path])
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  private static func isWritable(_ mount: String) -> Bool {
    let probe = "\(mount)/hotglue-e2e-probe-\(UUID().uuidString)"
    return mkdir(probe, 0o755) == 0 && rmdir(probe) == 0
  }

  private static func mount() throws -> String {
    let parent = FileManager.default.temporaryDirectory.path
    let folder = "\(parent)/hotglue-cgroup-\(UUID().uuidString)"
    try #require(mkdir(folder, 0o700) == 0)
    try #require(
      Glibc.mount("none", folder, "cgroup2", 0, nil) == 0,
      "no hierarchy of control groups is mounted for writing, nor can be: errno \(errno)")
    return folder
  }

  /// The groups that were made in it.
  var groups: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
      $0.hasPrefix("hotglue-")
    }
  }

  func processes(of group: String) -> [Int32] {
    let list = try? String(contentsOfFile: "\(path)/\(group)/cgroup.procs", encoding: .utf8)
    return (list ?? "").split(separator: "\n").compactMap { Int32($0) }
  }

  func isFrozen(_ group: String) -> Bool {
    let state = try? String(contentsOfFile: "\(path)/\(group)/cgroup.freeze", encoding: .utf8)
    return state == "1\n"
  }

  /// Sets one of the group's own bounds.
  func set(_ file: String, _ value: String) throws {
    let handle = try #require(FileHandle(forWritingAtPath: "\(path)/\(file)"))
    try handle.write(contentsOf: Data(value.utf8))
  }
}

extension World {
  /// Starts a worker in a control group, as a service manager does: it is there before it is executed.
  func start(_ arguments: [String], in group: DelegatedGroup) throws -> Process {
    let enter = "echo $$ >\"$0/cgroup.procs\" && exec \"$@\""
    return try start(program: "/bin/sh", ["-c", enter, group.path, binary] + arguments)
  }

  /// The same, to its end, which is a good one.
  func work(_ flags: [String], in group: DelegatedGroup) throws {
    let worker = try start(["job", "work", "-w", "main"] + flags, in: group)
    worker.waitUntilExit()
    try #require(worker.terminationStatus == 0)
  }
}

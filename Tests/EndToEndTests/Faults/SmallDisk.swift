import Foundation
import Testing

/// A world whose store lies on a small file system of its own.
final class SmallDisk {
  let world: World
  let disk: String

  init(_ size: String) throws {
    try #require(getuid() == 0, "the faults need root, to mount a small file system")
    world = try World(initialized: false)
    disk = world.folder.path + "/disk"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
    let mounted = try world.command(
      "/bin/mount", ["-t", "tmpfs", "-o", "size=\(size),mode=0700", "tmpfs", disk])
    try #require(mounted.status == 0, "mount: \(mounted.errorOutput)")
    let made = try world.command("/bin/sh", ["-c", "cd disk && exec hotglue init"])
    try #require(made.status == 0, "\(made.errorOutput)")
    world.environment["HOTGLUE_CONTEXT"] = disk + "/.hotglue/context.json"
    for name in ["main", "beta"] { try world.succeed(["workspace", "create", name]) }
    try world.succeed(["workspace", "switch", "main"])
  }

  deinit { umount2(disk, Int32(MNT_DETACH)) }

  var context: String {
    (try? String(contentsOfFile: disk + "/.hotglue/context.json", encoding: .utf8)) ?? ""
  }

  func fill() throws {
    _ = try world.command("/bin/dd", ["if=/dev/zero", "of=\(disk)/filler", "bs=4k"])
  }

  func empty() throws { try FileManager.default.removeItem(atPath: disk + "/filler") }

  func remount(_ mode: String) throws {
    let result = try world.command("/bin/mount", ["-o", "remount,\(mode)", disk])
    try #require(result.status == 0, "\(result.errorOutput)")
  }

  func enqueue(_ script: String) throws -> String {
    try world.succeed([
      "job", "enqueue", "-w", "main", "--cwd", world.folder.path, "--", "sh", "-c", script,
    ])
  }
}

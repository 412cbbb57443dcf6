import Foundation
import Testing

/// Drafts, with editors that are processes of their own.
@Suite(.serialized)
struct DraftTests {
  static let job = "[job]\ncommand = [\"echo\", \"hi\"]\n"

  /// An executable editor in the world's folder.
  private func editor(_ script: String, in world: World) throws -> String {
    let path = world.folder.appendingPathComponent("editor-\(UUID().uuidString)").path
    try ("#!/bin/sh\n" + script).write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  @Test("hotglue is killed while an editor is open: what was saved there is taken up, once it ends")
  func killedUnderAnEditor() throws {
    let world = try World()
    // It saves, waits to be told, and saves once more: nobody but the person knows when that is.
    let path = try editor(
      """
      printf '[job]\\n# first\\n' > "$1"; echo $$ > editor-pid
      until [ -e go ]; do sleep 0.02; done
      printf '[job]\\n# second\\n' > "$1"
      """, in: world)
    let hotglue = try world.start(["draft", "new", "job"], extra: ["EDITOR": path])
    try world.eventually("the editor is open") { world.lineCount("editor-pid") == 1 }
    kill(hotglue.processIdentifier, SIGKILL)
    // `waitUntilExit` would wait for the editor too.
    let status = "/proc/\(hotglue.processIdentifier)/status"
    try world.eventually("hotglue is dead") {
      let text = try? String(contentsOfFile: status, encoding: .utf8)
      return text?.contains("State:\tZ") ?? true
    }

    // The editor lives: the draft is neither taken from under it nor submitted.
    let shown = try world.succeed(["draft", "show", "1"])
    #expect(shown.contains("open, in an editor"))
    #expect(try world.run(["draft", "submit", "1"]).status == 75)
    #expect(try world.run(["draft", "edit", "1"], extra: ["EDITOR": "true"]).status == 75)
    #expect(try world.run(["workspace", "create", "beta"]).status == 0)
    #expect(try world.run(["workspace", "switch", "beta"]).status == 82)

    _ = FileManager.default.createFile(
      atPath: world.folder.appendingPathComponent("go").path, contents: nil)
    try world.eventually("the editor has ended") {
      try !world.succeed(["draft", "show", "1"]).contains("in an editor")
    }
    #expect(try world.run(["draft", "show", "1", "--text"]).output == "[job]\n# second\n")
    let left = try FileManager.default.contentsOfDirectory(atPath: world.storeFolder + "/drafts")
    #expect(left == [])
    try world.checkStore()
  }

  @Test("at a terminal an interrupt belongs to the editor, and a mistake opens it again")
  func terminal() throws {
    let world = try World()
    let path = try editor(
      """
      trap 'echo interrupted >> seen' INT
      kill -INT 0
      if grep -q '^#!hotglue: line 2' "$1"; then sed -i 's/5/["echo"]/' "$1"
      else printf '[job]\\ncommand = 5\\n' > "$1"; fi
      """, in: world)
    let result = try world.command(
      "/usr/bin/script",
      ["-qec", "export EDITOR=\(path); exec hotglue draft new job -q", "/dev/null"])
    #expect(result.status == 0, "\(result.output)")
    #expect(world.lineCount("seen") == 2)
    #expect(
      try world.run(["draft", "show", "1", "--text"]).output == "[job]\ncommand = [\"echo\"]\n")
    #expect(try world.succeed(["draft", "submit", "1", "-q"]) == "1")
  }

  @Test(
    "on a full disk what was typed stays in its file, or the former text in the store",
    .enabled(if: geteuid() == 0, "only root can mount a small file system"))
  func fullDisk() throws {
    let world = try World(initialized: false)
    let small = world.folder.appendingPathComponent("small").path
    try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
    let mounted = try world.command(
      "/usr/bin/mount", ["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", small])
    try #require(mounted.status == 0, "\(mounted.errorOutput)")
    defer { _ = try? world.command("/usr/bin/umount", ["-l", small]) }
    let context = ["--context", small + "/.hotglue/context.json"]
    _ = try world.command("/bin/sh", ["-c", "cd small && hotglue init"])
    for words in [
      ["workspace", "create", "main"], ["workspace", "create", "beta"],
      ["workspace", "switch", "main"],
    ] {
      try world.succeed(context + words)
    }
    // It saves 100 kB, then fills the disk: the file has its bytes, the store has no room for them.
    let path = try editor(
      """
      { printf '[job]\\n#'; head -c 100000 /dev/zero | tr '\\0' x; echo; } > "$1"
      cat /dev/zero > small/fill 2>&1
      """, in: world)
    let answer = try world.run(context + ["draft", "new", "job"], extra: ["EDITOR": path])
    #expect(answer.status == 74, "\(answer.errorOutput)")
    let file = small + "/.hotglue/store.db.d/drafts/1.toml"
    #expect(answer.errorOutput.contains(file))
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count == 100_008)
    // Neither does a switch find room; the context is whole, and its draft where it was.
    let refused = try world.run(context + ["workspace", "switch", "beta", "--discard-drafts"])
    #expect(refused.status == 74, "\(refused.errorOutput)")
    #expect(try world.succeed(context + ["workspace", "current"]) == "main")

    try FileManager.default.removeItem(atPath: small + "/fill")
    let text = try world.run(context + ["draft", "show", "1", "--text"])
    #expect(text.output.utf8.count == 100_008)
    #expect(!FileManager.default.fileExists(atPath: file))
    try world.succeed(context + ["workspace", "switch", "beta", "--discard-drafts"])
    #expect(try world.succeed(context + ["-w", "main", "draft", "list", "--bin", "-q"]) == "1")
    try world.succeed(context + ["store", "check"])
  }

  @Test("the example of the manual page is submitted as it stands there")
  func manualExample() throws {
    let world = try World()
    try ManualExamples(page: "hotglue-drafts.7").write("order.toml", in: world)
    try world.succeed(["draft", "new", "job", "--from", "order.toml"])
    let job = try world.job(try world.succeed(["draft", "submit", "1", "-q"]))
    #expect(job["command"] as? [String] == ["./charge", "--order", "17"])
    #expect(job["key"] as? String == "order-17")
    #expect((job["payload"] as? [String: Any])?["amount"] as? Int == 1200)
  }

  @Test("of twenty processes that submit one draft, one makes the job")
  func submittedOnce() throws {
    let world = try World()
    try world.succeed(["draft", "new", "job", "--from", "-", "-q"], input: Self.job)
    let processes = try (0..<20).map { _ in try world.start(["draft", "submit", "1"]) }
    let statuses = processes.map { process in
      process.waitUntilExit()
      return process.terminationStatus
    }
    #expect(statuses.filter { $0 == 0 }.count == 1)
    // Told that another one has it just now, or that it is submitted.
    #expect(statuses.allSatisfy { [0, 75, 81].contains($0) }, "\(statuses)")
    #expect(try world.jobs().count == 1)
    try world.checkStore()
  }
}

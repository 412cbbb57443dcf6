import Foundation
import Testing

/// What one user of a machine cannot do to another by what lies in the way.
@Suite("Trust between users", .serialized, .enabled(if: geteuid() == 0, "only root can be others"))
struct TrustTests {
  private let yard: UserYard
  init() throws { yard = try UserYard() }

  // MARK: Whose store counts

  @Test("a context that another user plants in a directory for all users does not count")
  func planted() throws {
    try yard.shell("mkdir -m 1777 public && mkdir public/mine && chown 61002 public/mine")
    try yard.shell(
      """
      hotglue init -q --group 61000 && hotglue workspace create acme -q \
      && hotglue workspace switch acme -q && hotglue job enqueue -q -- sh -c 'id -u >ran'
      """, in: "public", as: 61001)
    // Neither root, nor a member of the group that it is shared with.
    for user in [0, 61002] {
      for command in ["job enqueue -- echo secret", "job work -w acme --drain", "context show"] {
        let refused = try yard.run("hotglue \(command)", in: "public/mine", as: user)
        #expect(refused.status == 78, "\(user) \(command): \(refused)")
        #expect(refused.errorOutput.contains("hotglue context trust"), "\(refused)")
      }
      let prompt = try yard.run("hotglue context prompt", in: "public/mine", as: user)
      #expect(prompt.status == 0 && prompt.output == "", "\(prompt)")
    }
    #expect(!yard.exists("public/ran"))
    // One's own, of the user or in the same place, counts as ever.
    try yard.shell("hotglue init --user -q && hotglue workspace create own -q", in: "public/mine")
    let show = try yard.run("hotglue context show --json", in: "public/mine")
    #expect(show.output.contains("\"context_file\":\"user\""), "\(show)")
    try yard.shell("rm -r public/.hotglue")
    try yard.shell("hotglue init -q && hotglue workspace create here -q", in: "public", as: 61002)
    let here = try yard.run("hotglue workspace list -q", in: "public/mine", as: 61002)
    #expect(here.output == "here\n", "\(here)")
  }

  @Test(
    "a private store of another user counts once it was named or trusted, and stays that user's")
  func privateStore() throws {
    try yard.shell("mkdir theirs && chown 61001:61001 theirs")
    try yard.shell(
      """
      hotglue init -q && hotglue workspace create acme -q && hotglue workspace switch acme -q \
      && hotglue job enqueue -q -- id -u
      """, in: "theirs", as: 61001)
    let refused = try yard.run("hotglue job list", in: "theirs")
    #expect(refused.status == 77, "\(refused)")
    #expect(refused.errorOutput.contains("belongs to another user, 61001"), "\(refused)")
    let named = try yard.run("hotglue --context .hotglue/context.json job list -q", in: "theirs")
    #expect(named.output == "1\n", "\(named)")
    try yard.shell("hotglue context trust .", in: "theirs")
    try yard.shell("hotglue job work -w acme --drain", in: "theirs")
    let logs = try yard.run(
      "hotglue job logs 1 && hotglue job run -- echo on", in: "theirs", as: 61001)
    #expect(logs.output == "0\non\n", "\(logs)")
    let owners = try yard.run("find .hotglue -printf '%U\\n' | sort -u", in: "theirs")
    #expect(owners.output == "61001\n", "\(owners)")
    // What takes its place is not trusted.
    try yard.shell("rm -r .hotglue && hotglue init -q", in: "theirs", as: 61001)
    #expect(try yard.run("hotglue store info", in: "theirs").status == 77)
  }

  @Test(
    "a shared store counts for its group, below directories of the group too, and for nobody else")
  func sharedStore() throws {
    try yard.makeSharedStore()
    try yard.shell("mkdir -m 755 sub", in: "team", as: 61001)
    for folder in ["team", "team/sub"] {
      let member = try yard.run("hotglue job enqueue -q -- true", in: folder, as: 61002)
      #expect(member.status == 0, "\(folder): \(member)")
      #expect(try yard.run("hotglue job list", in: folder, as: 61009).status != 0)
    }
    // root is in no group: it made this one, and finds it where only it and the group may write.
    #expect(try yard.run("hotglue job list", in: "team").status == 0)
    #expect(try yard.run("hotglue job list", in: "team/sub").status == 78)
    try yard.shell("hotglue context trust ..", in: "team/sub")
    #expect(try yard.run("hotglue job list", in: "team/sub").status == 0)
  }

  @Test("a shared store of another user is not used by root, whatever group root was started with")
  func sharedStoreAndRoot() throws {
    try yard.shell("mkdir theirs && chown 61001:61000 theirs")
    try yard.shell("hotglue init -q --group 61000", in: "theirs", as: 61001)
    #expect(try yard.run("hotglue store info", in: "theirs", as: 61002).status == 0)
    let root = try yard.run("setpriv --groups=61000 hotglue store info", in: "theirs")
    #expect(root.status == 77, "\(root)")
  }

  @Test("a copy is used once it was trusted: status 82 with the command, which works as it stands")
  func copies() throws {
    try yard.shell(
      """
      mkdir made && cd made && hotglue init -q && hotglue workspace create acme -q \
      && hotglue workspace switch acme -q && hotglue job enqueue -q -- true && cd .. \
      && mv made moved && cp -a moved clone
      """)
    #expect(try yard.run("hotglue job list -q", in: "moved").output == "1\n")
    let refused = try yard.run("hotglue job list -q", in: "clone")
    #expect(refused.status == 82, "\(refused)")
    let hint = try #require(refused.errorOutput.components(separatedBy: ": hotglue ").last)
    try yard.shell("hotglue \(hint)", in: "clone")
    #expect(try yard.run("hotglue job list -q", in: "clone").output == "1\n")
    // Recorded in the store: a service without a home directory finds it trusted as well.
    #expect(try yard.run("env -u HOME hotglue job list -q", in: "clone").output == "1\n")
    let list = try yard.run("cat home/.config/hotglue/trusted.json")
    #expect(list.output.contains("clone/.hotglue/store.db"), "\(list)")
    #expect(try yard.run("hotglue doctor -q", in: "clone").output == "")
  }

  // MARK: Members

  @Test("a viewer's own workspace is run by the viewer's own workers, and by nobody else's")
  func viewer() throws {
    try yard.makeSharedStore()
    try yard.shell("hotglue workspace create lobby -q", in: "team")
    try yard.shell("hotglue workspace member add 61001 --role viewer", in: "team")
    #expect(try yard.run("hotglue job enqueue -- true", in: "team", as: 61001).status == 77)
    for workspace in ["mine", "lobby"] {
      _ = try yard.run("hotglue workspace create mine -q", in: "team", as: 61001)
      try yard.shell(
        "hotglue -w \(workspace) job enqueue -q -- sh -c 'id -u >>/tmp/$1' sh \(yard.token)",
        in: "team", as: 61001)
    }
    try yard.shell("hotglue job work --all-workspaces --drain", in: "team")
    #expect(try yard.run("cat /tmp/\(yard.token)").output == "")
    try yard.shell("hotglue job work --all-workspaces --drain", in: "team", as: 61001)
    #expect(try yard.run("cat /tmp/\(yard.token); rm /tmp/\(yard.token)").output == "61001\n")
  }

  // MARK: Files

  @Test("what a member swaps in while root reads keeps its mode and its group")
  func modeRace() throws {
    try yard.makeSharedStore()
    try yard.shell("echo secret >shadow && chmod 600 shadow")
    try yard.shell("mv .hotglue/store.db.d .hotglue/gone", in: "team", as: 61001)
    // Every call that could set a mode by name waits before it is carried out.
    let calls = "chown,lchown,fchownat,chmod,fchmodat,link,linkat,rename,renameat2"
    let swap = """
      strace -f -qq -o /dev/null -e trace=\(calls) -e inject=\(calls):delay_enter=50000 \
        hotglue job list >/dev/null 2>&1 & p=$!
      while kill -0 $p 2>/dev/null; do
        setpriv --reuid=61001 --regid=61001 --groups=61000 sh -c '
          cd .hotglue/store.db.d 2>/dev/null || exit 0
          for f in gate.a gate.b slots logs; do
            [ -e $f ] && [ ! -L $f ] && mv $f .away.$$ 2>/dev/null && ln -s "$1" $f
          done' sh "$PWD/../shadow" 2>/dev/null
        sleep 0.01
      done; wait $p; true
      """
    try yard.shell(swap, in: "team")
    #expect(try yard.run("stat -c '%a %g' shadow").output == "600 0\n")
  }

  @Test(
    "in a shared store nothing is opened, and no mode or group is set, by a name that may be a link"
  )
  func noNames() throws {
    try yard.makeSharedStore()
    try yard.shell("printf '[job]\\ncommand = [\"true\"]\\n' >draft.toml && echo '{}' >config.json")
    let lines = [
      "job enqueue -- sh -c 'echo hello'", "job run -- echo hello", "job work -w acme --drain",
      "job list", "job logs 1", "effect run k --scope workspace -- echo done",
      "draft new job --from ../draft.toml", "draft list", "workspace switch acme",
      "workspace shell acme -- true", "store backup ../backup-$$", "store check", "doctor",
      "store prune", "job reclaim", "context show", "init --group 61000",
    ]
    for line in lines + ["job list"] {
      if line == "job list" { try yard.shell("rm -rf .hotglue/store.db.d", in: "team") }
      _ = try yard.run("strace -f -qq -o ../trace -e trace=file,desc hotglue \(line)", in: "team")
      let trace = try yard.run("cat trace").output
      #expect(trace.contains("store.db"), "\(line)")
      for call in trace.split(separator: "\n") where Self.isByName(call) {
        Issue.record("\(line): \(call)")
      }
    }
  }

  /// A call on a name of the shared store that follows a link in its last part.
  private static func isByName(_ call: Substring) -> Bool {
    guard let match = call.firstMatch(of: #/^\d+ +(\w+)\((?:(AT_FDCWD|\d+), )?"([^"]*)"/#) else {
      return false
    }
    let (name, path) = (match.1, match.3)
    let isInStore =
      path.contains("/.hotglue/") || path.contains(#/^(slots|logs|workers|contexts|sources)\//#)
    guard isInStore, !call.contains("ENOENT") else { return false }
    switch name {
    case "chmod", "chown", "lchown", "fchmodat", "fchownat", "creat": return true
    case "open", "openat":
      // The context file may be a link, of a user who may say so: it is looked at after it was opened.
      if path.hasSuffix("/context.json") && call.contains("O_RDONLY") { return false }
      // A handler's own business: the shell that it is.
      return !call.contains("O_NOFOLLOW")
    default: return false
    }
  }

  // MARK: What SQLite would read

  @Test("a journal or a log that another user puts beside a store or a backup is not played back")
  func filesBeside() throws {
    try yard.shell(
      """
      mkdir -m 1777 st && mkdir own && cd own && hotglue init -q && hotglue workspace create acme -q \
      && hotglue workspace switch acme -q && hotglue store backup ../st/backup \
      && hotglue --store ../st/s.db -w acme store restore --yes ../st/backup
      """)
    #expect(try yard.run("hotglue --store st/s.db -w acme job list").status == 0)
    for suffix in ["journal", "wal"] {
      try yard.shell("rm -f st/s.db-wal st/s.db-shm")
      try yard.shell("head -c 8192 /dev/urandom >st/s.db-\(suffix)", as: 61001)
      let refused = try yard.run("hotglue --store st/s.db -w acme job list")
      #expect(refused.status == 77 && refused.errorOutput.contains("s.db-\(suffix)"), "\(refused)")
      try yard.shell(
        "rm st/s.db-\(suffix); head -c 8192 /dev/urandom >st/backup-\(suffix)", as: 61001)
    }
    try yard.shell("hotglue store restore --yes ../st/backup && hotglue store check", in: "own")
    try yard.shell("chmod 777 st")
    let refused = try yard.run("hotglue --store st/s.db -w acme job list")
    #expect(
      refused.status == 77 && refused.errorOutput.contains("\nhint: chmod o-w "), "\(refused)")
  }
}

/// A directory in which commands run as several users, with the group 61000 of the users 61001 and 61002.
private final class UserYard {
  let world: World
  let token = "hotglue-trust-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

  init() throws {
    world = try World(initialized: false)
    try #require(
      FileManager.default.isExecutableFile(atPath: "/usr/bin/strace"), "strace is needed")
    let path = world.folder.path
    try FileManager.default.createDirectory(
      atPath: path + "/bin", withIntermediateDirectories: false)
    // Other users may be kept from the folder of the build.
    try FileManager.default.copyItem(atPath: world.binary, toPath: path + "/bin/hotglue")
    world.environment["PATH"] = path + "/bin:/usr/local/bin:/usr/bin:/bin"
    world.environment["HOME"] = path + "/home"
    try shell("chmod 755 . bin bin/hotglue && mkdir home")
  }

  /// A store of root that the group shares, with the workspace `acme`, in `team`.
  func makeSharedStore() throws {
    try shell(
      """
      mkdir team && chgrp 61000 team && chmod 2775 team && cd team \
      && hotglue init -q --group 61000 && hotglue workspace create acme -q \
      && hotglue workspace switch acme -q
      """)
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: world.folder.path + "/" + name)
  }

  func run(_ line: String, in folder: String = ".", as user: Int = 0) throws -> World.Result {
    let words = ["sh", "-c", "cd '\(folder)' && \(line)"]
    guard user != 0 else { return try world.command("/usr/bin/env", words) }
    let group = user == 61009 ? user : 61000
    return try world.command(
      "/usr/bin/env",
      ["HOME=/nonexistent", "setpriv", "--reuid=\(user)", "--regid=\(user)", "--groups=\(group)"]
        + words)
  }

  func shell(_ line: String, in folder: String = ".", as user: Int = 0) throws {
    let result = try run(line, in: folder, as: user)
    try #require(result.status == 0, "\(line): \(result.errorOutput)")
  }
}

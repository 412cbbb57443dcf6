import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import HotglueStoreSQLite
import Testing

@Suite("Contexts")
struct ContextCommandTests {
  @Test("init makes a private folder with a store and a context without a workspace")
  func initialize() throws {
    let place = try CommandPlace()
    #expect(
      place.run("init")
        == Answer(
          status: 0,
          output:
            "made context 'PLACE/.hotglue/context.json' and store 'PLACE/.hotglue/store.db'\n",
          error: "hint: hotglue init WORKSPACE\n"))
    #expect(try place.mode(of: place.folder.file(".hotglue")) == 0o700)
    #expect(try place.mode(of: place.contextPath) == 0o600)
    #expect(try place.mode(of: place.storePath) == 0o600)
    let file = try place.context()
    #expect(file.workspace == nil)
    #expect(file.store == "store.db")
    #expect(file.storeID == (try place.store().storeID))
  }

  @Test("init where a context is says so and changes nothing")
  func again() throws {
    let place = try CommandPlace.ready()
    let before = try place.read(place.contextPath)
    #expect(
      place.run("init")
        == Answer(
          status: 0,
          output: "context 'PLACE/.hotglue/context.json' is there already in workspace 'acme'; "
            + "nothing was changed\n",
          error: ""))
    #expect(try place.read(place.contextPath) == before)
    let json = place.run("init --json")
    #expect(json.output.contains(#""created":false,"group":null"#))
  }

  @Test("init finishes what an init left that was cut short")
  func finished() throws {
    let place = try CommandPlace()
    #expect(place.run("init").status == 0)
    let storeID = try place.store().storeID
    unlink(place.contextPath)
    #expect(place.run("init").status == 0)
    #expect(try place.context().storeID == storeID)
  }

  @Test("of many inits at once one makes the context, and all end well")
  func initRace() async throws {
    let place = try CommandPlace()
    let path = place.folder.path
    let answers = await withTaskGroup(of: Answer.self) { group in
      for _ in 0..<8 {
        group.addTask {
          guard var racer = try? CommandPlace() else {
            return Answer(status: -1, output: "", error: "")
          }
          racer.directory = path
          return racer.run("init --json")
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.map(\.status) == Array(repeating: 0, count: 8), "\(answers)")
    #expect(answers.filter { $0.output.contains(#""created":true"#) }.count == 1)
    #expect(place.run("workspace create acme").status == 0)
  }

  @Test("init --user makes the context of the home folder, which counts where no other is")
  func user() throws {
    var place = try CommandPlace()
    place.variables["HOME"] = place.folder.file("home")
    #expect(place.run("init --user -q").output == "PLACE/home/.config/hotglue/context.json\n")
    #expect(try place.read(place.folder.file("home/.config/hotglue/.gitignore")) == "*\n")
    #expect(place.run("context path --json").output.contains(#""origin":"user""#))
    place.variables["XDG_CONFIG_HOME"] = place.folder.file("xdg")
    #expect(place.run("context path").status == 78)
    place.variables = [:]
    #expect(place.run("init --user").status == 78)
  }

  @Test("init for a group makes what that group may write, and nobody else")
  func group() throws {
    let place = try CommandPlace()
    let name = getegid() == 0 ? "root" : String(getegid())
    #expect(place.run("init --group \(name)").status == 0)
    #expect(try place.mode(of: place.folder.file(".hotglue")) == 0o2770)
    #expect(try place.mode(of: place.contextPath) == 0o660)
    #expect(try place.mode(of: place.contextPath + ".lock") == 0o660)
    #expect(try place.mode(of: place.storePath) == 0o660)
    #expect(place.run("workspace create acme").status == 0)
    #expect(place.run("workspace switch acme").status == 0)
    #expect(try place.mode(of: place.contextPath) == 0o660)
    #expect(place.run("context prompt").output == "acme\n")
    #expect(place.run("init --group nobody-at-all").status == 66)
  }

  @Test("init for a group shares a folder that was left private, but no private store in it")
  func groupInPrivateFolder() throws {
    let name = getegid() == 0 ? "root" : String(getegid())
    let place = try CommandPlace()
    let folder = place.folder.file(".hotglue")
    #expect(mkdir(folder, 0o700) == 0)
    #expect(place.run("init --group \(name)").status == 0)
    #expect(try place.mode(of: folder) == 0o2770)
    #expect(try place.mode(of: place.contextPath) == 0o660)

    let other = try CommandPlace()
    #expect(other.run("init").status == 0)
    #expect(unlink(other.contextPath) == 0)
    let refused = other.run("init --group \(name)")
    #expect(refused.status == 73, "\(refused)")
    #expect(refused.error.contains("its store is not shared with group '\(name)'"))
    #expect(try other.mode(of: other.folder.file(".hotglue")) == 0o700)
    #expect(access(other.contextPath, F_OK) != 0)
    // As what it was made for it is finished.
    #expect(other.run("init").status == 0)
    #expect(other.run("workspace list").status == 0)
  }

  @Test("context show says where everything came from")
  func show() throws {
    let place = try CommandPlace.ready()
    let storeID = try place.store().storeID
    #expect(
      place.run("context show")
        == Answer(
          status: 0,
          output: "workspace\tacme (context_file)\nstore\tPLACE/.hotglue/store.db (context_file)\n"
            + "context_file\tPLACE/.hotglue/context.json (discovered)\ngeneration\t1\n"
            + "previous\t-\npinned\t-\n", error: ""))
    #expect(
      place.run("context show --json -w beta").output
        == #"{"workspace":"beta","store":"PLACE/.hotglue/store.db","store_id":"\#(storeID)","#
        + #""generation":1,"context_file":"PLACE/.hotglue/context.json","pinned":null,"#
        + #""origins":{"workspace":"flag","store":"context_file","context_file":"discovered"}}"#
        + "\n")
    #expect(
      place.run(["context", "show", "--json", "-w", "beta", "--store", place.storePath]).output
        == #"{"workspace":"beta","store":"PLACE/.hotglue/store.db","store_id":"\#(storeID)","#
        + #""generation":null,"context_file":null,"pinned":null,"#
        + #""origins":{"workspace":"flag","store":"flag","context_file":null}}"# + "\n")
  }

  @Test("the nearest .hotglue in this folder or above counts")
  func discovery() throws {
    var place = try CommandPlace.ready()
    mkdir(place.folder.file("a"), 0o700)
    mkdir(place.folder.file("a/b"), 0o700)
    place.directory = place.folder.file("a/b")
    #expect(place.run("workspace current").output == "acme\n")
    #expect(place.run("init").status == 0)
    #expect(place.run("context path").output == "PLACE/a/b/.hotglue/context.json\n")
    place.variables["HOTGLUE_CONTEXT"] = place.contextPath
    #expect(place.run("workspace current").output == "acme\n")
    #expect(place.run("context show --json").output.contains(#""context_file":"environment"}"#))
    #expect(place.run(["--context", ".hotglue/context.json", "context", "prompt"]).output == "-\n")
  }

  @Test("without a context a command says how to get one")
  func nothing() throws {
    var place = try CommandPlace()
    #expect(
      place.run("workspace current")
        == Answer(
          status: 78, output: "",
          error:
            "hotglue: no context: no .hotglue/context.json in this folder or above, and HOME is "
            + "not set, so no context of the user was looked for\n"
            + "hint: set HOME; or make one here with 'hotglue init', or name one with --context FILE "
            + "or $HOTGLUE_CONTEXT\n"))
    place.variables["HOME"] = place.folder.path
    #expect(
      place.run("workspace current").error
        == "hotglue: no context: no .hotglue/context.json in this folder or above\n"
        + "hint: make one here with 'hotglue init', or name one with --context FILE or "
        + "$HOTGLUE_CONTEXT\n")
    #expect(place.run("context prompt") == Answer(status: 0, output: "", error: ""))
    #expect(place.run("workspace current --context none.json").status == 78)
    place.variables["HOTGLUE_CONTEXT"] = "none.json"
    #expect(
      place.run("workspace current").error
        == "hotglue: no context file 'none.json' (named by $HOTGLUE_CONTEXT)\n"
        + "hint: name one that exists, or unset HOTGLUE_CONTEXT\n")
    place.variables["HOTGLUE_CONTEXT"] = ""
    #expect(place.run("workspace current").status == 78)
    place.variables["HOTGLUE_CONTEXT"] = "/x/store.db.d/slots/a.1-1.json"
    #expect(place.run("workspace current").status == 81)
  }

  @Test("a context without a workspace says how to select one")
  func noWorkspace() throws {
    let place = try CommandPlace()
    _ = place.run("init")
    #expect(
      place.run("workspace current")
        == Answer(
          status: 78, output: "",
          error: "hotglue: no workspace is selected in '.hotglue/context.json'\n"
            + "hint: select one with 'hotglue workspace switch ID', or name one with -w ID\n"))
  }

  @Test("broken JSON is told with file, line and column")
  func broken() throws {
    let place = try CommandPlace.ready()
    try place.write("{\n  \"version\": oops\n}\n", to: place.contextPath)
    #expect(
      place.run("workspace current")
        == Answer(
          status: 78, output: "",
          error: "hotglue: context file '.hotglue/context.json' is not JSON: line 2, column 14: "
            + "unexpected character\n"
            + "hint: mend the file, or move it away and make a new one with 'hotglue init'\n"))
    let json = place.run("workspace current --json")
    #expect(json.error.contains(#""code":"bad_context_file""#))
    #expect(json.error.contains(#""exit":78,"path":".hotglue/context.json","line":2,"column":14"#))
    #expect(place.run("init").status == 78)
    try place.write(String(repeating: " ", count: 70_000), to: place.contextPath)
    #expect(place.run("workspace current").error.contains("is larger than 64 KiB"))
  }

  @Test("another store at the context's path is refused, never a silent fresh world")
  func otherStore() throws {
    let place = try CommandPlace.ready()
    for suffix in ["", "-wal", "-shm"] { unlink(place.storePath + suffix) }
    #expect(place.run("workspace list").status == 69)
    _ = try SQLiteStore.create(at: place.storePath, now: place.now)
    let answer = place.run("workspace list --json")
    #expect(answer.status == 80)
    #expect(answer.error.contains(#""code":"other_store""#))
  }

  @Test("--store needs a workspace that is named with it")
  func storeFlag() throws {
    let place = try CommandPlace.ready()
    let words = ["--store", place.storePath]
    let answer = place.run(words + ["workspace", "current"])
    #expect(answer.status == 78)
    #expect(
      answer.error.hasSuffix(
        "hint: hotglue -w ID --store PLACE/.hotglue/store.db workspace current\n"))
    #expect(place.run(words + ["workspace", "current", "-w", "beta"]).output == "beta\n")
    #expect(place.run(words + ["workspace", "list", "-q"]).output == "acme\nbeta\n")
  }

  @Test("--expect refuses any other workspace")
  func expect() throws {
    let place = try CommandPlace.ready()
    #expect(place.run("workspace current --expect acme").status == 0)
    #expect(
      place.run("--expect beta workspace current")
        == Answer(
          status: 80, output: "",
          error: "hotglue: expected workspace 'beta', but the context is 'acme' "
            + "(from .hotglue/context.json)\n"
            + "hint: hotglue -w beta --expect beta workspace current\n"))
    #expect(place.run("--expect acme -w beta workspace current").status == 80)
    #expect(place.run("--expect acme workspace list").status == 0)
    #expect(place.run("--expect beta workspace list").status == 80)
  }

  @Test("a pinned context means its attempt: it shows the job and does not switch")
  func pinned() throws {
    var place = try CommandPlace.ready()
    var file = try place.context()
    file.store = place.storePath
    file.pinned = .init(job: 42, fence: 3)
    let path = place.folder.file("pinned.json")
    try place.write(file.text, to: path)
    place.variables["HOTGLUE_CONTEXT"] = path
    #expect(place.run("context prompt").output == "acme#42\n")
    #expect(place.run("context show --json").output.contains(#""pinned":{"job":42,"fence":3}"#))
    #expect(
      place.run("workspace switch beta")
        == Answer(
          status: 80, output: "",
          error:
            "hotglue: the context 'PLACE/pinned.json' is pinned to job 42 and does not switch\n"
            + "hint: name the other workspace for one command with -w beta\n"))
    #expect(try place.read(path) == file.text)
  }
}

@Suite("Trust")
struct TrustTests {
  @Test("a context file or folder that others may write is refused with what mends it")
  func modes() throws {
    let place = try CommandPlace.ready()
    chmod(place.contextPath, 0o602)
    #expect(
      place.run("workspace current")
        == Answer(
          status: 77, output: "",
          error: "hotglue: '.hotglue/context.json' may be written by every user\n"
            + "hint: chmod go-w .hotglue/context.json\n"))
    chmod(place.contextPath, 0o620)
    #expect(place.run("workspace current").error.contains("may be written by its group"))
    #expect(place.run("context prompt").status == 77)
    chmod(place.contextPath, 0o644)
    #expect(place.run("workspace current").status == 0)
    for mode in [0o777, 0o770] as [mode_t] {
      chmod(place.folder.file(".hotglue"), mode)
      #expect(place.run("workspace current").status == 77)
    }
    chmod(place.folder.file(".hotglue"), 0o755)
    #expect(place.run("workspace current").status == 0)
  }

  @Test("a context of another user is refused")
  func owner() throws {
    var place = try CommandPlace.ready()
    if geteuid() == 0 {
      chown(place.contextPath, 12_345, 12_345)
    } else {
      place.userID = geteuid() + 1
    }
    let answer = place.run("workspace current --json")
    #expect(answer.status == 77)
    #expect(answer.error.contains("belongs to another user"), "\(answer)")
    #expect(place.run("workspace switch beta").status == 77)
    #expect(place.run("init").status == 77)
  }

  @Test("a symbolic link to a folder is followed, and the folder is what is judged")
  func symbolicLink() throws {
    let place = try CommandPlace.ready()
    rename(place.folder.file(".hotglue"), place.folder.file("real"))
    mkdir(place.folder.file("real/.hotglue"), 0o700)
    for name in ["context.json", "store.db", "store.db.d", "store.db-wal", "store.db-shm"] {
      rename(place.folder.file("real/\(name)"), place.folder.file("real/.hotglue/\(name)"))
    }
    symlink("real/.hotglue", place.folder.file(".hotglue"))
    #expect(place.run("workspace switch beta").status == 0)
    #expect(place.run("context path").output == "PLACE/real/.hotglue/context.json\n")
    chmod(place.folder.file("real/.hotglue"), 0o777)
    #expect(place.run("workspace current").status == 77)
  }

  @Test("no context is made in a folder that others may write")
  func folder() throws {
    let place = try CommandPlace()
    mkdir(place.folder.file(".hotglue"), 0o700)
    chmod(place.folder.file(".hotglue"), 0o777)
    #expect(place.run("init").status == 77)
    chmod(place.folder.file(".hotglue"), 0o700)
    #expect(place.run("init").status == 0)
  }

  @Test("what is not a regular file is no context")
  func fifo() throws {
    let place = try CommandPlace.ready()
    unlink(place.contextPath)
    mkfifo(place.contextPath, 0o600)
    #expect(place.run("workspace current").status == 78)
  }
}

import Testing

/// Bytes of the system that are no text.
@Suite("the current directory and variables")
struct CurrentDirectoryTests {
  private func bytes(_ path: String) -> [UInt8] { Array((path + "/d").utf8) + [0xE9] }

  /// A place whose current directory is a subdirectory, named in Latin-1, of the one with the context.
  private func place() throws -> CommandPlace {
    var place = try CommandPlace.ready()
    place.directoryBytes = bytes(place.folder.path)
    return place
  }

  @Test(
    "a directory that is not UTF-8 is refused by whatever would store it",
    arguments: [
      "init", "job enqueue -- true", "job enqueue --cwd sub -- true", "type set mail -- true",
      "type apply types.toml", "source add crm -- tap", "draft new job --from -",
    ])
  func refused(line: String) throws {
    let answer = try place().run(line)
    #expect(answer.status == 64)
    #expect(answer.error.contains("the name of the current directory is not UTF-8 text"))
  }

  @Test(
    "what stores nothing of it finds the context above it",
    arguments: ["context show", "job list", "workspace list", "type list", "status"])
  func reading(line: String) throws {
    let place = try place()
    guard line != "status" || place.run("status --help").status == 0 else { return }
    #expect(place.run(line).status == 0)
    #expect(place.run("job enqueue --cwd / -- true").status == 0)
  }

  @Test("a current directory that is gone is told as that, and what helps there")
  func gone() throws {
    var place = try CommandPlace.ready()
    place.directoryIsGone = true
    for line in ["job list", "job enqueue -- true", "workspace current"] {
      let answer = place.run(line)
      #expect(answer.status == 78)
      #expect(answer.error.contains("the current directory is gone"), "\(answer)")
      #expect(answer.error.contains("change to a directory that exists"), "\(answer)")
      #expect(!answer.error.contains("hotglue init"), "\(answer)")
    }
    let made = place.run("init")
    #expect(made.status == 66)
    #expect(made.error.contains("hint: change to a directory that exists"), "\(made)")
    let given = ["--context", place.contextPath]
    #expect(place.run(given + ["job", "list"]).status == 0)
    #expect(
      place.run(given + ["job", "enqueue", "--", "true"]).error.contains("--cwd /PATH"))
  }

  @Test(
    "a HOME that names no folder is told as it is",
    arguments: [
      (nil, "HOME is not set"), ("", "HOME is empty"), ("rel", "not an absolute path ('rel')"),
    ])
  func home(value: String?, words: String) throws {
    var place = try CommandPlace()
    place.variables["HOME"] = value
    for line in ["job list", "init --user"] {
      let answer = place.run(line)
      #expect(answer.status == 78)
      #expect(answer.error.contains(words), "\(answer)")
    }
  }

  @Test(
    "a variable that decides something is refused, not passed over",
    arguments: [
      ("HOTGLUE_CONTEXT", "job list"), ("V", "job enqueue --env V -- true"),
      ("XDG_CONFIG_HOME", "init --user"),
    ])
  func variables(name: String, line: String) throws {
    var place = try CommandPlace.ready()
    place.variablesNotUTF8 = [name]
    let answer = place.run(line)
    #expect(answer.status == 64)
    #expect(answer.error.contains("the value of '\(name)' is not UTF-8 text"))
    // One that decides nothing is nobody's business.
    place.variablesNotUTF8 = ["LS_COLORS"]
    #expect(place.run("job list").status == 0)
  }
}

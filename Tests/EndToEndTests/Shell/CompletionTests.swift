import Foundation
import Testing

/// Completions and prompts in the shells themselves.
@Suite(.serialized)
struct CompletionTests {
  private func world() throws -> World {
    let world = try World()
    try world.succeed(["workspace", "create", "beta"])
    try world.succeed(["workspace", "create", "beta-2"])
    try world.succeed(["job", "enqueue", "-w", "main", "--", "true"])
    try world.succeed(["job", "enqueue", "-w", "beta", "--queue", "night work", "--", "true"])
    try world.external("foo", "#!/bin/sh\nexit 0\n")
    return world
  }

  private func write(_ text: String, to name: String, in world: World) throws {
    try text.write(
      to: world.folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
  }

  /// What a person does at each of the three: every Tab asks the store that the words before it name.
  private static let session: [Terminal.Step] = [
    .see("READY> "),
    .type("hotglue -w beta context sho\t-q\r"), .see("beta\r\n"), .see("READY> "),
    .type("hotglue context show -q --workspace=mai\t\r"), .see("main\r\n"),
    .see("READY> "),
    .type("hotglue -w beta job show -q \t\r"), .see("2\r\n"), .see("READY> "),
    .type("hotglue job show -q \t\r"), .see("1\r\n"), .see("READY> "),
    .type("hotglue workspace switch bet\t\t\t"), .see("beta-2"),
  ]

  @Test("bash completes commands, and the IDs of the context that the typed flags name")
  func bash() throws {
    let world = try world()
    try write("PS1='READY> '; eval \"$(hotglue completions bash)\"\n", to: "rc", in: world)
    try Terminal(world: world).drive(
      ["bash", "--rcfile", "rc", "-i"],
      Self.session + [
        // Quoted by bash where it must be, and a file where one belongs.
        .type("\u{15}hotglue -w beta job list -q --queue nig\t\r"), .see("2\r\n"),
        .see("READY> "),
        .type("hotglue context path --context .hotglue/cont\t\r"),
        .see("/.hotglue/context.json\r\n"), .see("READY> "),
        .type("hotglue context path --context=.hotglue/cont\t\r"),
        .see("/.hotglue/context.json\r\n"), .see("READY> "),
        .type("hotglue fo\t; echo ran=$?\r"), .see("ran=0\r\n"),
      ])
  }

  @Test("zsh completes commands, and the IDs of the context that the typed flags name")
  func zsh() throws {
    let world = try world()
    let rc = """
      PS1='READY> '; PROMPT_EOL_MARK=
      autoload -U compinit; compinit -u -D
      eval "$(hotglue completions zsh)"

      """
    try write(rc, to: ".zshrc", in: world)
    try Terminal(world: world).drive(
      ["zsh", "-i"],
      Self.session + [
        .type("\u{15}hotglue context path --context .hotglue/cont\t\r"),
        .see("/.hotglue/context.json\r\n"), .see("READY> "),
        .type("hotglue context path --context=.hotglue/cont\t\r"),
        .see("/.hotglue/context.json\r\n"),
      ], extra: ["ZDOTDIR": world.folder.path])
  }

  @Test("fish completes commands, and the IDs of the context that the typed flags name")
  func fish() throws {
    let world = try world()
    let lines = [
      ("hotglue wor", "workspace"), ("hotglue -w bet", "beta"),
      ("hotglue workspace switch ma", "main"), ("hotglue -w beta job show ", "2"),
      ("hotglue job cancel ", "1"), ("hotglue job list --workspace=beta --queue 'ni", "night work"),
      ("hotglue job list --workspace=ma", "--workspace=main"), ("hotglue fo", "foo"),
      ("hotglue --context=.hotglue/cont", "--context=.hotglue/context.json"),
      ("hotglue job enqueue -- hotglu", "hotglue"),
    ]
    for (line, expected) in lines {
      let result = try world.command(
        "/usr/bin/env",
        ["fish", "--no-config", "-c", "hotglue completions fish | source; complete -C $argv", line])
      let found = result.lines.map { $0.split(separator: "\t")[0] }
      #expect(found.contains { $0 == expected }, "\(line): \(result)")
    }
  }

  @Test("the same lines work as the files that packages install")
  func installed() throws {
    let world = try world()
    for shell in ["bash", "zsh", "fish"] {
      let name = shell == "zsh" ? "functions/_hotglue" : "hotglue.\(shell)"
      try FileManager.default.createDirectory(
        atPath: world.folder.path + "/functions", withIntermediateDirectories: true)
      try write(try world.succeed(["completions", shell]) + "\n", to: name, in: world)
    }
    try write(
      "PS1='READY> '; PROMPT_EOL_MARK=; fpath=(~/functions $fpath)\n"
        + "autoload -U compinit; compinit -u -D\n", to: ".zshrc", in: world)
    try Terminal(world: world).drive(
      ["zsh", "-i"],
      [
        .see("READY> "), .type("hotglue context show -q -w mai\t\r"), .see("main\r\n"),
        .see("READY> "), .type("hotglue context show -q -w mai\t\r"), .see("main\r\n"),
      ], extra: ["ZDOTDIR": world.folder.path])
    #expect(try world.command("/bin/bash", ["-n", "hotglue.bash"]).status == 0)
    #expect(try world.command("/usr/bin/env", ["fish", "-n", "hotglue.fish"]).status == 0)
    #expect(try world.run(["completions", "tcsh"]).status == 64)
  }

  @Test("the snippets put the context before the prompt, keep $?, and show one that is broken")
  func prompts() throws {
    let world = try world()
    let posix = "eval \"$(hotglue context prompt --snippet %)\"\n"
    for (shell, prompt) in [("bash", "PS1"), ("zsh", "PROMPT")] {
      let twice = posix.replacing("%", with: shell)
      try write(
        "PROMPT_EOL_MARK=; \(prompt)='READY> '\n" + twice + twice,
        to: shell == "bash" ? "rc" : ".zshrc", in: world)
      try Terminal(world: world).drive(
        shell == "bash" ? ["bash", "--rcfile", "rc", "-i"] : ["zsh", "-i"],
        [
          .see("(main) "), .see("READY> "),
          .type("hotglue workspace switch beta\r"), .see("(beta) "), .see("READY> "),
          .type("(exit 7)\r"), .see("READY> "), .type("echo was $?\r"), .see("was 7\r\n"),
          .see("READY> "), .type("export HOTGLUE_CONTEXT=/missing\r"), .see("(!) "),
          .see("READY> "), .type("exit\r"),
        ], extra: ["ZDOTDIR": world.folder.path])
      try world.succeed(["workspace", "switch", "main"])
    }
    let fish = """
      function fish_prompt; echo "READY$status> "; end
      hotglue context prompt --snippet fish | source
      hotglue context prompt --snippet fish | source
      false; fish_prompt; echo
      cd /; fish_prompt
      """
    let shown = try world.command("/usr/bin/env", ["fish", "--no-config", "-c", fish])
    #expect(shown.output == "(main) READY1> \n\nREADY0> \n", "\(shown)")
  }
}

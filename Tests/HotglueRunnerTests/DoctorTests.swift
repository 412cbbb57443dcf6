import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore
import HotglueStoreSQLite
import TestSupport
import Testing

extension Running {
  @Suite("What the doctor sees of the machine") struct DoctorTests {
    private func codes(_ yard: Yard) throws -> [FindingCode] {
      let found = SQLiteStore.examine(at: yard.place.storePath)
      let store = try #require(found.store)
      return try Doctor(
        store: store, audit: store.audit(), hotglue: "hotglue", now: yard.now()
      ).diagnose().findings.map(\.code)
    }

    @Test("a store in which everything has ended is sound, and nothing is left beside it")
    func sound() throws {
      let yard = try Yard()
      try yard.enqueue("echo said")
      try yard.enqueue("exit 3")
      try yard.drain()
      // This process holds the store open for writing, and is no hotglue: but it is the doctor.
      #expect(try codes(yard) == [])
    }

    @Test("a process that outlives its attempt is found, unless its policy leaves it alone")
    func stray() throws {
      let yard = try Yard()
      // The mark and the place of an attempt that has ended, as `env` in a container would keep them.
      let job = try yard.enqueue("true")
      try yard.drain()
      let attempt = try #require(try yard.store.attempts(of: job, in: yard.main).last)
      var pid: pid_t = 0
      let variables = [
        "HOTGLUE_MARK=aa",
        "HOTGLUE_CONTEXT=\(yard.place.folder)/slots/1-2-3.\(job)-\(attempt.fence).json",
      ]
      let words: [String] = ["sleep", "300"]
      var environment = variables.map { strdup($0) } + [nil]
      var arguments = words.map { strdup($0) } + [nil]
      defer { for text in environment + arguments { free(text) } }
      let started = posix_spawn(&pid, "/bin/sleep", nil, nil, &arguments, &environment)
      try #require(started == 0)
      defer {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
      }
      #expect(try codes(yard) == [.strayProcess])
      // While the stream that was given the job is open, it belongs to the stream's handler.
      let stream = open(
        yard.place.folder + "/slots/1-2-3.stream.json", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
      try #require(stream >= 0)
      close(stream)
      #expect(try codes(yard) == [.slotLeft])
    }

    @Test("what a killed worker and its supervisor leave is named and is no finding")
    func leftovers() throws {
      let yard = try Yard()
      for name in ["workers/1-a.lock", "slots/1-a-b", "slots/9-a-b.sock", "restore-0a"] {
        let file = open(yard.place.folder + "/" + name, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        close(file)
      }
      mkdir(yard.place.folder + "/logs/0", 0o700)
      let log = open(yard.place.folder + "/logs/0/7-1.log", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
      close(log)
      let found = try codes(yard)
      #expect(found == [.slotLeft, .lockLeft, .logLeft, .draftLeft])
      let areNotes = found.allSatisfy(\.isNote)
      #expect(areNotes)
    }
  }
}

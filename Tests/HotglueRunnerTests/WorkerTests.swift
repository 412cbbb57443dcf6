import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore
import HotglueStoreSQLite
import TestSupport
import Testing

extension Running {
  @Suite struct Workers {
    @Test("a drain runs what is due, through its back-offs, and leaves what is scheduled for later")
    func drain() throws {
      let yard = try Yard()
      let ok = try yard.enqueue("echo fine")
      let flaky = try yard.enqueue("echo x >>tries; [ $(wc -l <tries) -ge 3 ] || exit 75") {
        $0.policy.maxAttempts = 5
        $0.policy.backoff = Backoff(kind: .fixed, base: Span(milliseconds: 50))
      }
      let later = try yard.enqueue("echo late") { $0.runAt = yard.now().advanced(by: .hours(1)) }
      let summary = try yard.drain { $0.concurrency = 2 }
      #expect(try yard.job(ok).state == .succeeded)
      #expect(try yard.log(ok) == "fine\n")
      let retried = try yard.job(flaky)
      #expect(retried.state == .succeeded)
      #expect((retried.attempt, retried.failures) == (3, 2))
      #expect(try yard.job(later).state == .pending)
      #expect(summary.claimed == 4)
      #expect(summary.ended == 4)
      #expect(summary.endedBadly == 0)
    }

    @Test("a worker that ends by itself prunes, at most once an hour for the store")
    func prunes() throws {
      let yard = try Yard()
      let past = Timestamp(milliseconds: yard.now().milliseconds - Span.days(20).milliseconds)
      func old() throws -> JobID {
        let request = EnqueueRequest(command: ["true"], directory: yard.folder.path)
        let made = try yard.store.enqueue([request], in: yard.main, by: Yard.actor, at: past)
        let id = try #require(made.first).id
        _ = try yard.store.cancel(id, in: yard.main, by: Yard.actor, at: past)
        return id
      }
      let first = try old()
      try yard.drain()
      #expect(try yard.job(first).state == .cancelled, "the store was made within the hour")
      try yard.store.recordPruned(at: past)
      try yard.enqueue("true")
      try yard.drain {
        $0.drain = false
        $0.once = true
      }
      #expect(throws: StoreError.unknownJob(first)) { try yard.job(first) }
      #expect(try yard.store.prunedAt() > past)
      let second = try old()
      try yard.drain()
      #expect(try yard.job(second).state == .cancelled, "pruned within the hour")
    }

    @Test("a handler gets the worker's variables, the recorded ones, and its own HOTGLUE_* alone")
    func environment() throws {
      let yard = try Yard()
      let id = try yard.enqueue("env | sort; cat; umask; cat $HOTGLUE_CONTEXT") {
        $0.environment = ["RECORDED=1", "KEPT=over"]
        $0.payload = "{\"n\":1}"
      }
      try yard.drain()
      let lines = try yard.log(id).split(separator: "\n").map(String.init)
      #expect(lines.contains("RECORDED=1"))
      #expect(lines.contains("KEPT=over"))
      #expect(lines.contains("HOTGLUE_JOB=\(id)"))
      #expect(lines.contains("HOTGLUE_FENCE=1"))
      #expect(lines.contains("HOTGLUE_WORKSPACE=main"))
      #expect(lines.contains("PATH=/usr/bin:/bin:/opt/hotglue/bin"))
      #expect(!lines.contains("HOTGLUE_JOB=77"))
      #expect(lines.contains { $0.hasPrefix("{\"n\":1}") })
      #expect(lines.contains { $0.hasSuffix("0022") })
      #expect(lines.contains("    \"fence\": 1"))
    }

    @Test("an argument that the kernel does not take fails its job, with the kernel's reason")
    func argumentTooLong() throws {
      let yard = try Yard()
      let id = try yard.enqueue(String(repeating: "y", count: 200_000))
      try yard.drain()
      let job = try yard.job(id)
      #expect(job.state == .failed && job.error?.code == "not_executable")
      #expect(job.error?.message.contains("argument list too long") == true)
    }

    @Test("PWD is the directory of the job, and OLDPWD is not the worker's")
    func directory() throws {
      let yard = try Yard(environment: ["PATH=/usr/bin:/bin", "PWD=/elsewhere", "OLDPWD=/before"])
      let id = try yard.enqueue("printenv PWD; printenv OLDPWD || echo none")
      try yard.drain()
      #expect(try yard.log(id) == "\(yard.folder.path)\nnone\n")
    }

    @Test("a worker without room sleeps, though a job is due")
    func sleepsWithoutRoom() throws {
      let yard = try Yard()
      let other = try SQLiteStore.open(at: yard.place.storePath)
      let worker = try yard.worker(
        observing: { _ in },
        {
          $0.drain = false
          $0.maxJobs = 2
        })
      var turns = 0
      worker.eachTurn = {
        turns += 1
        // From another connection, as another process does it: that wakes the worker.
        if turns == 1 {
          let requests = ["sleep 0.5", "true"].map {
            EnqueueRequest(command: ["sh", "-c", $0], directory: yard.folder.path)
          }
          _ = try? other.enqueue(requests, in: yard.main, by: Yard.actor, at: yard.now())
        }
        return nil
      }
      #expect(try worker.run().ended == 2)
      #expect(turns < 100, "\(turns) turns")
    }

    @Test("a worker of one job sleeps while that runs, and through its back-off")
    func sleepsForOneJob() throws {
      let yard = try Yard()
      let id = try yard.enqueue("sleep 0.3; [ -e tried ] || { touch tried; exit 75; }") {
        $0.policy.maxAttempts = 2
        $0.policy.backoff = Backoff(kind: .fixed, base: Span(milliseconds: 300))
      }
      let worker = try yard.worker(
        observing: { _ in },
        {
          $0.drain = false
          $0.only = id
        })
      var turns = 0
      worker.eachTurn = {
        turns += 1
        return nil
      }
      #expect(try worker.run().ended == 2)
      #expect(turns < 100, "\(turns) turns")
    }

    @Test("one claim is one claim; a limit key lets one job run at a time")
    func bounds() throws {
      let yard = try Yard()
      for _ in 1...3 {
        try yard.enqueue("mkdir busy || echo $HOTGLUE_JOB >>twice; sleep 0.05; rmdir busy") {
          $0.limitKey = "one"
        }
      }
      let once = try yard.drain {
        $0.drain = false
        $0.once = true
        $0.concurrency = 4
      }
      #expect(once.claimed == 1)
      let two = try yard.drain {
        $0.maxJobs = 1
        $0.drain = false
        $0.concurrency = 4
      }
      #expect(two.claimed == 1)
      try yard.drain { $0.concurrency = 4 }
      #expect(access(yard.folder.file("twice"), F_OK) != 0)
      for id in Int64(1)...3 { #expect(try yard.job(id).state == .succeeded) }
    }

    @Test("a time-out is unknown: run again when that is safe, uncertain when it is not")
    func timeouts() throws {
      let yard = try Yard()
      let unsafe = try yard.enqueue("exec sleep 100") {
        $0.policy.timeout = Span(milliseconds: 100)
      }
      let safe = try yard.enqueue("echo x >>runs; exec sleep 100") {
        // Time enough to leave its line.
        $0.policy.timeout = .seconds(3)
        $0.policy.replay = .safe
        $0.policy.maxLosses = 1
        $0.policy.backoff = Backoff(kind: .fixed, base: Span(milliseconds: 20))
      }
      try yard.drain { $0.concurrency = 2 }
      #expect(try yard.job(unsafe).state == .uncertain)
      #expect(try yard.job(safe).state == .failed)
      #expect(try yard.job(safe).losses == 2)
      #expect(try yard.text(yard.folder.file("runs")) == "x\nx\n")
      let attempt = try #require(try yard.store.attempts(of: unsafe, in: yard.main).last)
      #expect((attempt.outcome, attempt.reason) == (.unknown, "timeout"))
    }

    @Test(
      "the verify command decides an unknown outcome of an unsafe job",
      arguments: [(0, JobState.succeeded), (1, .failed), (2, .uncertain)])
    func verification(status: Int, state: JobState) throws {
      let yard = try Yard()
      let id = try yard.enqueue("kill -9 $$") {
        $0.policy.verify = "echo $HOTGLUE_JOB-$HOTGLUE_ATTEMPT >>asked; exit \(status)"
        $0.policy.maxLosses = 0
      }
      try yard.drain()
      #expect(try yard.job(id).state == state)
      #expect(try yard.text(yard.folder.file("asked")) == "\(id)-1\n")
    }

    @Test("a verify command has the key that the handler had, so that it can ask the other side")
    func verificationKey() throws {
      let yard = try Yard()
      let id = try yard.enqueue("echo $HOTGLUE_KEY $HOTGLUE_TYPE >>had; kill -9 $$") {
        $0.policy.verify = "echo $HOTGLUE_KEY $HOTGLUE_TYPE >>asked"
      }
      try yard.drain()
      #expect(try yard.job(id).state == .succeeded)
      let had = try yard.text(yard.folder.file("had"))
      #expect(had.hasSuffix("-1-\(id) exec\n"))
      #expect(try yard.text(yard.folder.file("asked")) == had)
    }

    @Test("a verify command that cannot be run decides nothing, and the worker goes on")
    func impossibleVerification() throws {
      let yard = try Yard()
      let id = try yard.enqueue("rmdir \"$PWD\"; kill -9 $$") {
        $0.policy.verify = "exit 0"
        mkdir(yard.folder.file("inner"), 0o700)
        $0.directory = yard.folder.file("inner")
      }
      let after = try yard.enqueue("true")
      try yard.drain()
      #expect(try yard.job(id).state == .uncertain)
      #expect(try yard.job(after).state == .succeeded)
    }

    @Test("below the free-space floor nothing is claimed, and a drain ends and says so")
    func freeSpace() throws {
      let yard = try Yard()
      let id = try yard.enqueue("true")
      let staying = try yard.drain {
        $0.drain = false
        $0.freeSpaceFloor = .max
        $0.maxTime = Span(milliseconds: 300)
      }
      #expect(staying.claimed == 0)
      #expect(!staying.couldNotClaim)
      let drain = try yard.drain { $0.freeSpaceFloor = .max }
      #expect(drain.claimed == 0)
      #expect(drain.couldNotClaim)
      #expect(try yard.job(id).state == .pending)
    }

    @Test("at the end of its time a worker leaves its attempt, and the next one adopts it")
    func handOver() throws {
      let yard = try Yard()
      let id = try yard.enqueue("echo x >>starts; while [ ! -e go ]; do sleep 0.02; done; echo end")
      let first = try yard.drain {
        $0.drain = false
        // Time enough to claim it.
        $0.maxTime = .seconds(3)
      }
      #expect(first.left == [id])
      #expect(try yard.job(id).state == .running)
      let file = try #require(fopen(yard.folder.file("go"), "we"))
      fclose(file)
      try yard.eventually("the attempt is recorded or can be adopted") {
        _ = try yard.drain()
        return try yard.job(id).state == .succeeded
      }
      #expect(try yard.text(yard.folder.file("starts")) == "x\n")
      #expect(try yard.job(id).losses == 0)
      #expect(try yard.log(id) == "end\n")
    }

    @Test("a worker that waits for its turn at the store has nothing to complain of, and goes on")
    func waitsForItsTurn() throws {
      let yard = try Yard()
      let id = try yard.enqueue("true")
      let gate = open(yard.place.folder + "/gate.b", O_RDWR | O_CLOEXEC)
      try #require(gate >= 0)
      defer { close(gate) }
      var problems: [String] = []
      let worker = try yard.worker(observing: { event in
        switch event {
        case .ready:
          // Longer than one of its tries.
          #expect(flock(gate, LOCK_EX) == 0)
          _ = BackgroundThread.start {
            sleep(3)
            flock(gate, LOCK_UN)
          }
        case .problem(let error): problems.append("\(error)")
        default: break
        }
      })
      _ = try worker.run()
      #expect(try yard.job(id).state == .succeeded)
      #expect(problems == [])
    }

    @Test("a worker that ends leaves no slot, no lock and no process behind")
    func cleanEnd() throws {
      let yard = try Yard()
      for _ in 1...5 { try yard.enqueue("true") }
      try yard.drain { $0.concurrency = 3 }
      try yard.eventually("the slots are gone") {
        try names(yard.place.folder + "/slots").isEmpty
      }
      #expect(try names(yard.place.folder + "/workers").isEmpty)
    }
  }
}

func names(_ path: String) throws -> [String] {
  let folder = try #require(opendir(path))
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

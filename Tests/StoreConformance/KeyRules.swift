import HotglueCore
import HotglueStore

extension JobStoreConformance {
  static let keyRules: [ConformanceRule] = [
    ConformanceRule("the same key with the same request is the same job") { fixture in
      let first = try fixture.enqueue {
        $0.key = "k"
        $0.payload = #"{"a": 1, "b": [2]}"#
      }
      var again = StoreFixture.request()
      again.key = "k"
      again.payload = #"{"b":[2],"a":1}"#
      again.priority = 9
      let made = try fixture.store.enqueue(
        [again, again], in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(
        made, [Enqueued(id: first, isNew: false), Enqueued(id: first, isNew: false)])
    },
    ConformanceRule("a key used twice in one call makes one job") { fixture in
      var request = StoreFixture.request()
      request.key = "k"
      let made = try fixture.store.enqueue(
        [request, request], in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(made.map(\.isNew), [true, false], "which are new")
      try requireEqual(made[0].id, made[1].id, "the second ID")
    },
    ConformanceRule("the same key with another payload is refused, and says in what") { fixture in
      let holder = try fixture.enqueue {
        $0.key = "k"
        $0.payload = "1"
      }
      let refusal = try fixture.refusal {
        try fixture.enqueue {
          $0.key = "k"
          $0.payload = "2"
        }
      }
      guard case .keyConflict("k", holder, let difference) = refusal else {
        throw BrokenRule(description: "refused with \(refusal)")
      }
      try require(difference.contains("payload"), "the difference is '\(difference)'")
    },
    ConformanceRule("a payload is the same JSON value, not the same text: 1.0 is 1, digits count") {
      fixture in
      let first = try fixture.enqueue {
        $0.key = "k"
        $0.payload = #"{"n": 9007199254740993, "a": 1.0}"#
      }
      let again = try fixture.enqueue {
        $0.key = "k"
        $0.payload = #"{"a":1,"n":9007199254740993.0}"#
      }
      try requireEqual(again, first, "the job of the same value")
      for payload in [#"{"a":1,"n":9007199254740992}"#, #"{"a":"1","n":9007199254740993}"#] {
        let refusal = try fixture.refusal {
          try fixture.enqueue {
            $0.key = "k"
            $0.payload = payload
          }
        }
        guard case .keyConflict("k", first, _) = refusal else {
          throw BrokenRule(description: "\(payload) is refused with \(refusal)")
        }
      }
    },
    ConformanceRule("a command with another spelling of a letter is another request") { fixture in
      let first = try fixture.enqueue("caf\u{E9}") { $0.key = "k" }
      let refusal = try fixture.refusal { try fixture.enqueue("cafe\u{301}") { $0.key = "k" } }
      guard case .keyConflict("k", first, _) = refusal else {
        throw BrokenRule(description: "refused with \(refusal)")
      }
    },
    ConformanceRule("the directory is part of the request") { fixture in
      let first = try fixture.enqueue { $0.key = "k" }
      let refusal = try fixture.refusal {
        try fixture.enqueue {
          $0.key = "k"
          $0.directory = "/usr"
        }
      }
      guard case .keyConflict("k", first, let difference) = refusal else {
        throw BrokenRule(description: "refused with \(refusal)")
      }
      try requireEqual(difference, "directory: /tmp there, /usr here")
      // That of a typed job is its type's, unless the request names one.
      _ = try fixture.setType("mail")
      func typed(_ directory: String?) throws -> JobID {
        try fixture.enqueue {
          $0.type = "mail"
          $0.command = []
          $0.key = "k"
          $0.overrides = TypeOverrides(directory: directory)
        }
      }
      let mail = try typed(nil)
      try requireEqual(try typed(nil), mail)
      guard case .keyConflict("k", mail, _) = try fixture.refusal({ _ = try typed("/usr") }) else {
        throw BrokenRule(description: "another directory is the same request")
      }
    },
    ConformanceRule("a job whose deadline has passed gives its key free as any other end does") {
      fixture in
      let first = try fixture.enqueue {
        $0.key = "k"
        $0.keyHold = .untilDone
        $0.expiresAt = fixture.now.advanced(by: .seconds(1))
      }
      fixture.advance(by: .seconds(1))
      let second = try fixture.enqueue("else") { $0.key = "k" }
      try require(second != first, "the expired job was returned")
      try requireEqual(try fixture.job(first).state, .cancelled)
      try fixture.requireSound()
    },
    ConformanceRule("a key belongs to one workspace and one type") { fixture in
      let first = try fixture.enqueue { $0.key = "k" }
      let otherWorkspace = try fixture.enqueue("else", in: fixture.beta) { $0.key = "k" }
      let otherType = try fixture.enqueue("else") {
        $0.key = "k"
        $0.type = "mail"
      }
      try requireEqual(Set([first, otherWorkspace, otherType]).count, 3, "number of jobs")
    },
    ConformanceRule("a key is held as long as its job is kept") { fixture in
      let first = try fixture.enqueue { $0.key = "k" }
      try fixture.settle(try fixture.claimOne().reference, .succeeded)
      fixture.advance(by: .days(13))
      try requireEqual(try fixture.enqueue { $0.key = "k" }, first, "the job of the key")
      fixture.advance(by: .days(2))
      _ = try fixture.store.prune(
        in: nil, by: .standard(at: fixture.now), limit: 10, dryRun: false, actor: nil,
        at: fixture.now)
      try require(try fixture.enqueue { $0.key = "k" } != first, "the key outlived its job")
    },
    ConformanceRule("a key held for a span is free after it, not before") { fixture in
      let first = try fixture.enqueue {
        $0.key = "k"
        $0.keyHold = .span(.hours(1))
      }
      fixture.advance(by: Span(milliseconds: Span.hours(1).milliseconds - 1))
      try requireEqual(try fixture.enqueue { $0.key = "k" }, first, "the job within the span")
      fixture.advance(by: Span(milliseconds: 1))
      try require(
        try fixture.enqueue("other") { $0.key = "k" } != first, "the key outlived its span")
      try fixture.requireSound()
    },
    ConformanceRule("a key held until done is free when its job has ended") { fixture in
      let first = try fixture.enqueue {
        $0.key = "k"
        $0.keyHold = .untilDone
        $0.policy.maxAttempts = 2
      }
      try fixture.settle(try fixture.claimOne().reference, .retry)
      try requireEqual(try fixture.enqueue { $0.key = "k" }, first, "the job between attempts")
      fixture.advance(by: .hours(2))
      try fixture.settle(try fixture.claimOne().reference, .failed)
      let second = try fixture.enqueue("other") { $0.key = "k" }
      try require(second != first, "the key outlived its job")
      let refusal = try fixture.refusal {
        _ = try fixture.store.retryAgain(
          first, in: fixture.acme, by: fixture.alice, at: fixture.now)
      }
      try requireEqual(refusal, .keyHeld(key: "k", job: second))
      _ = try fixture.store.cancel(
        second, in: fixture.acme, by: fixture.alice, at: fixture.now)
      _ = try fixture.store.retryAgain(first, in: fixture.acme, by: fixture.alice, at: fixture.now)
    },
    ConformanceRule("a key held until done stays held while the outcome is uncertain") { fixture in
      let first = try fixture.enqueue {
        $0.key = "k"
        $0.keyHold = .untilDone
      }
      try fixture.settle(try fixture.claimOne().reference, .unknown)
      try requireEqual(try fixture.job(first).state, .uncertain)
      try requireEqual(try fixture.enqueue { $0.key = "k" }, first, "the job of the key")
      _ = try fixture.store.resolve(
        first, in: fixture.acme, as: .failed, reason: "looked", by: fixture.alice,
        at: fixture.now)
      try require(try fixture.enqueue { $0.key = "k" } != first, "the key is still held")
    },
  ]
}

import Glibc
import HotglueCore
import HotglueProcess
import HotglueRunner
import HotglueStore
import Testing

extension Running {
  @Suite struct Streams {
    /// Answers each job, and notes its process and the job.
    private static let handler = """
      echo $$ >>handlers
      # Until all the others have begun, or a minute has gone by.
      slow() {
        for n in $(seq 3000); do [ $(wc -l <order) -lt 51 ] || return; sleep 0.02; done
        echo late >>order
      }
      while read -r line; do
        job=${line#*:}; job=${job%%,*}; fence=${line#*fence\\":}; fence=${fence%%,*}
        echo $job >>order
        case $line in *slow*) slow ;; esac
        echo "{\\"type\\":\\"result\\",\\"job\\":$job,\\"fence\\":$fence,\\"outcome\\":\\"succeeded\\"}" >&3
      done
      """

    private func type(_ name: String, in yard: Yard) throws {
      _ = try yard.store.setType(name, in: yard.main, by: Yard.actor, at: yard.now()) { _ in
        var type = TypeDefinition(
          command: ["/bin/sh", "-c", Self.handler], directory: yard.folder.path)
        type.isStream = true
        return type
      }
    }

    private func enqueue(
      _ type: String, payload: String? = nil, in yard: Yard
    ) throws -> JobID {
      let request = EnqueueRequest(
        type: type, command: [], directory: yard.folder.path, payload: payload,
        overrides: TypeOverrides())
      let made = try yard.store.enqueue([request], in: yard.main, by: Yard.actor, at: yard.now())
      return try #require(made.first).id
    }

    private func lines(_ name: String, in yard: Yard) throws -> [String] {
      try yard.text(yard.folder.file(name)).split(separator: "\n").map(String.init)
    }

    @Test(
      "jobs of streams and others begin in the order of their claims; an idle stream holds no seat")
    func order() throws {
      let yard = try Yard()
      try type("a", in: yard)
      try type("b", in: yard)
      var ids: [JobID] = []
      for turn in 0..<24 {
        switch turn % 8 {
        case 3: ids.append(try yard.enqueue("echo $HOTGLUE_JOB >>order"))
        case 5, 6: ids.append(try enqueue("b", in: yard))
        default: ids.append(try enqueue("a", in: yard))
        }
      }
      let summary = try yard.drain()
      #expect(summary.claimed == 24 && summary.ended == 24 && summary.endedBadly == 0)
      #expect(try lines("order", in: yard) == ids.map(String.init))
      // One seat, two types: each keeps its handler while the other works.
      #expect(try lines("handlers", in: yard).count == 2)
    }

    @Test("what waits behind a job that takes long is run by another handler meanwhile")
    func slow() throws {
      let yard = try Yard()
      try type("a", in: yard)
      for _ in 0..<30 { _ = try enqueue("a", in: yard) }
      let slow = try enqueue("a", payload: #""slow""#, in: yard)
      let behind = try (0..<20).map { _ in try enqueue("a", in: yard) }
      try yard.drain { $0.concurrency = 2 }
      #expect(try yard.job(slow).state == .succeeded)
      for id in behind {
        let job = try yard.job(id)
        #expect(job.state == .succeeded && job.attempt == 1)
      }
      let order = try lines("order", in: yard)
      #expect(order.count == 51 && !order.contains("late"))
    }

    @Test("a limit on the type holds for what is fed, not only for handlers")
    func limit() throws {
      let yard = try Yard()
      try type("a", in: yard)
      _ = try yard.store.setType("a", in: yard.main, by: Yard.actor, at: yard.now()) { current in
        var type = current
        type?.limit = 1
        return type
      }
      for _ in 0..<20 { _ = try enqueue("a", in: yard) }
      try yard.drain { $0.concurrency = 3 }
      #expect(try lines("handlers", in: yard).count == 1)
      #expect(try lines("order", in: yard).count == 20)
    }
  }
}

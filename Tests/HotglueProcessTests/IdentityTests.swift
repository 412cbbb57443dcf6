import Glibc
import HotglueFiles
import HotglueProcess
import Testing

extension Supervision {
  @Suite struct Identities {
    let workshop: Workshop

    init() throws { workshop = try Workshop() }

    @Test("a process is alive only as itself: same boot, same namespace, same start")
    func identity() throws {
      let here = try ProcessIdentity.current()
      #expect(here.pid == getpid() && here.startTime > 0 && here.pidNamespace > 0)
      #expect(try ProcessIdentity.isAlive(here))
      var other = here
      other.startTime += 1
      #expect(try ProcessIdentity.presence(of: other) == .dead)
      other = here
      other.bootID = "another boot"
      #expect(try ProcessIdentity.presence(of: other) == .dead)
      other = here
      other.pidNamespace += 1
      #expect(try ProcessIdentity.presence(of: other) == .unseen)
    }

    @Test("a file lock has one holder, and is free when that one is gone")
    func fileLock() throws {
      let path = "\(workshop.root)/lock"
      let before = umask(0o777)
      var first: LockFile? = try LockFile(path)
      umask(before)
      let second = try LockFile(path)
      #expect(try first?.tryLock() == true)
      #expect(try second.tryLock() == false && LockFile.state(of: path) == .held)
      first?.unlock()
      #expect(try second.tryLock())
      second.unlock()
      #expect(try first?.tryLock() == true)
      first = nil
      #expect(LockFile.state(of: path) == .free)
      #expect(try second.tryLock() && second.isAtItsPath)
      second.removeFile()
      #expect(!second.isAtItsPath && LockFile.state(of: path) == .missing)
      // A lock on a file that was removed keeps nobody out.
      #expect(try LockFile.acquire(path, isShared: false)?.isAtItsPath == true)
    }

    @Test("random tokens have the asked length and do not repeat")
    func random() throws {
      let tokens = try (0..<100).map { _ in try randomHex(bytes: 16) }
      #expect(tokens.allSatisfy { $0.utf8.count == 32 })
      #expect(Set(tokens).count == 100)
    }
  }
}

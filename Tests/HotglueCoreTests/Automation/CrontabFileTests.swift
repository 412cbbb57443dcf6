import Testing

@testable import HotglueCore

@Suite("crontabs")
struct CrontabFileTests {
  @Test("lines, variables, percent signs and CRON_TZ are read as cron reads them")
  func file() throws {
    let crontab = CrontabFile(
      #"""
      # comment
      SHELL=/bin/bash
      MAILTO="ops@example.com"
      PATH = "/usr/bin:/bin"

      30 2 * * *  /opt/backup.sh --all
      CRON_TZ=Europe/Berlin
      @daily mail -s 100\% ops%Hello%World
      	0 5 * * 1 tar -zcf /var/backups/home.tgz /home/
      61 nonsense
      """#, hasUsers: false)
    #expect(crontab.entries.map(\.line) == [6, 8, 9])
    let backup = crontab.entries[0]
    #expect(backup.schedule == "30 2 * * *")
    #expect(backup.command == "/opt/backup.sh --all")
    #expect(backup.shell == "/bin/bash")
    #expect(backup.environment == ["PATH=/usr/bin:/bin"])
    #expect(backup.timezone == nil)
    let mail = crontab.entries[1]
    #expect(mail.command == "mail -s 100% ops")
    #expect(mail.input == "Hello\nWorld\n")
    #expect(mail.timezone == "Europe/Berlin")
    #expect(crontab.entries[2].command == "tar -zcf /var/backups/home.tgz /home/")
    #expect(crontab.problems.map(\.line) == [3, 10])
  }

  @Test("a system crontab names a user behind the schedule")
  func users() throws {
    let text = "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"
    let entry = try #require(CrontabFile(text, hasUsers: true).entries.first)
    #expect(entry.user == "root")
    #expect(entry.command == "cd / && run-parts --report /etc/cron.hourly")
  }
}

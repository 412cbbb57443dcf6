import CEntry
import Glibc
import HotglueCommands

entry_settle()

// A reader that goes away is told by `write`, not by the end of the program.
signal(SIGPIPE, SIG_IGN)
// So is a limit of file sizes: what is written fails with EFBIG, as on a full disk.
signal(SIGXFSZ, SIG_IGN)

let environment = CommandEnvironment.live()

// Text that is repaired on the way in would name another file, or be another command.
guard let arguments = System.arguments() else {
  environment.errorOutput.append(
    "hotglue: an argument is not UTF-8 text\nhint: put such text into a file\n")
  try? environment.errorOutput.flush()
  exit(64)
}

exit(Hotglue.run(arguments: arguments, in: environment))

import Glibc
import HotglueCommands

// A reader that goes away is told by `write`, not by the end of the program.
signal(SIGPIPE, SIG_IGN)
// So is a limit of file sizes: what is written fails with EFBIG, as on a full disk.
signal(SIGXFSZ, SIG_IGN)

Hotglue.reportMemoryLimits()
System.holdStandardStreams()
let wasFirst = Hotglue.leaveFirstProcess()
var environment = CommandEnvironment.live()
environment.endsAll = wasFirst

// The Swift runtime finds the arguments through /proc, and gives none where it cannot open a file there.
// A command without arguments would succeed and do nothing.
guard CommandLine.argc > 0 else {
  environment.errorOutput.append(
    "hotglue: cannot read its arguments from /proc\n"
      + "hint: mount it with 'mount -t proc proc /proc'; if it is mounted, 'ulimit -n' is too low\n"
  )
  try? environment.errorOutput.flush()
  exit(74)
}

// Text that is repaired on the way in would name another file, or be another command.
guard let arguments = System.arguments() else {
  environment.errorOutput.append(
    "hotglue: an argument is not UTF-8 text\nhint: put such text into a file\n")
  try? environment.errorOutput.flush()
  exit(64)
}

exit(Hotglue.run(arguments: arguments, in: environment))

import Glibc
import HotglueCommands

// A reader that goes away is told by `write`, not by the end of the program.
signal(SIGPIPE, SIG_IGN)

let environment = CommandEnvironment.live()

// The run-time library looks for the arguments in /proc/self/maps and gives none where it may not open
// that: a command that was told nothing would end well and have done nothing.
guard CommandLine.argc > 0 else {
  environment.errorOutput.append(
    "hotglue: cannot open /proc/self/maps, where its arguments are found\n"
      + "hint: let it open more files, see 'ulimit -n'\n")
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

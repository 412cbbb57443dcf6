import Glibc
import HotglueCommands

// A reader that goes away is told by `write`, not by the end of the program.
signal(SIGPIPE, SIG_IGN)

let arguments = CommandLine.arguments.dropFirst()
exit(Hotglue.run(arguments: Array(arguments), in: .live()))

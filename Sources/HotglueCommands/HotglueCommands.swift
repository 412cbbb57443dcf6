// HotglueCommands

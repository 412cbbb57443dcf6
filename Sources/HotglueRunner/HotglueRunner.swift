// HotglueRunner

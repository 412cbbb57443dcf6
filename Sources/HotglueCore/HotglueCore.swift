// HotglueCore

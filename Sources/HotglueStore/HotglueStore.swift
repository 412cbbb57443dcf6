// HotglueStore

// HotglueStoreSQLite

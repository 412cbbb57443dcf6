import Glibc

/// The free bytes that an ordinary user may still write where `path` is; `nil` if it cannot be told.
func freeBytes(at path: String) -> Int64? {
  var facts = statvfs()
  guard statvfs(path, &facts) == 0 else { return nil }
  return Int64(facts.f_bavail) * Int64(facts.f_frsize)
}

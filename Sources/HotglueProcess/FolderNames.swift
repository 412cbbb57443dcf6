import Glibc

/// The names in a folder, without those of the folder itself; none when there is no such folder.
public func namesIfThere(in folder: String) throws(ProcessError) -> [String] {
  guard let entries = opendir(folder) else {
    if errno == ENOENT { return [] }
    throw .system(call: "opendir", path: folder, errno: errno)
  }
  defer { closedir(entries) }
  var names: [String] = []
  while let entry = readdir(entries) {
    let name = text(of: entry.pointee.d_name)
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

/// The same; none also when the folder cannot be read.
public func names(in folder: String) -> [String] {
  do throws(ProcessError) {
    return try namesIfThere(in: folder)
  } catch {
    return []
  }
}

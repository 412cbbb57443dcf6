import Glibc
import HotglueFiles

/// The names in a folder, without those of the folder itself; none when there is no such folder. A link to
/// a folder is not followed, unless that is asked for.
public func namesIfThere(
  in folder: String, followsLink: Bool = false
) throws(ProcessError) -> [String] {
  do throws(FileError) {
    return try SharedFile.names(in: folder, followsLink: followsLink)
  } catch {
    if error.code == ENOENT { return [] }
    throw ProcessError(error)
  }
}

/// The same; none also when the folder cannot be read.
public func names(in folder: String, followsLink: Bool = false) -> [String] {
  do throws(ProcessError) {
    return try namesIfThere(in: folder, followsLink: followsLink)
  } catch {
    return []
  }
}

import Glibc
import HotglueCore

/// Why a zone cannot be used.
enum ZoneError: Error, Equatable {
  case unknown(name: String, near: [String])
  /// There is no directory of zone files at all.
  case noData(name: String)
  case unusable(name: String, reason: String)
}

/// Finds the zones of this machine: their files, and the one that its clock shows.
struct ZoneFiles {
  let directories: [String]
  let variables: [String: String]

  init(variables: [String: String]) {
    self.variables = variables
    let own = variables["TZDIR"].flatMap { $0.hasPrefix("/") ? [$0] : nil } ?? []
    directories = own + ["/usr/share/zoneinfo", "/usr/lib/zoneinfo"]
  }

  /// The zone of that name. `UTC` needs no file.
  func zone(_ name: String) throws(ZoneError) -> Zone {
    if name == "UTC" { return .utc }
    guard Zone.isName(name) else {
      throw .unusable(name: name, reason: "a zone is named as in Europe/Berlin")
    }
    let present = directories.filter { realPath($0) != nil }
    guard !present.isEmpty else { throw .noData(name: name) }
    for directory in present {
      guard let root = realPath(directory), let path = realPath("\(directory)/\(name)") else {
        continue
      }
      guard path.hasPrefix(root + "/") else {
        throw .unusable(name: name, reason: "'\(directory)/\(name)' leads out of its directory")
      }
      return try read(path, name: name)
    }
    throw .unknown(name: name, near: near(name, in: present))
  }

  /// The zone of this machine, and where its name came from: `TZ` or `/etc/localtime`.
  func local() throws(ZoneError) -> (zone: Zone, origin: String) {
    if let text = variables["TZ"] { return (try zone(ofVariable: text), "TZ") }
    let link = "/etc/localtime"
    guard let path = realPath(link) else { return (.utc, "default") }
    for directory in directories {
      guard let root = realPath(directory), path.hasPrefix(root + "/") else { continue }
      return (
        try read(path, name: linkedName(link) ?? String(path.dropFirst(root.count + 1))), link
      )
    }
    return (try read(path, name: "localtime"), link)
  }

  /// `TZ` names a zone, or is a rule itself (`CET-1CEST,M3.5.0,M10.5.0/3`).
  private func zone(ofVariable text: String) throws(ZoneError) -> Zone {
    var name = text.hasPrefix(":") ? String(text.dropFirst()) : text
    if name.isEmpty { return .utc }
    for directory in directories where name.hasPrefix(directory + "/") {
      name = String(name.dropFirst(directory.count + 1))
    }
    do throws(ZoneError) {
      return try zone(name)
    } catch {
      guard let rule = Zone(name: name, rule: name) else { throw error }
      return rule
    }
  }

  /// The name by which the link calls its zone, which its real path may have replaced by another.
  private func linkedName(_ link: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(link, &bytes, bytes.count)
    guard count > 0,
      let target = String(validating: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    else { return nil }
    for directory in directories where target.hasPrefix(directory + "/") {
      return String(target.dropFirst(directory.count + 1))
    }
    return nil
  }

  private func read(_ path: String, name: String) throws(ZoneError) -> Zone {
    // A FIFO must not hold the command up, and a device has no end.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw .unusable(name: name, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unusable(name: name, reason: "'\(path)' is not a regular file")
    }
    var bytes = [UInt8](repeating: 0, count: Zone.largestFile + 1)
    var length = 0
    while length < bytes.count {
      let count = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw .unusable(name: name, reason: String(cString: strerror(errno)))
      }
      if count == 0 { break }
      length += count
    }
    do throws(ZoneFileError) {
      return try Zone(name: name, tzif: Array(bytes[..<length]))
    } catch {
      throw .unusable(name: name, reason: "'\(path)' \(error.words)")
    }
  }

  private func realPath(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(validatingCString: found)
  }

  /// Names like `name`, from `tzdata`'s own list.
  private func near(_ name: String, in directories: [String]) -> [String] {
    var names: [String] = []
    for directory in directories {
      guard let file = fopen("\(directory)/tzdata.zi", "re") else { continue }
      defer { fclose(file) }
      var line: UnsafeMutablePointer<CChar>?
      var capacity = 0
      defer { free(line) }
      while getline(&line, &capacity, file) > 0, names.count < 2000 {
        guard let line, let text = String(validatingCString: line) else { continue }
        let words = text.split { $0 == " " || $0 == "\n" }
        // `Z NAME …` is a zone, `L TARGET NAME` a link.
        if words.first == "Z", words.count > 1 { names.append(String(words[1])) }
        if words.first == "L", words.count > 2 { names.append(String(words[2])) }
      }
    }
    let exact = names.filter { $0.lowercased() == name.lowercased() }
    if !exact.isEmpty { return exact }
    let city = names.filter { $0.lowercased().hasSuffix("/" + name.lowercased()) }
    return city.isEmpty ? NearMatch.among(names, to: name) : Array(city.prefix(3))
  }
}

extension ZoneFileError {
  fileprivate var words: String {
    switch self {
    case .notATimeZoneFile: "is not a time zone file"
    case .version1: "is of version 1, which holds no times after 2037"
    case .leapSeconds: "counts leap seconds, which the system's clock does not"
    case .damaged(let part): "is damaged (\(part))"
    }
  }
}

extension CommandEnvironment {
  /// The zone that this machine's clock shows; nil where its file cannot be read.
  func localZone() -> Zone? { try? ZoneFiles(variables: variables).local().zone }
}

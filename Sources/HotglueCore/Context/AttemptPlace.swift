/// What the path of a handler's context says: `STORE.d/slots/SLOT.JOB-FENCE.json`.
///
/// Of a job that was fed to a stream there is no such file: the name alone says whose it is.
public struct AttemptPlace: Hashable, Sendable {
  /// The store's folder.
  public let folder: String
  public let slot: String
  public let pin: ContextFile.Pin

  public init?(contextPath path: String) {
    guard let place = Self.parts(of: path) else { return nil }
    let numbers = place.what.split(separator: "-")
    guard numbers.count == 2, let job = JobID(numbers[0]), let fence = Fence(numbers[1]) else {
      return nil
    }
    folder = place.folder
    slot = place.slot
    pin = ContextFile.Pin(job: job, fence: fence)
  }

  /// The context file of the stream that has the job in hand.
  public var streamContextPath: String { "\(folder)/slots/\(slot).stream.json" }

  /// Whether a file of this name may say this. A supervisor names one file anew for each attempt:
  /// one that was opened under the name before says what the next attempt is.
  static func name(_ path: String, fits file: ContextFile) -> Bool {
    if let place = AttemptPlace(contextPath: path) { return file.pinned == place.pin }
    return parts(of: path)?.what == "stream" ? file.isOfStream : true
  }

  /// Of a stream's own context: what the context of a job that it has in hand is.
  public static func contextPath(of pin: ContextFile.Pin, besideStream path: String) -> String? {
    guard let parts = parts(of: path), parts.what == "stream" else { return nil }
    return "\(parts.folder)/slots/\(parts.slot).\(pin.job)-\(pin.fence).json"
  }

  private static func parts(of path: String) -> (folder: String, slot: String, what: Substring)? {
    let slots = Path.folder(of: path)
    let folder = Path.folder(of: slots)
    let parts = Path.name(of: path).split(separator: ".")
    guard Path.name(of: slots) == "slots", folder.hasSuffix(".d"), parts.count == 3,
      parts[2] == "json"
    else { return nil }
    return (folder, String(parts[0]), parts[1])
  }
}

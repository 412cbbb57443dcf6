import HotglueProcess
import HotglueStore

/// What a command writes, as long as it is not too much to be kept.
struct CapturedOutput {
  private var bytes: [UInt8] = []
  private var count: Int64 = 0
  /// Where an output that is too much waits as a whole.
  private let folder: String?
  private(set) var whole: SpoolFile?
  private(set) var failure: ProcessError?

  init(spooling folder: String? = nil) { self.folder = folder }

  mutating func append(_ more: [UInt8]) {
    count += Int64(more.count)
    if count <= EffectOutput.limit {
      bytes += more
      return
    }
    do throws(ProcessError) {
      if let folder, failure == nil {
        let file: SpoolFile
        if let whole { file = whole } else { file = try SpoolFile(in: folder) }
        whole = file
        try file.append(bytes + more)
      }
    } catch {
      failure = error
    }
    bytes = []
  }

  var output: EffectOutput {
    EffectOutput(bytes: count <= EffectOutput.limit ? bytes : nil, count: count)
  }
}

import HotglueCore
import HotglueRunner
import HotglueStore

extension Finding {
  /// What keeps a store from being used, in the words of the refusal that commands meet.
  init(ofStore error: StoreError, given: GivenArguments) {
    let refusal = CommandError(error)
    let (code, path): (FindingCode, String?) =
      switch error {
      case .missing(let path): (.storeMissing, path)
      case .notAStore(let path): (.storeUnusable, path)
      case .corrupt(let path, _): (.storeCorrupt, path)
      case .newerSchema(let path, _, _): (.schemaNewer, path)
      case .readOnly(let path): (.storeReadOnly, path)
      case .busy: (.storeBusy, nil)
      case .notPermitted(let path, _, _): (.notPrivate, path)
      case .unsupportedFileSystem(let path, _): (.fileSystem, path)
      case .otherStore(let path, _, _): (.otherStore, path)
      case .copied(let path): (.storeMoved, path)
      default: (.storeUnusable, nil)
      }
    self.init(code, refusal.message, path: path, remedy: refusal.hint?.text(for: given))
  }

  /// A look that could not be ended.
  init(ofFailure error: any Error, path: String, given: GivenArguments) {
    switch error {
    case let error as StoreError: self.init(ofStore: error, given: given)
    case RunnerError.store(let error): self.init(ofStore: error, given: given)
    default:
      let refusal = CommandError(from: error)
      self.init(.storeUnusable, refusal.message, path: path, remedy: refusal.hint?.text(for: given))
    }
  }

  /// A context that is there and is refused; `nil` for any other refusal.
  init?(ofContext error: CommandError, given: GivenArguments) {
    switch error.code {
    case "not_permitted":
      self.init(.notPrivate, error.message, path: error.path, remedy: error.hint?.text(for: given))
    case "bad_context_file":
      self.init(
        .contextUnusable, error.message, path: error.path, remedy: error.hint?.text(for: given))
    default: return nil
    }
  }
}

extension CommandError {
  fileprivate var path: String? {
    JSON.object(facts)["path"]?.stringValue
  }
}

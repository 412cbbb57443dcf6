import Glibc

/// What both processes see: the input that is being read, and how far the run is.
struct Board {
  static let bytes = 8 << 20
  let memory: UnsafeMutableRawPointer

  init(descriptor: Int32) throws {
    let memory = mmap(nil, Self.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let memory, memory != MAP_FAILED else { throw Finding("mmap failed") }
    self.memory = memory
  }

  /// The seed of the input; 0: it is a kept one.
  var seed: UInt64 {
    get { memory.load(as: UInt64.self) }
    nonmutating set { memory.storeBytes(of: newValue, as: UInt64.self) }
  }
  var count: Int64 {
    get { memory.load(fromByteOffset: 8, as: Int64.self) }
    nonmutating set { memory.storeBytes(of: newValue, toByteOffset: 8, as: Int64.self) }
  }
  var findings: Int64 {
    get { memory.load(fromByteOffset: 16, as: Int64.self) }
    nonmutating set { memory.storeBytes(of: newValue, toByteOffset: 16, as: Int64.self) }
  }
  var input: [UInt8] {
    get {
      let length = min(memory.load(fromByteOffset: 24, as: Int.self), Self.bytes - 32)
      return Array(UnsafeRawBufferPointer(start: memory + 32, count: max(0, length)))
    }
    nonmutating set {
      let length = min(newValue.count, Self.bytes - 32)
      newValue.withUnsafeBytes { bytes in
        if let start = bytes.baseAddress {
          (memory + 32).copyMemory(from: start, byteCount: length)
        }
      }
      memory.storeBytes(of: length, toByteOffset: 24, as: Int.self)
    }
  }

  static let descriptor: Int32 = 9
}

/// The process that gives a target its inputs.
struct Child {
  private let name: String
  private let options: Options
  private let board: Board
  /// An input that makes a reader grow past this ends the process.
  private static let mostMemory: rlim_t = 4 << 30

  init(_ name: String, _ options: Options) throws {
    self.name = name
    self.options = options
    board = try Board(descriptor: Board.descriptor)
  }

  func run() throws -> Int32 {
    let folder = try makeFolder()
    defer { removeAll(folder) }
    let target = try FuzzTargets.make(name, folder: folder, samples: options.samples)
    var memory = rlimit(rlim_cur: Self.mostMemory, rlim_max: Self.mostMemory)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
    if options.replaysKept {
      board.seed = 0
      for file in Files.names(in: "\(options.kept)/\(name)") {
        let input = try Files.read("\(options.kept)/\(name)/\(file)")
        board.input = input
        board.count += 1
        try look(target, input, "kept input \(file)")
      }
    }
    var seed = max(1, options.seed)
    while milliseconds() < options.until, board.findings < Parent.mostFindings {
      var chance = Chance(seed: seed)
      let input = target.input(&chance)
      board.input = input
      board.seed = seed
      board.count += 1
      try look(target, input, "seed \(seed)")
      seed += 1
    }
    return 0
  }

  private func look(_ target: any FuzzTarget, _ input: [UInt8], _ origin: String) throws {
    do {
      try target.run(input)
    } catch let finding as Finding {
      board.findings += 1
      Parent.tell(name, origin, finding.description, input, options)
    }
  }
}

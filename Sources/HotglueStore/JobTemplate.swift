public import HotglueCore

/// A request that is kept, to be enqueued later and more than once.
extension EnqueueRequest {
  /// The request as JSON, in the keys of its flags.
  public var template: JSON {
    var members: [JSON.Member] = []
    func add(_ key: String, _ value: JSON) { members.append(JSON.Member(key, value)) }
    if overrides == nil { add("command", .strings(command)) } else { add("type", .string(type)) }
    if overrides == nil, type != TypeName.bareCommand { add("type", .string(type)) }
    // Those of a job of a type are its type's, unless it says otherwise below.
    if overrides == nil {
      add("cwd", .string(directory))
      add("umask", .string(umask.text))
    }
    if !environment.isEmpty { add("env", .strings(environment)) }
    if let payload { add("payload", .string(payload)) }
    if let key {
      add("key", .string(key))
      switch keyHold {
      case .whileKept: break
      case .untilDone: add("key_for", .string("done"))
      case .span(let span): add("key_for", .string(span.text))
      }
    }
    if let overrides {
      if let directory = overrides.directory { add("own_cwd", .string(directory)) }
      if let queue = overrides.queue { add("queue", .string(queue)) }
      if let priority = overrides.priority { add("priority", .integer(priority)) }
      if let limitKey = overrides.limitKey { add("limit_key", .text(limitKey)) }
      if let limitMax = overrides.limitMax { add("limit_max", .integer(limitMax)) }
      if !overrides.policy.isEmpty { add("policy", .object(overrides.policy)) }
    } else {
      add("queue", .string(queue))
      add("priority", .integer(priority))
      add("limit_key", .text(limitKey))
      if limitKey != nil { add("limit_max", .integer(limitMax)) }
      add("policy", policy.json(complete: true))
    }
    return .object(members)
  }

  /// Reads what `template` wrote; `nil` where a value is not of its key's form.
  public init?(template json: JSON) {
    let type = json["type"]?.stringValue ?? TypeName.bareCommand
    let command = json["command"]?.stringArray
    self.init(
      type: type, command: command ?? [], directory: json["cwd"]?.stringValue ?? "/",
      environment: json["env"]?.stringArray ?? [], payload: json["payload"]?.stringValue)
    if let text = json["umask"]?.stringValue {
      guard let umask = FileMask(text) else { return nil }
      self.umask = umask
    }
    key = json["key"]?.stringValue
    switch json["key_for"]?.stringValue {
    case nil: break
    case "done"?: keyHold = .untilDone
    case let text?:
      guard let span = Span(text) else { return nil }
      keyHold = .span(span)
    }
    let priority = json["priority"]?.boundedInteger.map { Int($0) }
    let limitMax = json["limit_max"]?.boundedInteger.map { Int($0) }
    guard command != nil else {
      var limitKey: String??
      if let value = json["limit_key"] { limitKey = .some(value.stringValue) }
      overrides = TypeOverrides(
        policy: json["policy"]?.members ?? [], directory: json["own_cwd"]?.stringValue,
        queue: json["queue"]?.stringValue, priority: priority,
        limitKey: limitKey, limitMax: limitMax)
      return
    }
    queue = json["queue"]?.stringValue ?? queue
    self.priority = priority ?? 0
    limitKey = json["limit_key"]?.stringValue
    self.limitMax = limitMax ?? 1
    guard let policy = JobPolicy.bareCommand.applying(json["policy"] ?? .object([])) else {
      return nil
    }
    self.policy = policy
  }
}

import HotglueCore

/// How results and notes are shown: one place for tables, JSON, IDs, colours and breadcrumbs.
struct Output {
  let environment: CommandEnvironment
  let options: GlobalOptions

  init(_ environment: CommandEnvironment, _ options: GlobalOptions) {
    self.environment = environment
    self.options = options
  }

  var isJSON: Bool { options.json || options.format == .json }
  var isQuiet: Bool { options.quiet }
  var isTerminal: Bool { environment.isTerminal(.output) }

  /// Whether text is laid out for people: headings, alignment, distances.
  var isTable: Bool { options.format.map { $0 == .table } ?? isTerminal }

  /// Whether a watch draws over what it showed before; elsewhere it adds what has changed.
  var drawsOver: Bool { isTerminal && isTable && !isJSON && !isQuiet }

  /// Whether text on standard output is coloured: `--color`, then `NO_COLOR`, then the terminal.
  var isColored: Bool {
    switch options.color {
    case .always: return true
    case .never: return false
    case .auto:
      if let off = environment.variables["NO_COLOR"], !off.isEmpty { return false }
      return isTerminal && environment.variables["TERM"] != "dumb"
    }
  }

  /// A line of text that may hold what users stored: made visible as a whole.
  func line(_ text: String) { environment.output.append(Visible.text(text) + "\n") }

  /// A line made of parts that are safe already.
  func rawLine(_ text: String) { environment.output.append(text + "\n") }

  /// The one object of a command with `--json`: over several lines for a person at a terminal.
  func object(_ json: JSON) {
    jsonText(isTerminal ? json.prettyText : json.text)
  }

  /// One line of JSON Lines.
  func jsonLine(_ json: JSON) { jsonText(json.text) }

  /// JSON that is written already, with what is unsafe at a terminal escaped there.
  func jsonText(_ text: String) {
    environment.output.append((isTerminal ? Visible.json(text) : text) + "\n")
  }

  /// Bytes that others wrote, all of them.
  func stored(_ bytes: some Sequence<UInt8>) {
    let output = StoredBytes(self)
    output.append(bytes)
    output.end()
  }

  /// Something to know beside the result, on standard error. Not with `-q`.
  func note(_ text: String) {
    if !isQuiet { error(text) }
  }

  /// A note that names commands, which then work as they stand.
  func note(naming text: Hint) { note(text.text(for: environment.given)) }

  /// What to do next, after something that was done.
  func hint(_ hint: Hint) { note(naming: "hint: \(hint)") }

  /// Something that is wrong and does not end the command: in the form of a refusal.
  func warning(_ problem: CommandError) {
    environment.errorOutput.append(problem.lines(json: isJSON, in: environment))
    try? environment.errorOutput.flush()
  }

  /// What only `-v` wants to know.
  func detail(_ text: String) {
    if options.verbose { error(text) }
  }

  /// Where the person is: `acme › jobs › 42`, when standard error is a terminal.
  func breadcrumb(_ parts: String...) {
    guard environment.isTerminal(.error), !isQuiet, !isJSON else { return }
    error(parts.joined(separator: " › "))
  }

  private func error(_ text: String) {
    // A note follows what it is about.
    try? environment.output.flush()
    environment.errorOutput.append(Visible.text(text) + "\n")
    // Notes appear at once. A standard error that is gone is nobody's loss.
    try? environment.errorOutput.flush()
  }

  /// A result in the form that was asked for: an object, IDs alone, or text.
  func result(json: @autoclosure () -> JSON, id: @autoclosure () -> String, text: () -> String) {
    if isJSON {
      object(json())
    } else if isQuiet {
      line(id())
    } else {
      line(text())
    }
  }

  func styled(_ text: String, _ style: Style?) -> String {
    guard isColored, let style else { return text }
    return "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m"
  }

  /// Rows, aligned under headings for a terminal; else tab-separated, without headings.
  func table(_ headings: [String], _ rows: [[Cell]]) {
    if isTable { aligned(headings, rows) } else { separated(rows) }
  }

  private func separated(_ rows: [[Cell]]) {
    for row in rows {
      let cells = row.map { styled(Visible.text($0.plain), $0.style) }
      rawLine(cells.joined(separator: "\t"))
    }
  }

  private func aligned(_ headings: [String], _ rows: [[Cell]]) {
    guard !rows.isEmpty else { return }
    let texts = rows.map { row in row.map { Visible.text(shown($0)) } }
    let wanted = headings.indices.map { column in
      max(TextWidth.of(headings[column]), texts.map { TextWidth.of($0[column]) }.max() ?? 0)
    }
    let widths = ColumnWidths.fitted(wanted, into: environment.terminalSize(.output)?.columns)
    func line(_ row: [String], _ styles: [Style?]) -> String {
      row.indices.map { column -> String in
        let text = TextWidth.cut(row[column], to: widths[column])
        let padding = max(0, widths[column] - TextWidth.of(text))
        return styled(text, styles[column])
          + (column < row.count - 1 ? String(repeating: " ", count: padding) : "")
      }.joined(separator: "  ")
    }
    rawLine(line(headings.map { $0.uppercased() }, headings.map { _ in .faint }))
    for (row, text) in zip(rows, texts) { rawLine(line(text, row.map(\.style))) }
  }

  /// A value in a column, where times are distances.
  private func shown(_ cell: Cell) -> String {
    options.utc ? cell.plain : cell.forPeople(environment.now())
  }

  /// A value with a line of its own, where a time is told in full.
  private func shownInFull(_ cell: Cell) -> String {
    guard let time = cell.time, !options.utc else { return cell.plain }
    let offset = environment.localZone()?.period(at: time.milliseconds / 1000).offset ?? 0
    return "\(time.text(offsetSeconds: offset)) (\(cell.forPeople(environment.now())))"
  }

  /// Names and values below each other, as `show` prints them; without alignment off a terminal.
  func fields(_ fields: [(name: String, cell: Cell)]) {
    let width = fields.map(\.name.count).max() ?? 0
    for (name, cell) in fields {
      if isTable {
        let padding = String(repeating: " ", count: width - name.count + 2)
        rawLine(
          styled(name, .faint) + padding
            + styled(Visible.text(shownInFull(cell)), cell.style))
      } else {
        rawLine(name + "\t" + styled(Visible.text(cell.plain), cell.style))
      }
    }
  }
}

/// The colours there are, by meaning.
enum Style: String {
  case good = "32"
  case bad = "31"
  case doubtful = "33"
  case active = "36"
  case faint = "2"
}

/// One value of a table, with its form for people and its form for programs.
struct Cell {
  /// For programs: times in RFC 3339.
  var plain: String
  var style: Style?
  fileprivate var time: Timestamp?

  init(_ text: String?, _ style: Style? = nil) {
    plain = text ?? "-"
    self.style = style
  }

  init(_ number: some BinaryInteger, _ style: Style? = nil) { self.init(String(number), style) }

  init(_ time: Timestamp?, _ style: Style? = nil) {
    self.init(time?.rfc3339, style)
    self.time = time
  }

  init(_ state: JobState) {
    let style: Style? =
      switch state {
      case .succeeded: .good
      case .failed: .bad
      case .uncertain: .doubtful
      case .running: .active
      case .cancelled: .faint
      case .pending, .blocked: nil
      }
    self.init(state.rawValue, style)
  }

  /// For people: a time is told by its distance from now (`5m 3s ago`, `in 2s`).
  func forPeople(_ now: Timestamp) -> String {
    guard let time else { return plain }
    let distance = Span(milliseconds: abs(time.milliseconds - now.milliseconds)).approximateText
    return time <= now ? "\(distance) ago" : "in \(distance)"
  }
}

extension Timestamp {
  /// `2026-03-01 09:30:00+01:00`
  func text(offsetSeconds offset: Int) -> String {
    let local = Timestamp(milliseconds: milliseconds + Int64(offset) * 1000).rfc3339
    let minutes = abs(offset) / 60
    func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
    return local.prefix(19).replacing("T", with: " ") + (offset < 0 ? "-" : "+")
      + padded(minutes / 60) + ":" + padded(minutes % 60)
  }
}

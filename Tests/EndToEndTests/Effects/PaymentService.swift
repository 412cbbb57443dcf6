import Foundation
import Testing

/// A payment service with a ledger of its own: a real HTTP server, which charges whoever asks. One
/// that honours keys charges once for each `Idempotency-Key`; the other charges every time.
final class PaymentService {
  let port: Int
  private let process: Process
  private let ledgerPath: String

  init(in world: World, honoursKeys: Bool) throws {
    let script = world.folder.appendingPathComponent("service.py")
    try Data(Self.source.utf8).write(to: script)
    let name = honoursKeys ? "keyed" : "plain"
    let portFile = world.folder.appendingPathComponent("port-\(name)")
    ledgerPath = world.folder.appendingPathComponent("ledger-\(name)").path
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", script.path, name, portFile.path, ledgerPath]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    // It is told of clients that died; that is the point here.
    process.standardError = FileHandle.nullDevice
    try process.runWithoutBlockedSignals()
    var text = ""
    try world.eventually("the service listens") {
      text = (try? String(contentsOf: portFile, encoding: .utf8)) ?? ""
      return text.hasSuffix("\n")
    }
    port = try #require(Int(text.trimmingCharacters(in: .newlines)))
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
  }

  /// How often each job was charged, as the ledger says.
  func charges() throws -> [String: Int] {
    guard FileManager.default.fileExists(atPath: ledgerPath) else { return [:] }
    let lines = try String(contentsOfFile: ledgerPath, encoding: .utf8).split(separator: "\n")
    return Dictionary(lines.map { (String($0), 1) }, uniquingKeysWith: +)
  }

  private static let source = """
    import http.server, os, sys, threading

    honours_keys = sys.argv[1] == "keyed"
    ledger = open(sys.argv[3], "a")
    lock = threading.Lock()
    receipts, charged = {}, {}

    class Service(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            key = self.headers.get("Idempotency-Key")
            with lock:
                receipt = receipts.get(key) if honours_keys else None
                if receipt is None:
                    receipt = f"receipt-{body}-{len(charged) + 1}"
                    charged.setdefault(body, receipt)
                    receipts[key] = receipt
                    ledger.write(body + "\\n")
                    ledger.flush()
            self.answer(201, receipt)

        def do_GET(self):
            with lock:
                receipt = charged.get(self.path.rsplit("/", 1)[-1])
            self.answer(404 if receipt is None else 200, receipt or "")

        def answer(self, status, text):
            self.send_response(status)
            self.send_header("Content-Length", str(len(text) + 1))
            self.end_headers()
            self.wfile.write((text + "\\n").encode())

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    with open(sys.argv[2] + ".new", "w") as file:
        file.write(f"{server.server_port}\\n")
    os.rename(sys.argv[2] + ".new", sys.argv[2])
    server.serve_forever()
    """

  /// A client that dies at a point that the seed chooses, with the handler and all between them.
  /// `charge PORT JOB KEY SEED ATTEMPT` prints the receipt; `find PORT JOB` exits 1 without one.
  static let client = """
    import os, random, signal, socket, sys, time

    def ask(port, head, body, on_sent=lambda: None):
        link = socket.create_connection(("127.0.0.1", port))
        text = f"{head} HTTP/1.0\\r\\nContent-Length: {len(body)}\\r\\n"
        if body:
            text += f"Idempotency-Key: {sys.argv[4]}\\r\\n"
        link.sendall((text + "\\r\\n" + body).encode())
        on_sent()
        answer = b""
        while piece := link.recv(4096):
            answer += piece
        head, _, body = answer.decode().partition("\\r\\n\\r\\n")
        return int(head.split()[1]), body

    def die_after_this():
        # The one that would confirm is stopped, so that it cannot before all of it is killed.
        runner = os.getppid()
        os.kill(runner, signal.SIGSTOP)
        if os.fork() == 0:
            os.closerange(0, 1024)
            while os.getppid() == client:
                time.sleep(0.001)
            os.killpg(0, signal.SIGKILL)

    client = os.getpid()
    port, job = int(sys.argv[2]), sys.argv[3]
    if sys.argv[1] == "find":
        status, body = ask(port, f"GET /charges/{job}", "")
        sys.stdout.write(body if status == 200 else "")
        sys.exit(0 if status == 200 else 1)

    seed, attempt = int(sys.argv[5]), int(os.environ["HOTGLUE_ATTEMPT"])
    point = random.Random(seed * 100 + attempt).randrange(6) if attempt < 4 else 5
    with open("points", "a") as file:
        file.write(f"{min(point, 4)}\\n")
    die = lambda: os.killpg(0, signal.SIGKILL)
    if point == 0:
        die()
    status, body = ask(port, "POST /charges", job, die if point == 1 else lambda: None)
    if point == 2:
        die()
    sys.stdout.write(body)
    sys.stdout.flush()
    if point == 3:
        die_after_this()
    """
}

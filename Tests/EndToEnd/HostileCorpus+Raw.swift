import Foundation
import ServiceHarness

extension HostileStage {
  /// Requests whose ends two programs may see at different places, and what is no request at all.
  var framing: [HostileCase] {
    let inner = "GET /v1/organizations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(admin)\r\n\r\n"
    let head = ["POST /v1/loan-requests HTTP/1.1", "Host: a", "Authorization: Bearer \(startup.key)"]
    func with(_ name: String, _ lines: [String], _ body: String, _ verdict: HostileCase.Verdict = .cut) -> HostileCase {
      HostileCase(name, raw(head + lines, body: Array(body.utf8)), verdict)
    }
    let chunked = "Transfer-Encoding: chunked"
    return [
      with("CL.TE", ["Content-Length: 4", chunked], "0\r\n\r\n" + inner),
      with("TE.CL", [chunked, "Content-Length: 4"], "5c\r\n" + inner + "0\r\n\r\n"),
      with("TE.TE", [chunked, "Transfer-Encoding: identity"], "0\r\n\r\n" + inner),
      with("coding with a space", ["Transfer-Encoding : chunked"], "0\r\n\r\n" + inner),
      with("coding with a tabulator", ["Transfer-Encoding:\tchunked", "Content-Length: 3"], "0\r\n\r\n" + inner),
      with("unknown coding", ["Transfer-Encoding: xchunked"], "0\r\n\r\n" + inner),
      with("chunked not last", ["Transfer-Encoding: chunked, gzip"], "0\r\n\r\n" + inner),
      with("gzip, then chunked", ["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n" + inner),
      with("folded coding", ["Transfer-Encoding:", " chunked"], "0\r\n\r\n" + inner),
      with("two lengths", ["Content-Length: 0", "Content-Length: 40"], inner),
      with("lengths in one", ["Content-Length: 0, 40"], inner), with("length of plus", ["Content-Length: +0"], inner),
      with("length of minus", ["Content-Length: -1"], inner), with("length in hex", ["Content-Length: 0x0"], inner),
      with("length of nothing", ["Content-Length: "], ""),
      with("length past a word", ["Content-Length: 18446744073709551617"], inner),
      with("length past all bounds", ["Content-Length: 9000000000000000000"], "", .status(413)),
      with("size past a word", [chunked], "FFFFFFFFFFFFFFFFF\r\nx"), with("size of minus", [chunked], "-1\r\nx\r\n"),
      with("size of words", [chunked], "zz\r\nx\r\n"), with("size with 0x", [chunked], "0x1\r\nx\r\n0\r\n\r\n"),
      with("no line end behind a chunk", [chunked], "1\r\nxyz\r\n0\r\n\r\n"),
      with("bare line feeds between chunks", [chunked], "1\nx\n0\n\n" + inner),
      with("chunk of 2 GiB", [chunked], "80000000\r\nx", .answers(1)),
      with("extension", [chunked, "Content-Type: application/json"], "2;a=b\r\n{}\r\n0\r\n\r\n", .answers(1)),
      with(
        "extension of 100 KB", [chunked], "1;" + String(repeating: "a", count: 100_000) + "\r\nx\r\n0\r\n\r\n",
        .answers(1)),
      with("trailers", [chunked], "0\r\nAuthorization: Bearer \(admin)\r\nContent-Length: 5\r\n\r\n", .answers(1)),
      HostileCase("HTTP/0.9", Array("GET /livez\r\n".utf8), .cut),
      HostileCase("HTTP/2 by prior knowledge", Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), .cut),
      HostileCase("HTTP/3.0", Array("GET /livez HTTP/3.0\r\nHost: a\r\n\r\n".utf8), .cut),
      HostileCase("HTTP/1.10", Array("GET /livez HTTP/1.10\r\nHost: a\r\n\r\n".utf8), .cut),
      HostileCase("no protocol", Array("GET /livez FTP/1.1\r\nHost: a\r\n\r\n".utf8), .cut),
      HostileCase("small letters", Array("get /livez http/1.1\r\nhost: a\r\n\r\n".utf8), .cut),
      HostileCase("unknown method", Array("HACK /livez HTTP/1.1\r\nHost: a\r\n\r\n".utf8), .cut),
      HostileCase("no method", Array(" /livez HTTP/1.1\r\nHost: a\r\n\r\n".utf8), .cut),
      HostileCase("two spaces", Array("GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n".utf8), .answers(1)),
      HostileCase("connect", Array("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\nSSH-2.0\r\n".utf8), .status(400)),
      HostileCase("TLS", [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] + [UInt8](repeating: 7, count: 400), .cut),
      HostileCase("noise", (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }, .cut),
      HostileCase("bare line feeds", Array("GET /livez HTTP/1.1\nHost: a\n\n".utf8), .answers(1)),
      HostileCase(
        "another protocol", raw(["GET /livez HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: h2c"]), .answers(1)),
      HostileCase(
        "absolute form", raw(["GET http://elsewhere/v1/lots HTTP/1.1", "Host: a"]), .status(401)),
      HostileCase(
        "three in one write", Array(String(repeating: "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", count: 3).utf8),
        .answers(3)),
      HostileCase(
        "a good one, then nonsense", Array(("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n" + "NONSENSE\r\n\r\n").utf8),
        .answers(2)),
    ]
  }
}

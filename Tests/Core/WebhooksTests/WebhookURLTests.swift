import Testing
import Webhooks

@Suite("Where webhooks are sent")
struct WebhookURLTests {
  @Test(
    "takes names of the public internet over https",
    arguments: [
      ("https://hooks.lender.com", "hooks.lender.com", 443, "/"),
      ("https://Hooks.Lender.com/in?x=1", "hooks.lender.com", 443, "/in?x=1"),
      ("HTTPS://a.co:8443?x", "a.co", 8_443, "/?x"), ("https://xn--bcher-kva.ch/a/b", "xn--bcher-kva.ch", 443, "/a/b"),
      ("https://1e100.net/", "1e100.net", 443, "/"), ("https://lender.com./", "lender.com.", 443, "/"),
    ])
  func taken(_ text: String, _ host: String, _ port: Int, _ target: String) throws {
    let url = try WebhookURL(text)
    #expect(url.host == host && url.port == port && url.target == target && url.isSecure)
  }

  @Test(
    "refuses everything else, and says why",
    arguments: [
      ("http://hooks.lender.com/", WebhookURL.Fault.scheme), ("ftp://a.co/", .scheme), ("file:///etc/passwd", .scheme),
      ("gopher://a.co/", .scheme), ("javascript:alert(1)", .malformed), ("//a.co/", .malformed), ("", .malformed),
      ("https://", .malformed), ("https:///a", .malformed), ("https:a.co", .malformed), ("https://a.co/#x", .malformed),
      ("https://a.co\\@b.co/", .malformed), ("https://a.co/ x", .malformed), ("https://a.co/\r\nHost: x", .malformed),
      ("https://ünïcode.com/", .malformed), ("https://user@a.co/", .userInfo), ("https://a.co:443@b.co/", .userInfo),
      ("https://a:b@a.co/", .userInfo), ("https://a.co:22/", .port), ("https://a.co:5432/", .port),
      ("https://a.co:80/", .port), ("https://a.co:0/", .port), ("https://a.co:/", .malformed),
      ("https://a.co:99999/", .port), ("https://a.co:+443/", .malformed), ("https://127.0.0.1/", .address),
      ("https://8.8.8.8/", .address), ("https://2130706433/", .address), ("https://0x7f000001/", .address),
      ("https://0177.0.0.1/", .address), ("https://127.1/", .address), ("https://0x7f.0x1/", .address),
      ("https://[::1]/", .address), ("https://[::ffff:127.0.0.1]/", .address), ("https://[64:ff9b::7f00:1]/", .address),
      ("https://[fe80::1%25eth0]/", .address), ("https://[2001:db8::1]/", .address), ("https://[1.2.3.4]/", .malformed),
      ("https://169.254.169.254/latest/meta-data", .address), ("https://127.0.0.1./", .address),
      ("https://localhost/", .internalName), ("https://a.localhost/", .internalName), ("https://db/", .internalName),
      ("https://metadata.google.internal/", .internalName), ("https://printer.local/", .internalName),
      ("https://x.svc.cluster/", .internalName), ("https://1.0.0.127.in-addr.arpa/", .internalName),
      ("https://a..co/", .malformed), ("https://-a.co/", .malformed), ("https://a_b.co/", .malformed),
      ("https://.co/", .malformed), ("https://%31%32%37.0.0.1/", .address), ("https://a.co%00.b.com/", .malformed),
      ("https://" + String(repeating: "a", count: 64) + ".co/", .malformed),
      ("https://a.co/" + String(repeating: "a", count: 2_048), .malformed),
      ("http://127.0.0.1:8080/", .scheme), ("http://localhost:8080/", .scheme),
    ])
  func refused(_ text: String, _ fault: WebhookURL.Fault) {
    #expect(throws: fault) { try WebhookURL(text) }
  }

  @Test("a sandbox may allow loopback addresses in their canonical form, and nothing beside")
  func loopback() throws {
    #expect(try WebhookURL("http://127.0.0.1:8080/x", allowsLoopback: true).port == 8_080)
    #expect(try WebhookURL("http://[::1]:9/", allowsLoopback: true).host == "::1")
    for text in [
      "http://127.1:80/", "http://10.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/", "http://localhost/",
      "http://a.co/",
    ] {
      #expect(throws: WebhookURL.Fault.self, "\(text)") { try WebhookURL(text, allowsLoopback: true) }
    }
  }

  @Test("addresses that are not of the public internet are told from those that are")
  func addresses() {
    let inside = [
      "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255",
      "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
      "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1",
      "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:7f00:1", "::8.8.8.8", "64:ff9b::808:808",
      "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1",
      "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "5f00::1", "4000::1",
    ]
    for text in inside { #expect(InternetAddress(text)?.isGlobal == false, "\(text)") }
    let outside = [
      "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
      "192.0.1.1", "192.167.1.1", "198.17.1.1", "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111",
      "2001:4860:4860::8888", "2a00:1450::1", "2400::1",
    ]
    for text in outside { #expect(InternetAddress(text)?.isGlobal == true, "\(text)") }
    for text in [
      "127.1", "0177.0.0.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", ":::", "1::2::3", "12345::", "::g",
      "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "::+1", "1.2.3.4::", "",
    ] {
      #expect(InternetAddress(text) == nil, "\(text)")
    }
  }

  @Test("ten tries take 75 hours, 35 minutes and 5 seconds at least")
  func schedule() {
    let schedule = DeliverySchedule.usual
    let pauses = (1...9).compactMap { schedule.pause(after: $0, retryAfter: nil, jitter: 0) }
    #expect(pauses.count == 9 && pauses.reduce(0, +) == ((75 * 60 + 35) * 60 + 5) * 1_000)
    #expect(schedule.pause(after: 10, retryAfter: nil, jitter: 0) == nil)
    #expect(schedule.pause(after: 1, retryAfter: nil, jitter: 1_000) == 5_500)
    #expect(schedule.pause(after: 1, retryAfter: 60, jitter: 0) == 60_000)
    #expect(schedule.pause(after: 3, retryAfter: 60, jitter: 0) == 1_800_000)
    #expect(schedule.pause(after: 1, retryAfter: .max, jitter: 0) == 86_400_000)
    #expect(schedule.pause(after: 1, retryAfter: -1, jitter: 0) == 5_000)
  }
}

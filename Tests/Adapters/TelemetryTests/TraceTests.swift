import Testing
import Traces

@Suite("traces")
struct TraceTests {
  private static let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

  @Test("a traceparent is read as W3C Trace Context has it, and what is invalid is none")
  func parents() throws {
    let parent = try #require(TraceParent(Self.good))
    #expect(parent.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" && parent.isSampled)
    #expect(hexadecimal(parent.parent) == "00f067aa0ba902b7" && parent.header == Self.good)
    #expect(TraceParent("cc" + Self.good.dropFirst(2) + "-more")?.isSampled == true)
    #expect(TraceParent(Self.good.dropLast(2) + "00")?.isSampled == false)
    #expect(TraceParent(Self.good.dropLast(2) + "fe")?.isSampled == false)
    for text in [
      "", "00", "ff" + Self.good.dropFirst(2), Self.good + "-more", Self.good.uppercased(), Self.good + " ",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
      "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", "cc" + Self.good.dropFirst(2) + "more",
      "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
    ] { #expect(TraceParent(String(text)) == nil, "\(text)") }
  }

  @Test("a tracestate is passed on whole or not at all")
  func states() {
    for text in ["a=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a@b/c*_-=x y", "a=1, b=2"] {
      #expect(TraceState(text)?.text == text)
    }
    let many = (0..<33).map { "k\($0)=v" }.joined(separator: ",")
    for text in [
      "", "a", "a=", "=1", "A=1", "a=1,", "a=1\nb", "a=é", "a=b=c", many, "a=" + String(repeating: "x", count: 511),
    ] { #expect(TraceState(text) == nil, "\(text)") }
  }

  @Test("spans of a trace have one root, nest, and name their parents")
  func nesting() throws {
    let tracer = Tracer()
    let parent = try #require(TraceParent(Self.good))
    let root = try #require(tracer.begin("root", .server, parent: parent, state: TraceState("a=1")))
    let child = root.child("child")
    let late = child.child("late", .client, at: .now)
    late.end([SpanAttribute("n", 1)], error: "42P01")
    child.fail("noted")
    child.end()
    let aside = root.aside("aside")
    aside.end(links: [root.link])
    root.end()
    let spans = tracer.take()
    #expect(spans.map(\.name) == ["late", "child", "aside", "root"])
    #expect(spans[3].parent == parent.parent && spans[3].trace == parent.trace && spans[3].state?.text == "a=1")
    #expect(spans[1].parent == spans[3].id && spans[0].parent == spans[1].id)
    #expect(spans[0].error == "42P01" && spans[1].error == "noted" && spans[3].error == nil)
    #expect(spans[2].trace != spans[3].trace && spans[2].parent == nil && spans[2].links == [root.link])
    #expect(Set(spans.map(\.id)).count == 4)
    for span in spans {
      #expect(span.began >= spans[3].began && span.ended <= spans[3].ended && span.began <= span.ended)
    }
    #expect(root.traceparent.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-") && root.traceparent.hasSuffix("-01"))
  }

  @Test("the caller's decision counts, and else the ratio")
  func sampling() throws {
    let (parent, unsampled) = (try #require(TraceParent(Self.good)), TraceParent(Self.good.dropLast(1) + "0"))
    for ratio in [0.0, 0.25, 1.0] {
      let tracer = Tracer(ratio: ratio)
      #expect(tracer.begin("a", parent: parent) != nil && tracer.begin("a", parent: unsampled) == nil)
      let share = (0..<4_000).count { _ in tracer.begin("a") != nil }
      #expect(abs(Double(share) / 4_000 - ratio) < 0.04, "\(share) at \(ratio)")
    }
  }

  @Test("what does not fit is dropped and counted")
  func bounded() throws {
    var limits = Tracer.Limits()
    (limits.queue, limits.batch) = (100, 30)
    let tracer = Tracer(limits: limits)
    for _ in 0..<150 { tracer.begin("a")?.end() }
    #expect(tracer.dropped == 50 && tracer.isFilled)
    #expect([30, 30, 30, 10, 0] == (0..<5).map { _ in tracer.take().count })
  }

  @Test("without a span nothing is one")
  func off() async {
    #expect(Span.current == nil)
    let value = await Span.within(nil) { Span.current == nil ? 1 : 0 }
    #expect(value == 1)
  }
}

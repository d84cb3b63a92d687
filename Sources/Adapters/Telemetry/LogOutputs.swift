/// Where lines of the log go.
package struct LogOutputs: Sendable {
  /// What the service tells of itself; nil where another handler writes it.
  package var events: LineWriter?
  /// A line for each request; nil for none.
  package var requests: LineWriter?

  package init(events: LineWriter? = nil, requests: LineWriter? = nil) {
    self.events = events
    self.requests = requests
  }

  /// Lines that were dropped so far.
  package var dropped: Int {
    (events?.dropped ?? 0) + (requests.map { $0 === events ? 0 : $0.dropped } ?? 0)
  }

  /// Waits until what was added is written.
  package func flush() async {
    await events?.flush()
    await requests?.flush()
  }
}

import Foundation

/// What `http` measured.
struct HTTPReport {
  /// One part more than the one before.
  enum Step: String, CaseIterable {
    case bare, service, authenticated, row, governed, route

    var rung: Rung? { Rung(rawValue: rawValue) }

    var name: String {
      switch self {
      case .bare: "bare handler, same bytes"
      case .service: "+ guards and middleware"
      case .authenticated: "+ key and quotas"
      case .row: "+ rows, no row security"
      case .governed: "+ row security"
      case .route: "+ rows decoded, JSON"
      }
    }
  }

  struct Measure {
    let result: Wrk.Result
    /// Processor time of each request, in microseconds.
    let service: Double
    let database: Double
  }

  struct Round {
    var steps: [Step: Measure] = [:]
    /// Of pgbench, a second.
    var statement = 0.0
  }

  let settings: [String]
  let rounds: Int
  let seconds: Int
  let connections: Int
  let loans: Int
  let objectBytes: Int
  let pageBytes: Int
  var residentMiB = 0
  var objects: [Round] = []
  var pages: [Round] = []
  var writes: WritesReport?

  private func series(_ rounds: [Round], _ step: Step, _ value: (Measure) -> Double) -> Series {
    Series(rounds.compactMap { $0.steps[step].map(value) })
  }

  /// Within each round, to another step.
  private func ratio(_ rounds: [Round], _ step: Step, to other: Step) -> Series {
    Series(
      rounds.compactMap { round in
        guard let one = round.steps[step], let two = round.steps[other] else { return nil }
        return one.result.perSecond / two.result.perSecond
      })
  }

  private func toStatement(_ rounds: [Round]) -> Series {
    Series(rounds.compactMap { round in round.steps[.route].map { $0.result.perSecond / round.statement } })
  }

  private func table(_ rounds: [Round]) -> String {
    func cell(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    func figure(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    var before = (service: 0.0, database: 0.0)
    var lines = [
      "                            requests/s  of bare   p50 ms   p99 ms   service us  adds   database us  adds"
    ]
    for step in Step.allCases {
      let (service, database) = (
        series(rounds, step) { $0.service }.median, series(rounds, step) { $0.database }.median
      )
      let name = step.name + String(repeating: " ", count: max(0, 26 - step.name.count))
      lines.append(
        name + cell(figure(series(rounds, step) { $0.result.perSecond }.median, 0), 12)
          + cell(figure(ratio(rounds, step, to: .bare).median, 2), 9)
          + cell(figure(series(rounds, step) { $0.result.p50 }.median, 2), 9)
          + cell(figure(series(rounds, step) { $0.result.p99 }.median, 2), 9) + cell(figure(service, 1), 13)
          + cell(figure(service - before.service, 1), 6) + cell(figure(database, 1), 14)
          + cell(figure(database - before.database, 1), 6))
      before = (service, database)
    }
    let statement = Series(rounds.map(\.statement)).text(0)
    lines.append("pgbench, the statement    \(statement) tps; the route is \(toStatement(rounds).text(2)) of it")
    lines.append("the route to the bare handler: \(ratio(rounds, .route, to: .bare).text(2))")
    return lines.joined(separator: "\n")
  }

  var text: String {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    var parts = [
      """
      chipbridge-bench http: \(rounds) rounds of \(seconds) s a run, \(connections) connections, \(loans) loans; \
      \(cores) cores shared by client, service and server
      server: \(settings.joined(separator: ", ")); pgbench -M prepared, 8 clients; wrk -t1
      medians; [least..most]; ratios within a round; processor time is of each request, of all cores

      a loan by its id (\(objectBytes) bytes)
      \(table(objects))

      a page of 50 loans (\(pageBytes) bytes)
      \(table(pages))

      the service's memory after it: \(residentMiB) MiB
      """
    ]
    if let writes { parts.append(writes.text) }
    return parts.joined(separator: "\n\n")
  }

  var json: String {
    func rounds(_ rounds: [Round]) -> String {
      let steps = Step.allCases.map { step in
        let figures = [
          ("per_second", series(rounds, step) { $0.result.perSecond }), ("of_bare", ratio(rounds, step, to: .bare)),
          ("p50_ms", series(rounds, step) { $0.result.p50 }), ("p99_ms", series(rounds, step) { $0.result.p99 }),
          ("service_us", series(rounds, step) { $0.service }), ("database_us", series(rounds, step) { $0.database }),
        ].map { name, series in
          String(
            format: "\"%@\":{\"median\":%.3f,\"least\":%.3f,\"most\":%.3f}", name, series.median, series.least,
            series.most)
        }
        return "\"\(step.rawValue)\":{\(figures.joined(separator: ","))}"
      }
      let statement = String(format: "\"pgbench_tps\":%.3f", Series(rounds.map(\.statement)).median)
      return "{\((steps + [statement]).joined(separator: ","))}"
    }
    var members = [
      "\"rounds\":\(self.rounds)", "\"seconds\":\(seconds)", "\"connections\":\(connections)", "\"loans\":\(loans)",
      "\"settings\":[\(settings.map { "\"\($0)\"" }.joined(separator: ","))]",
      "\"object_bytes\":\(objectBytes)", "\"page_bytes\":\(pageBytes)", "\"object\":\(rounds(objects))",
      "\"page\":\(rounds(pages))", "\"resident_mib\":\(residentMiB)",
    ]
    if let writes { members.append("\"writes\":\(writes.json)") }
    return "{\(members.joined(separator: ","))}"
  }
}

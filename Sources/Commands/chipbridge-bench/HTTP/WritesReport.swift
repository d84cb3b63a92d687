import Foundation

/// What `writes` measured: figures with their ranges, ratios taken within a round.
struct WritesReport {
  struct Round {
    var separate = 0.0
    var single = 0.0
    var at64 = Wrk.Result()
    var at256 = Wrk.Result()
  }

  let settings: [String]
  let rounds: Int
  let seconds: Int
  let startMilliseconds: Int
  let binaryBytes: Int
  var residentMiB = 0
  var measured: [Round] = []
  var mixedAnswered = 0
  var mixedRefused = 0

  private func series(_ value: (Round) -> Double) -> Series { Series(measured.map(value)) }

  var text: String {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    return """
      chipbridge-bench writes: \(rounds) rounds of \(seconds) s a run, \(cores) cores shared by client, service and server
      server: \(settings.joined(separator: ", ")); pgbench -M prepared, 32 clients; wrk -t1
      median [least..most], ratios within a round

      pgbench, separate statements        \(series { $0.separate }.text(0)) tps
      pgbench, one statement              \(series { $0.single }.text(0)) tps
      HTTP,  64 connections               \(series { $0.at64.perSecond }.text(0)) requests/s, \
      p50 \(series { $0.at64.p50 }.text(1)) ms, p99 \(series { $0.at64.p99 }.text(1)) ms
      HTTP, 256 connections               \(series { $0.at256.perSecond }.text(0)) requests/s, \
      p50 \(series { $0.at256.p50 }.text(1)) ms, p99 \(series { $0.at256.p99 }.text(1)) ms

      ratio at 256 to separate statements \(series { $0.at256.perSecond / $0.separate }.text(2))
      ratio at 256 to one statement       \(series { $0.at256.perSecond / $0.single }.text(2))
      ratio at 64 to separate statements  \(series { $0.at64.perSecond / $0.separate }.text(2))
      ratio at 64 to one statement        \(series { $0.at64.perSecond / $0.single }.text(2))

      every answer was 201 and its row is stored; with every 50th request bad, \(mixedRefused) of \(mixedAnswered) were \
      refused, alone
      service: first line after \(startMilliseconds) ms, \(residentMiB) MiB resident after the load, binary \
      \(binaryBytes / 1_048_576) MiB
      """
  }

  var json: String {
    func pair(_ name: String, _ series: Series) -> String {
      String(
        format: "\"%@\":{\"median\":%.3f,\"least\":%.3f,\"most\":%.3f}", name, series.median, series.least, series.most)
    }
    let members = [
      "\"rounds\":\(rounds)", "\"seconds\":\(seconds)",
      "\"settings\":[\(settings.map { "\"\($0)\"" }.joined(separator: ","))]",
      pair("pgbench_separate_tps", series { $0.separate }), pair("pgbench_single_tps", series { $0.single }),
      pair("http_64_per_second", series { $0.at64.perSecond }), pair("http_64_p99_ms", series { $0.at64.p99 }),
      pair("http_256_per_second", series { $0.at256.perSecond }), pair("http_256_p50_ms", series { $0.at256.p50 }),
      pair("http_256_p99_ms", series { $0.at256.p99 }),
      pair("ratio_256_separate", series { $0.at256.perSecond / $0.separate }),
      pair("ratio_256_single", series { $0.at256.perSecond / $0.single }),
      "\"resident_mib\":\(residentMiB)", "\"start_ms\":\(startMilliseconds)", "\"binary_bytes\":\(binaryBytes)",
    ]
    return "{\(members.joined(separator: ","))}"
  }
}

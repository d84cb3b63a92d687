import Foundation

/// wrk against the service, every request with a key of its own.
struct HTTPLoad {
  let wrk: String
  let folder: URL
  let port: Int
  let key: String

  private static let body = """
    {"workload":"training","end_use":"pre-training of a language model for public use, with evaluation and fine-tuning",\
    "quantity":512,"min_quantity":64,"multiple_of":8,"same_model":true,"max_lenders":4,"acceptable":[\
    {"chip_model_id":"nvidia-a800-sxm4-80","max_rate_bps":1400},{"chip_model_id":"nvidia-a10","max_rate_bps":900},\
    {"capability":{"memory_gb":24,"bf16_tflops_dense":100},"max_rate_bps":850}],"regions":["CN-north","CN-east"],\
    "term_days":365,"start_on":"2026-12-01","start_by_on":"2027-01-15","delivery_mode":"physical","repayment":\
    {"pattern":"round_sweep","least_amount":{"amount":5000000000,"currency":"USD"},"sweep_bps":2000}}
    """

  /// - Parameter badEvery: every so many requests one asks for no chips at all; 0 for never.
  func run(connections: Int, seconds: Int, badEvery: Int) throws -> Wrk.Result {
    let file = folder.appendingPathComponent("load.lua")
    let script = """
      local run = "\(UUID().uuidString)-"
      local n = 0
      local good = [[\(Self.body)]]
      local bad = string.gsub(good, '"quantity":512', '"quantity":0')
      local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer \(key)"}
      request = function()
        n = n + 1
        headers["Idempotency-Key"] = run .. n
        local body = good
        if \(badEvery) > 0 and n % \(max(badEvery, 1)) == 0 then body = bad end
        return wrk.format("POST", "/v1/loan-requests", headers, body)
      end
      """
    try script.write(to: file, atomically: true, encoding: .utf8)
    return try Wrk(program: wrk, connections: connections, seconds: seconds).run(script: file.path, port: port)
  }
}

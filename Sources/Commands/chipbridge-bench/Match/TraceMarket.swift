import Foundation

/// Nodes and tasks of two real clusters as a market file: what there is and what is asked for is real, and so are
/// substitutes, sizes, terms and arrival. Prices, lenders, regions and startups are not in the traces and made up from
/// hashes of names.
struct TraceMarket {
  private let folder: String

  init(folder: String) { self.folder = folder }

  private struct Lot: Hashable {
    let chip: String
    let perNode: Int
    let lender: Int
  }

  private static let terms = [(1, 180), (30, 720), (180, 36_500)]

  /// The lines of the market.
  func lines() throws -> [String] {
    let models = try Dictionary(
      table("model-map.csv").map { row in
        // An undisclosed model is a chip of its own.
        ("\(row["trace"] ?? "") \(row["trace_model"] ?? "")", row["chip_id"].flatMap { $0.isEmpty ? nil : $0 })
      }, uniquingKeysWith: { first, _ in first })
    func chip(_ trace: String, _ model: String) -> String { (models["\(trace) \(model)"] ?? nil) ?? "opaque-\(model)" }
    var lots: [Lot: Int] = [:]
    for row in try table("openb_node_list_gpu_node.csv") {
      guard let count = Int(row["gpu"] ?? ""), count > 0, let name = row["sn"], let model = row["model"] else {
        continue
      }
      lots[Lot(chip: chip("openb", model), perNode: count, lender: Self.hash(name, 6)), default: 0] += count
    }
    for row in try table("spot2026_node_info.csv") {
      guard let count = Int(row["gpu_capacity_num"] ?? ""), count > 0, let name = row["node_name"],
        let model = row["gpu_model"]
      else { continue }
      lots[Lot(chip: chip("spot2026", model), perNode: count, lender: Self.hash("spot \(name)", 6)), default: 0] +=
        count
    }
    let chips = Set(lots.keys.map(\.chip)).sorted()
    var lines = chips.map { chip in
      #"{"type":"chip","chip_model":"\#(chip)","unit_value":\#((400 + Self.hash("value \(chip)", 3_600)) * 1_000)}"#
    }
    let sorted = lots.sorted {
      ($0.key.chip, $0.key.perNode, $0.key.lender) < ($1.key.chip, $1.key.perNode, $1.key.lender)
    }
    for (position, (lot, quantity)) in sorted.enumerated() {
      let name = "\(lot.chip) \(lot.perNode) \(lot.lender)"
      let terms = Self.terms[Self.hash("terms \(name)", 3)]
      lines.append(
        """
        {"type":"listing","id":"L\(position)","lender":"lender-\(lot.lender)","chip_model":"\(lot.chip)",\
        "region":"region-\(lot.lender % 3)","quantity":\(quantity),"ask_rate_bps":\(200 + Self.hash("ask \(name)", 1_200)),\
        "min_term_days":\(terms.0),"max_term_days":\(terms.1),"sequence":\(position)}
        """)
    }
    let tasks = try table("openb_pod_list_gpuspec33.csv").filter { row in
      // Whole chips only, and not the few tasks of the long time before the steady stream.
      Int(row["num_gpu"] ?? "") ?? 0 > 0 && row["gpu_milli"] == "1000"
        && Int(row["creation_time"] ?? "") ?? 0 >= 10_000_000
    }
    for (position, task) in tasks.enumerated() { lines.append(request(task, position, chips) { chip("openb", $0) }) }
    return lines
  }

  private func request(
    _ task: [String: String], _ position: Int, _ chips: [String], _ chip: (String) -> String
  ) -> String {
    let name = task["name"] ?? ""
    let stated = Set((task["gpu_spec"] ?? "").split(separator: "|").map { chip(String($0)) })
    let wanted = stated.isEmpty ? chips : chips.filter(stated.contains)
    // One second of the trace is an hour of loan; a task that never started was to last as long as the median one.
    let begin = Int(task["scheduled_time"] ?? "")
    let seconds = begin.flatMap { begin in Int(task["deletion_time"] ?? "").map { $0 - begin } } ?? 616
    let urgency = ["LS": 150, "Burstable": 50][task["qos"] ?? ""] ?? 0
    let base = 250 + urgency + Self.hash("limit \(name)", 1_000)
    let acceptable = wanted.map { chip in
      #"{"chip_model":"\#(chip)","max_rate_bps":\#(base - 200 + Self.hash("\(name) \(chip)", 400))}"#
    }
    let regions = (0..<3).filter { Self.hash("\(name) region \($0)", 3) > 0 }
    let places = (regions.isEmpty ? [0] : regions).map { "\"region-\($0)\"" }
    return """
      {"type":"request","id":"R\(position)","startup":"startup-\(Self.hash("startup \(name)", 200))",\
      "quantity":\(task["num_gpu"] ?? "1"),"acceptable":[\(acceptable.joined(separator: ","))],\
      "regions":[\(places.joined(separator: ","))],"term_days":\(max(1, seconds / 24)),\
      "sequence":\((Int(task["creation_time"] ?? "") ?? 10_000_000) - 10_000_000)}
      """
  }

  /// Rows by column name. None of these files quotes anything.
  private func table(_ name: String) throws -> [[String: String]] {
    let path = "\(folder)/\(name)"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw BenchFailure("\(path) cannot be read")
    }
    let rows = text.split(whereSeparator: \.isNewline).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    guard let head = rows.first else { throw BenchFailure("\(path) is empty") }
    return rows.dropFirst().map { Dictionary(zip(head, $0), uniquingKeysWith: { first, _ in first }) }
  }

  /// FNV-1a, mixed: the same on every machine.
  private static func hash(_ text: String, _ range: Int) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    hash = (hash ^ (hash >> 32)) &* 0x94D0_49BB_1331_11EB
    return Int((hash ^ (hash >> 31)) % UInt64(range))
  }
}

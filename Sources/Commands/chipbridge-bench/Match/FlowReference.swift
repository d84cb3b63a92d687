import Foundation

/// OR-Tools' SimpleMinCostFlow on the same market, read from the same file by a program of its own: what is compared is
/// the time of its solve alone, on the network that a careful modeller would give it.
struct FlowReference {
  enum Network: String, CaseIterable {
    /// Listing to class, class to request.
    case compact
    /// Listing to class, class to list, list to request.
    case lists
  }

  struct Result {
    let milliseconds: Double
    let peakMebibytes: Int
    let arcs: Int
    let objective: String
    let version: String
  }

  let python: String

  /// The first Python with OR-Tools among: the given one, CHIPBRIDGE_BENCH_PYTHON, that of an active venv, a venv in
  /// this folder, python3.
  /// - Returns: nil where none has it.
  /// - Throws: when one was named and has it not.
  static func find(_ named: String?) throws -> FlowReference? {
    let environment = ProcessInfo.processInfo.environment
    if let given = named ?? environment["CHIPBRIDGE_BENCH_PYTHON"].flatMap({ $0.isEmpty ? nil : $0 }) {
      guard hasTools(given) else { throw BenchFailure("\(given) cannot import ortools and numpy: pip install ortools") }
      return FlowReference(python: given)
    }
    let folders = [environment["VIRTUAL_ENV"], ".venv", "venv"].compactMap { $0 }
    let found = (folders.map { "\($0)/bin/python" } + ["python3"]).first(where: hasTools)
    return found.map { FlowReference(python: $0) }
  }

  private static func hasTools(_ python: String) -> Bool {
    (try? Tools.run([python, "-c", "import numpy; from ortools.graph.python import min_cost_flow"])) != nil
  }

  func solve(_ file: String, _ network: Network) throws -> Result {
    let words = try Tools.run([python, "-", file, network.rawValue], input: Self.script).split(separator: " ")
    guard words.count == 5, let seconds = Double(words[0]), let kibibytes = Int(words[1]), let arcs = Int(words[2])
    else { throw BenchFailure("the reference told no figures: \(words.joined(separator: " ").suffix(400))") }
    return Result(
      milliseconds: seconds * 1_000, peakMebibytes: kibibytes / 1_024, arcs: arcs, objective: String(words[3]),
      version: words[4].trimmingCharacters(in: .newlines))
  }

  /// Prints seconds, peak KiB, arcs, objective and version.
  private static let script = """
    import json, resource, sys, time
    import numpy as np
    import ortools
    from ortools.graph.python import min_cost_flow

    unit, listings, requests = {}, [], []
    for line in open(sys.argv[1]):
        row = json.loads(line)
        kind = row["type"]
        if kind == "chip":
            unit[row["chip_model"]] = row["unit_value"]
        elif kind == "listing":
            key = (row["chip_model"], row["region"], row["min_term_days"], row["max_term_days"])
            listings.append((key, row["quantity"], unit[key[0]] * row["ask_rate_bps"]))
        else:
            regions = frozenset(row["regions"])
            claims = [(c["chip_model"], unit[c["chip_model"]] * c["max_rate_bps"]) for c in row["acceptable"]]
            requests.append((row["quantity"], claims, regions, row["term_days"]))

    classes = {}
    for key, _, _ in listings:
        classes.setdefault(key, len(classes))
    of_chip = {}
    for key, number in classes.items():
        of_chip.setdefault(key[0], []).append((key[1], key[2], key[3], number))
    fitting, lists = {}, {}

    def find(chip, regions, term):
        key = (chip, regions, term)
        if key not in fitting:
            rows = of_chip.get(chip, [])
            members = tuple(sorted(n for r, a, b, n in rows if r in regions and a <= term <= b))
            fitting[key] = (lists.setdefault(members, len(lists)), np.array(members, np.int64))
        return fitting[key]

    # Nodes: source 0, sink 1, listings, classes, requests, lists.
    L, C, R = len(listings), len(classes), len(requests)
    first_class, first_request, first_list = 2 + L, 2 + L + C, 2 + L + C + R
    tails, heads, capacities, costs = [], [], [], []

    def arcs(tail, head, capacity, cost):
        count = max(np.size(tail), np.size(head), np.size(capacity), np.size(cost))
        for column, value in ((tails, tail), (heads, head), (capacities, capacity), (costs, cost)):
            column.append(np.broadcast_to(np.asarray(value, np.int64), (count,)))

    supply = np.array([l[1] for l in listings], np.int64)
    demand = np.array([r[0] for r in requests], np.int64)
    nodes = np.arange(L, dtype=np.int64) + 2
    arcs(0, nodes, supply, 0)
    arcs(nodes, np.array([classes[l[0]] for l in listings], np.int64) + first_class, supply,
         np.array([l[2] for l in listings], np.int64))
    arcs(np.arange(R, dtype=np.int64) + first_request, 1, demand, 0)
    # All chips pass from source to sink; those that nobody takes pass at no cost.
    total = int(min(supply.sum(), demand.sum()))
    arcs(0, 1, np.array([total], np.int64), 0)
    for position, (quantity, claims, regions, term) in enumerate(requests):
        for chip, value in claims:
            number, members = find(chip, regions, term)
            if not len(members):
                continue
            tail = members + first_class if sys.argv[2] == "compact" else np.array([number + first_list])
            arcs(tail, position + first_request, quantity, -value)
    if sys.argv[2] == "lists":
        for members, number in lists.items():
            if members:
                arcs(np.array(members, np.int64) + first_class, number + first_list, total, 0)

    solver = min_cost_flow.SimpleMinCostFlow()
    columns = [np.ascontiguousarray(np.concatenate(c)) for c in (tails, heads, capacities, costs)]
    solver.add_arcs_with_capacity_and_unit_cost(*columns)
    solver.set_nodes_supplies(np.array([0, 1]), np.array([total, -total], np.int64))
    began = time.perf_counter()
    status = solver.solve()
    seconds = time.perf_counter() - began
    if status != solver.OPTIMAL:
        sys.exit("the reference found no optimum: status %d" % status)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(seconds, peak, len(columns[0]), -solver.optimal_cost(), ortools.__version__)
    """
}

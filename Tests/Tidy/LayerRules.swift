/// Which target may import which: arrows go down only. The table of the architecture, as data.
enum LayerRules {
  static let core: Set<String> = [
    "Primitives", "StrictJSON", "StrictCSV", "StrictXML", "Ledger", "Catalogue", "Parties", "Screening", "Matching",
    "Valuation",
    "Lending", "Interest", "Repayment", "Invariants", "BankFiles", "Reconciliation", "LedgerExport", "Webhooks",
    "Tokens",
  ]
  private static let belowOperations = core.union(["Persistence", "Postgres", "Traces"])
  private static let belowWeb = belowOperations.union(["Operations", "WebSupport", "Telemetry", "Identity"])
  private static let belowAssembly = belowWeb.union([
    "WebAPI", "Console", "Settlement", "Delivery", "JobQueue", "Schema", "TraceExport",
  ])

  /// What of our own each target may import, `StrictJSON` apart, which has no dependencies and is open to all.
  static let mayImport: [String: Set<String>] = [
    "Primitives": [],
    "StrictJSON": [],
    "Webhooks": [],
    "Tokens": ["Primitives"],
    "Ledger": ["Primitives"],
    "StrictCSV": [],
    "StrictXML": [],
    "BankFiles": ["Primitives", "StrictCSV", "StrictXML"],
    "Reconciliation": ["Primitives", "BankFiles"],
    "LedgerExport": ["Primitives", "Ledger"],
    "Catalogue": ["Primitives", "StrictCSV"],
    "Screening": ["Primitives", "StrictJSON"],
    "Parties": ["Primitives", "Screening"],
    "Matching": ["Primitives", "Catalogue"],
    "Valuation": ["Primitives", "StrictCSV"],
    // A lot stands at a site, and sites are facts of parties; how a maturity moves to a business day is a term of a loan, and
    // so is the value that must stand behind it.
    "Lending": ["Primitives", "Ledger", "Catalogue", "Parties", "Interest", "Valuation"],
    "Interest": ["Primitives"],
    "Repayment": ["Primitives", "StrictCSV", "Ledger", "Lending", "Valuation", "Interest"],
    "Invariants": core.subtracting(["Invariants"]),
    "CLibPQ": [],
    "Postgres": ["CLibPQ", "Traces"],
    "Persistence": core.union(["Postgres"]),
    // Claims, leases and schedules know no domain.
    "JobQueue": ["Postgres"],
    // Spans, known to all that take time; how they leave the process is known to the assembly alone.
    "Traces": [],
    "TraceExport": ["Traces"],
    "Telemetry": ["Traces"],
    "Schema": [],
    "Operations": belowOperations,
    "Settlement": belowOperations.union(["Operations", "JobQueue", "Telemetry"]),
    "Delivery": belowOperations.union(["Operations"]),
    "Identity": ["Primitives", "Tokens"],
    "WebSupport": belowWeb.subtracting(["WebSupport"]),
    "WebAPI": belowWeb.union(["Delivery"]),
    "Console": belowWeb,
    "ServiceAssembly": belowAssembly,
    "chipbridge": belowAssembly.union(["ServiceAssembly"]),
    "chipbridge-bench": belowAssembly.union(["ServiceAssembly"]),
  ]

  /// What a Core target may import that is not ours.
  static let collections: Set<String> = [
    "Swift", "Collections", "BasicContainers", "BitCollections", "DequeModule", "HashTreeCollections", "HeapModule",
    "OrderedCollections", "SortedCollections",
  ]

  /// The module names that a text imports, with their lines.
  static func imports(in text: SwiftText) -> [(line: Int, module: String)] {
    let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor"]
    var found: [(Int, String)] = []
    for (offset, line) in text.codeLines.enumerated() where line.contains("import") {
      for statement in line.split(separator: ";") {
        var words = statement.split(whereSeparator: \.isWhitespace)[...]
        while let first = words.first, first.hasPrefix("@") || modifiers.contains(first) { words.removeFirst() }
        guard words.popFirst() == "import" else { continue }
        if let first = words.first, kinds.contains(first) { words.removeFirst() }
        guard let module = words.first?.split(separator: ".").first else { continue }
        found.append((offset + 1, String(module)))
      }
    }
    return found
  }

  /// Imports against the direction of the layers; for a file of a target that the table does not know, the file itself.
  static func breaches(in file: SourceFile) -> [Finding] {
    guard file.isSwift, let target = file.target else { return [] }
    guard let allowed = mayImport[target] else {
      return [Finding(path: file.path, line: 0, what: "the target \(target) is not in the table of layers")]
    }
    let text = SwiftText(file.text)
    return imports(in: text).compactMap { line, module in
      guard mayImport[module] != nil, module != "StrictJSON", !allowed.contains(module) else { return nil }
      return Finding(path: file.path, line: line, what: "\(target) imports \(module)")
    }
  }

  /// Imports in Core of anything but Core and the collections; `Primitives` alone may import the cryptography library
  /// and big integers.
  static func impureImports(in file: SourceFile) -> [Finding] {
    guard file.isSwift, file.isIn("Sources/Core") else { return [] }
    let allowed = core.union(collections).union(file.target == "Primitives" ? ["Crypto", "BigInt"] : [])
    return imports(in: SwiftText(file.text)).compactMap { line, module in
      allowed.contains(module) ? nil : Finding(path: file.path, line: line, what: "Core imports \(module)")
    }
  }

  /// HTTP below the web layer: operations and settlement know none, nor do adapters.
  static func webBelowTheWeb(in file: SourceFile) -> [Finding] {
    let below = ["Sources/Core", "Sources/Adapters", "Sources/Service/Operations", "Sources/Service/Settlement"]
    guard file.isSwift, below.contains(where: file.isIn) else { return [] }
    return imports(in: SwiftText(file.text)).compactMap { line, module in
      guard module.hasPrefix("Hummingbird") || module.hasPrefix("HTTPTypes") else { return nil }
      return Finding(path: file.path, line: line, what: "\(module) below the web layer")
    }
  }
}

import Testing

@Suite("The source tree is tidy")
struct TidyTests {
  /// A rule over single files, by what it holds.
  struct Rule: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let findings: @Sendable (SourceFile) -> [Finding]
  }

  static let rules: [Rule] = [
    Rule(testDescription: "targets import only what lies below them") { LayerRules.breaches(in: $0) },
    Rule(testDescription: "Core imports only Core and the standard library") { LayerRules.impureImports(in: $0) },
    Rule(testDescription: "no HTTP below the web layer") { LayerRules.webBelowTheWeb(in: $0) },
    Rule(testDescription: "SQL stands in its places only") { SQLRule.breaches(in: $0) },
    Rule(testDescription: "no floating point in Core or Persistence") { TextRules.floatingPoint(in: $0) },
    Rule(testDescription: "no clock, random source, concurrency or output in Core") { TextRules.impurity(in: $0) },
    Rule(testDescription: "nothing in Sources traps on purpose") { TextRules.traps(in: $0) },
    Rule(testDescription: "nothing in Sources is marked as unfinished") { TextRules.unfinished(in: $0) },
    Rule(testDescription: "no file is longer than 450 lines") { TextRules.tooLong($0) },
  ]

  @Test("each rule holds over every file of Sources and Tests", arguments: rules)
  func holds(rule: Rule) throws {
    let files = try SourceTree.files(below: "Sources") + SourceTree.files(below: "Tests")
    let breaches = files.flatMap(rule.findings).map(\.description)
    #expect(breaches == [], "\(rule.testDescription):\n\(breaches.joined(separator: "\n"))")
  }

  @Test("the top of the repository holds the manifest, Sources, Tests, schema, deploy, the README, and hidden files")
  func topLevel() throws {
    let ignored = try SourceTree.lines(ofTopLevelFile: ".gitignore")
    let findings = TextRules.strayNames(try SourceTree.topLevelNames(), ignored: ignored)
    #expect(findings.isEmpty, "\(findings)")
  }

  @Test("the tree that is read is this one: it holds this very file and the targets of Core")
  func treeIsRead() throws {
    let tests = try SourceTree.files(below: "Tests")
    #expect(tests.contains { $0.path == "Tests/Tidy/TidyTests.swift" && $0.text.contains("treeIsRead") })
    let targets = Set(try SourceTree.files(below: "Sources").compactMap(\.target))
    #expect(targets.isSuperset(of: ["Primitives", "Ledger", "Lending", "Parties"]))
    #expect(try SourceTree.files(below: "Sources/NoSuchFolder").isEmpty)
  }
}

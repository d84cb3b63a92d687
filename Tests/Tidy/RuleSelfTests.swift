import Testing

/// Each rule is shown a breach planted in a sample text and finds it, and a sample that comes close and keeps the rule.
@Suite("The tidy rules find planted breaches")
struct RuleSelfTests {
  static func file(_ path: String, _ text: String) -> SourceFile { SourceFile(path: path, text: text) }

  @Test("the scanner tells code from comments and literals, and looks into interpolations")
  func scanner() {
    let text = SwiftText(
      #"""
      let a = "one // two" // three "four"
      /* five /* six */ "seven" */ let b = #"eight " nine \(ten)"#
      let c = "eleven \(d as! E, "twelve") thirteen \" fourteen"
      let f = """
        fifteen "sixteen"
        """
      """#)
    #expect(text.codeLines.count == 6)
    #expect(text.literals.map(\.line) == [1, 2, 3, 3, 4])
    #expect(text.literals.map(\.text).prefix(2) == ["one // two", #"eight " nine \(ten)"#])
    #expect(Set(text.literals.map(\.text).dropFirst(2).prefix(2)) == ["twelve", #"eleven ? thirteen \" fourteen"#])
    #expect(text.literals.last?.text.contains(#"fifteen "sixteen""#) == true)
    let code = text.codeLines.joined(separator: "\n")
    for word in ["one", "three", "five", "seven", "nine", "ten", "twelve", "thirteen", "fourteen", "sixteen"] {
      #expect(!code.contains(word), "\(word)")
    }
    #expect(code.contains("d as! E") && code.contains("let b =") && code.contains("let f ="))
  }

  @Test("an unclosed literal ends with its line")
  func unclosed() {
    let text = SwiftText("let a = /\"/\nimport Foundation\n")
    #expect(LayerRules.imports(in: text).map(\.module) == ["Foundation"])
  }

  @Test("imports are found in every spelling, and only imports")
  func imports() {
    let text = SwiftText(
      """
      // import A
      import B
      @testable import C
        @_spi(Inner) package import D
      import struct E.Part; import F
      /* import G */
      let important = "import H"
      #if canImport(I)
      public import I.Sub
      #endif
      """)
    #expect(LayerRules.imports(in: text).map(\.module) == ["B", "C", "D", "E", "F", "I"])
    #expect(LayerRules.imports(in: text).map(\.line) == [2, 3, 4, 5, 5, 9])
  }

  @Test(
    "an import against the layers is found",
    arguments: [
      ("Sources/Core/Ledger/A.swift", "Lending"), ("Sources/Core/Matching/A.swift", "Lending"),
      ("Sources/Core/Lending/A.swift", "Repayment"), ("Sources/Core/Primitives/A.swift", "Ledger"),
      ("Sources/Adapters/Postgres/Pool/A.swift", "Persistence"), ("Sources/Adapters/JobQueue/A.swift", "Lending"),
      ("Sources/Adapters/Persistence/A.swift", "Operations"), ("Sources/Adapters/Telemetry/A.swift", "Postgres"),
      ("Sources/Service/Operations/Loans/A.swift", "WebSupport"), ("Sources/Service/Operations/A.swift", "CLibPQ"),
      ("Sources/Service/Settlement/A.swift", "WebAPI"), ("Sources/Service/WebAPI/A.swift", "Settlement"),
      ("Sources/Service/WebSupport/A.swift", "Console"), ("Sources/Service/ServiceAssembly/A.swift", "chipbridge"),
    ])
  func layers(path: String, module: String) throws {
    let findings = LayerRules.breaches(in: Self.file(path, "import Swift\nimport \(module)\n"))
    let target = try #require(Self.file(path, "").target)
    #expect(findings == [Finding(path: path, line: 2, what: "\(target) imports \(module)")])
  }

  @Test("imports with the layers are not found, and StrictJSON is open to all")
  func layersKept() {
    for (target, allowed) in LayerRules.mayImport {
      let text = (allowed.sorted() + ["StrictJSON", "Foundation"]).map { "import \($0)\n" }.joined()
      #expect(LayerRules.breaches(in: Self.file("Sources/Layer/\(target)/A.swift", text)) == [])
    }
  }

  @Test("no two targets may import each other, however far apart, so the arrows only go down")
  func tableHasNoCycle() {
    for (target, allowed) in LayerRules.mayImport {
      var reached = allowed
      var frontier = allowed
      while !frontier.isEmpty {
        frontier = Set(frontier.flatMap { LayerRules.mayImport[$0] ?? [] }).subtracting(reached)
        reached.formUnion(frontier)
      }
      #expect(!reached.contains(target), "\(target) reaches itself")
      #expect(reached.allSatisfy { LayerRules.mayImport[$0] != nil }, "\(target) names an unknown target")
    }
  }

  @Test("a target that the table does not know is found")
  func unknownTarget() {
    let findings = LayerRules.breaches(in: Self.file("Sources/Service/Extras/A.swift", ""))
    #expect(findings.map(\.line) == [0])
  }

  @Test(
    "an impure import in Core is found",
    arguments: ["Foundation", "Glibc", "Dispatch", "Logging", "Synchronization", "FoundationEssentials", "Crypto"])
  func impureImports(module: String) {
    let text = "import Primitives\nimport Collections\nimport \(module)\n"
    #expect(LayerRules.impureImports(in: Self.file("Sources/Core/Lending/A.swift", text)).map(\.line) == [3])
    let inPrimitives = LayerRules.impureImports(in: Self.file("Sources/Core/Primitives/A.swift", text))
    #expect(inPrimitives.isEmpty == (module == "Crypto"))
    #expect(LayerRules.impureImports(in: Self.file("Sources/Adapters/Postgres/A.swift", text)).isEmpty)
  }

  @Test("a web module below the web layer is found")
  func web() {
    let text = "import Hummingbird\nimport HTTPTypes\nimport Logging\n"
    #expect(LayerRules.webBelowTheWeb(in: Self.file("Sources/Service/Operations/A.swift", text)).map(\.line) == [1, 2])
    #expect(LayerRules.webBelowTheWeb(in: Self.file("Sources/Service/WebAPI/A.swift", text)).isEmpty)
  }

  @Test(
    "literals that are SQL are read as SQL",
    arguments: [
      "select 1", "select id from loans where id = $1", "SELECT * FROM lots", "select set_config('app.org', $1, true)",
      "select id, state\n  from offers", "insert into loans (id) values ($1)", "update loans set state = $1",
      "  delete from jobs where id = $1", "create table loans ()", "CREATE UNIQUE INDEX a ON b (c)",
      "alter table loans add column x int", "drop index a", "with x as (select 1) select * from x",
      "with x as materialized (select 1) select 1", "copy loans from stdin", "truncate table loans",
      "grant select on loans to reader", "set local role writer", "begin isolation level serializable",
      "comment on table loans is 'x'", "values (1), (2)", "from loans l join lots on true",
    ])
  func sqlFound(text: String) {
    #expect(SQLRule.readsAsSQL(text))
  }

  @Test(
    "prose and names that begin with the same words are not",
    arguments: [
      "", "select", "Select a listing from the list", "update", "update the listing", "delete", "delete a webhook",
      "create", "create a key", "Create table of dues", "alter", "with", "with a verdict", "insert coin", "set",
      "begin", "begin again", "drop shipment", "from", "from 2026-01-01", "explain", "grant", "loan_request", "copy",
    ])
  func proseKept(text: String) {
    #expect(!SQLRule.readsAsSQL(text))
  }

  @Test("SQL outside of its places is found, inside it is not, and in a comment it is not SQL")
  func sqlPlaces() {
    let text = "// select id from loans\nlet a = \"\"\"\n  select id\n  from loans\n  \"\"\"\n"
    #expect(SQLRule.breaches(in: Self.file("Sources/Service/Operations/A.swift", text)).map(\.line) == [2])
    #expect(SQLRule.breaches(in: Self.file("Sources/Commands/chipbridge/A.swift", text)).count == 1)
    for place in SQLRule.places { #expect(SQLRule.breaches(in: Self.file("\(place)/A.swift", text)).isEmpty) }
    #expect(SQLRule.breaches(in: Self.file("Sources/Adapters/PersistenceToo/A.swift", text)).count == 1)
  }

  @Test(
    "floating point is found, in types and in literals",
    arguments: [
      "let a: Double = 1", "func f(_ x: Float?) {}", "let a = 1.5", "let b = 2e3", "f(-0.25, 1)", "[Float16]()",
    ])
  func floatingPoint(line: String) {
    let text = "let first = 1\n\(line)\n"
    #expect(TextRules.floatingPoint(in: Self.file("Sources/Core/Ledger/A.swift", text)).map(\.line) == [2])
    #expect(TextRules.floatingPoint(in: Self.file("Sources/Adapters/Persistence/A.swift", text)).map(\.line) == [2])
    #expect(TextRules.floatingPoint(in: Self.file("Sources/Adapters/Postgres/A.swift", text)).isEmpty)
  }

  @Test(
    "what only looks like floating point is not",
    arguments: [
      "let a = 0...9", "let a = 1..<5", "pair.0.1", "let a = 0x1E3", "let doubled = 2", "DoubleEntry()",
      "// 1.5 Double",
      #"let a = "1.5 Double""#, "let a = 1_000", "version1e5()", "x.0",
    ])
  func noFloatingPoint(line: String) {
    #expect(TextRules.floatingPoint(in: Self.file("Sources/Core/Ledger/A.swift", line)).isEmpty)
  }

  @Test(
    "a clock, a random source, concurrency and output in Core are found",
    arguments: [
      "func f() async {}", "actor A {}", "print(1)", "Int.random(in: 0...1)", "ContinuousClock.now", "Task {}",
    ])
  func impurity(line: String) {
    #expect(TextRules.impurity(in: Self.file("Sources/Core/Ledger/A.swift", line)).count == 1)
    #expect(TextRules.impurity(in: Self.file("Sources/Adapters/Postgres/A.swift", line)).isEmpty)
    #expect(TextRules.impurity(in: Self.file("Sources/Core/Ledger/A.swift", "// \(line)")).isEmpty)
  }

  @Test(
    "a trap on purpose is found",
    arguments: ["let a = try! f()", "let a = b as! C", "fatalError(\"no\")", #"let a = "\(b as! C)""#])
  func traps(line: String) {
    #expect(TextRules.traps(in: Self.file("Sources/Core/Ledger/A.swift", "\n\(line)")).map(\.line) == [2])
    #expect(TextRules.traps(in: Self.file("Tests/Core/A.swift", line)).isEmpty)
  }

  @Test(
    "what only looks like a trap is not",
    arguments: ["let a = try? f()", "a as? B", "// try! this", #""as! if""#, "has!=b", "myfatalError(1)", "try f()"])
  func noTraps(line: String) {
    #expect(TextRules.traps(in: Self.file("Sources/Core/Ledger/A.swift", line)).isEmpty)
  }

  @Test("a mark of unfinished work is found wherever it stands")
  func unfinished() {
    for mark in ["TO" + "DO", "FIX" + "ME"] {
      for line in ["// \(mark): later", "let a = \"\(mark)\"", "<!-- \(mark) -->"] {
        #expect(TextRules.unfinished(in: Self.file("Sources/A.swift", line)).count == 1)
      }
      #expect(TextRules.unfinished(in: Self.file("Sources/A.swift", "let \(mark)S = AUTO\(mark)")).isEmpty)
      #expect(TextRules.unfinished(in: Self.file("Tests/A.swift", "// \(mark)")).isEmpty)
    }
  }

  @Test("a file of 451 lines is found, one of 450 is not, and fixtures may be as long as they are")
  func length() {
    let full = String(repeating: "line\n", count: 450)
    #expect(TextRules.tooLong(Self.file("Sources/A.swift", full)).isEmpty)
    #expect(TextRules.tooLong(Self.file("Sources/A.swift", full + "more")).count == 1)
    #expect(TextRules.tooLong(Self.file("Tests/A.sql", full + "more\n")).count == 1)
    #expect(TextRules.tooLong(Self.file("Tests/Fixtures/a.csv", full + "more\n")).isEmpty)
  }

  @Test("a stray name at the top is found; hidden and ignored ones are not")
  func strayNames() {
    let names = ["Package.swift", "Sources", "Tests", "schema", "deploy", "README.md", ".git", "Package.resolved"]
    #expect(TextRules.strayNames(names, ignored: [".build/", "Package.resolved"]).isEmpty)
    #expect(
      TextRules.strayNames(names + ["notes.txt", "Scripts"], ignored: ["Package.resolved"]).map(\.path) == [
        "notes.txt", "Scripts",
      ])
    #expect(TextRules.strayNames(["Package.resolved"], ignored: []).count == 1)
  }
}

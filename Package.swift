// swift-tools-version:6.2
import PackageDescription

/// One set of rules for every target: Swift 6 mode, warnings are errors, imports are internal unless said otherwise.
let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

func core(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/Core/\(name)", swiftSettings: house)
}

func adapter(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/Adapters/\(name)", resources: resources, swiftSettings: house
  )
}

func service(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/Service/\(name)", resources: resources, swiftSettings: house)
}

/// What several test targets share: harnesses and generators.
func support(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: house)
}

func tests(_ path: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/\(path)", swiftSettings: house)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let bigInt: Target.Dependency = .product(name: "BigInt", package: "BigInt")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
  name: "chipbridge",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
  ],
  targets: [
    // Core: pure, no I/O.
    core("Primitives", [crypto, bigInt]),
    core("Screening", ["Primitives", "StrictJSON"]),
    core("Parties", ["Primitives", "Screening"]),
    core("Ledger", ["Primitives"]),
    core("StrictJSON"),
    core("StrictCSV"),
    core("StrictXML"),
    core("BankFiles", ["Primitives", "StrictCSV", "StrictXML"]),
    core("Reconciliation", ["Primitives", "BankFiles"]),
    core("LedgerExport", ["Primitives", "Ledger", "StrictJSON"]),
    core("Catalogue", ["Primitives", "StrictCSV", "StrictJSON"]),
    core("Lending", ["Primitives", "Ledger", "Catalogue", "Parties", "Interest", "Valuation"]),
    core("Webhooks"),
    core("Tokens", ["Primitives", "StrictJSON"]),
    core("Matching", ["Primitives", "StrictJSON"]),
    core("Valuation", ["Primitives", "StrictCSV", "StrictJSON"]),
    core("Interest", ["Primitives", "StrictJSON"]),
    core("Repayment", ["Primitives", "StrictCSV", "StrictJSON", "Valuation"]),
    // The schema and the seed data, embedded.
    .target(
      name: "Schema", path: "schema",
      exclude: [
        "api", "seed/README.md", "seed/chip-prices.csv", "seed/funding-rounds.csv", "seed/depreciation-estimates.csv",
      ], sources: ["Schema.swift"],
      resources: [
        .embedInCode("migrations/0001_parties.sql"), .embedInCode("migrations/0002_catalogue.sql"),
        .embedInCode("migrations/0003_ledger.sql"), .embedInCode("migrations/0004_lending.sql"),
        .embedInCode("migrations/0005_repayment.sql"), .embedInCode("migrations/0006_operations.sql"),
        .embedInCode("migrations/0007_roles.sql"), .embedInCode("migrations/0008_rounds.sql"),
        .embedInCode("migrations/0009_forward_lots.sql"), .embedInCode("migrations/0010_loan_life.sql"),
        .embedInCode("migrations/0011_settlement.sql"), .embedInCode("migrations/0012_rounds.sql"),
        .embedInCode("migrations/0013_bank.sql"),
        .embedInCode("migrations/0014_claw_backs.sql"),
        .embedInCode("migrations/0015_assignment.sql"),
        .embedInCode("migrations/0016_currencies.sql"),
        .embedInCode("migrations/0017_lateness.sql"),
        .embedInCode("migrations/0018_valuation.sql"),
        .embedInCode("migrations/0019_chip_quotes.sql"),
        .embedInCode("migrations/0020_lot_service.sql"),
        .embedInCode("migrations/0021_rule_packs.sql"),
        .embedInCode("migrations/0022_fee_taxes.sql"), .embedInCode("migrations/0023_margin.sql"),
        .embedInCode("migrations/0024_claims_and_terms.sql"), .embedInCode("migrations/0025_screening.sql"),
        .embedInCode("migrations/0026_runway.sql"),
        .embedInCode("migrations/0027_haircuts.sql"), .embedInCode("migrations/0028_identity.sql"),
        .embedInCode("migrations/0029_events.sql"), .embedInCode("migrations/0030_audit_seals.sql"),
        .embedInCode("migrations/0032_falls.sql"),
        .embedInCode("migrations/0033_identity_bindings.sql"), .embedInCode("migrations/0034_held_acts.sql"),
        .embedInCode("seed/chip-models.csv"),
        .embedInCode("seed/export-rules.json"), .embedInCode("seed/country-scope.csv"),
        .embedInCode("seed/holiday-calendars.json"),
      ], swiftSettings: house),
    // What of the interface's description the code does not say: apart, or each migration would compile it anew.
    .target(
      name: "PublishedAPI", path: "schema/api", exclude: ["README.md", "shapes.py", "released.json"],
      sources: ["PublishedAPI.swift"],
      resources: [.embedInCode("answers.json"), .embedInCode("loan-path.sh")], swiftSettings: house),
    // Adapters: PostgreSQL.
    .systemLibrary(
      name: "CLibPQ", path: "Sources/Adapters/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    adapter("Traces"),
    adapter("Postgres", ["CLibPQ", "Traces"]),
    adapter(
      "Persistence",
      [
        "Postgres", "Primitives", "StrictJSON", "Catalogue", "Parties", "Screening", "Ledger", "Lending", "Matching",
        "Valuation", "Repayment", "BankFiles", "Reconciliation", "Interest",
      ]),
    adapter("Telemetry", ["Traces", "StrictJSON", logging]),
    adapter(
      "TraceExport",
      [
        "Traces", "StrictJSON", logging, .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    // Service: commands and queries, HTTP, jobs.
    service(
      "Operations",
      [
        "Persistence", "Postgres", "Primitives", "StrictJSON", "Catalogue", "Parties", "Ledger", "Lending", "Matching",
        "Screening", "Valuation", "Repayment", "LedgerExport", "BankFiles", "Reconciliation", "Interest", "Traces",
      ]),
    service(
      "Settlement",
      [
        "Operations", "Persistence", "Postgres", "Primitives", "StrictJSON", "Catalogue", "Parties", "Lending",
        "Matching", "Repayment", "Traces", logging,
      ]),
    service(
      "Delivery",
      [
        "Operations", "Persistence", "Postgres", "Primitives", "Parties", "StrictJSON", "Webhooks", "Traces", logging,
        crypto,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    service(
      "Identity",
      [
        "Tokens", "Primitives", logging, crypto,
        .product(name: "CryptoExtras", package: "swift-crypto"), .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    service(
      "WebSupport",
      [
        "Operations", "Persistence", "Postgres", "Primitives", "Parties", "StrictJSON", "Traces", "Identity",
        hummingbird,
        logging, crypto,
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
      ]),
    service(
      "WebAPI",
      [
        "WebSupport", "Operations", "Persistence", "Postgres", "Primitives", "StrictJSON", "Catalogue", "Parties",
        "Ledger", "Lending", "Matching", "Valuation", "Repayment", "BankFiles", "Reconciliation", "Telemetry",
        "Interest", "LedgerExport", "Screening", "PublishedAPI", "Delivery", "Traces", "Tokens", "Identity",
        hummingbird,
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
      ]),
    service(
      "ServiceAssembly",
      [
        "WebAPI", "WebSupport", "Settlement", "Operations", "Persistence", "Postgres", "Primitives", "Telemetry",
        "Schema", "Parties", "StrictJSON", "Delivery", "TraceExport", "Tokens", "Identity", hummingbird, logging,
        lifecycle,
        crypto,
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    // Commands.
    .executableTarget(
      name: "chipbridge",
      dependencies: [
        "ServiceAssembly", "Settlement", "Operations", "WebSupport", "Persistence", "Postgres", "Primitives", "Parties",
        "StrictJSON", "StrictCSV", "Catalogue", "Matching", "Interest", "Ledger", "LedgerExport", "Lending",
        "Valuation", "Schema", "Telemetry", "TraceExport", "Tokens", "Identity", logging,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ], path: "Sources/Commands/chipbridge", swiftSettings: house),
    .executableTarget(
      name: "chipbridge-bench",
      dependencies: [
        "ServiceAssembly", "Settlement", "Operations", "WebSupport", "Persistence", "Postgres", "Primitives", "Parties",
        "Catalogue", "Lending", "Repayment", "Valuation", "StrictJSON", "Schema", "Matching", logging, hummingbird,
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Sources/Commands/chipbridge-bench", swiftSettings: house),
    // Test support.
    support("PropertyKit"),
    support("HledgerHarness"),
    support("PostgresHarness", ["Postgres"]),
    support("SchemaFixtures", ["CLibPQ", "Postgres", "PostgresHarness", "Schema"]),
    support(
      "DomainFixtures",
      [
        "Operations", "Persistence", "Postgres", "PostgresHarness", "SchemaFixtures", "PropertyKit", "Schema",
        "Primitives", "Catalogue", "Parties", "Ledger", "Lending", "Valuation", "Interest",
      ]),
    support(
      "RowFixtures",
      [
        "Persistence", "Postgres", "PostgresHarness", "SchemaFixtures", "Primitives", "Catalogue", "Parties", "Ledger",
        "Screening", "Lending", "Valuation", "Repayment", "BankFiles", "Interest",
      ]),
    support("ServiceHarness", ["PostgresHarness", "StrictJSON", "CLibPQ"]),
    support("TokenMint", ["Tokens", crypto, .product(name: "CryptoExtras", package: "swift-crypto")]),
    // Tests, by layer.
    tests("Tidy", "TidyTests"),
    tests("Core/PrimitivesTests", "PrimitivesTests", ["Primitives", "PropertyKit"]),
    tests("Core/LedgerTests", "LedgerTests", ["Ledger", "Primitives"]),
    tests("Core/PartiesTests", "PartiesTests", ["Parties", "Primitives"]),
    tests("Core/ScreeningTests", "ScreeningTests", ["Screening", "Primitives", "StrictJSON", "PropertyKit"]),
    tests("Core/StrictJSONTests", "StrictJSONTests", ["StrictJSON"]),
    tests("Core/StrictCSVTests", "StrictCSVTests", ["StrictCSV"]),
    tests("Core/StrictXMLTests", "StrictXMLTests", ["StrictXML", "PropertyKit"]),
    tests("Core/BankFilesTests", "BankFilesTests", ["BankFiles", "StrictXML", "Primitives", "PropertyKit"]),
    tests(
      "Core/ReconciliationTests", "ReconciliationTests", ["Reconciliation", "BankFiles", "Primitives", "PropertyKit"]),
    tests(
      "Core/LedgerExportTests", "LedgerExportTests",
      ["LedgerExport", "Ledger", "Primitives", "PropertyKit", "HledgerHarness"]),
    tests(
      "Core/CatalogueTests", "CatalogueTests", ["Catalogue", "Primitives", "StrictCSV", "StrictJSON", "PropertyKit"]),
    tests(
      "Core/LendingTests", "LendingTests", ["Lending", "Ledger", "Catalogue", "Parties", "Primitives", "PropertyKit"]),
    tests("Core/MatchingTests", "MatchingTests", ["Matching", "Primitives", "PropertyKit"]),
    tests("Core/WebhooksTests", "WebhooksTests", ["Webhooks"]),
    tests("Core/TokensTests", "TokensTests", ["Tokens", "Primitives", "StrictJSON"]),
    tests("Core/ValuationTests", "ValuationTests", ["Valuation", "Primitives", "PropertyKit", "StrictCSV"]),
    tests("Core/InterestTests", "InterestTests", ["Interest", "Primitives", "StrictJSON", "PropertyKit"]),
    tests(
      "Core/RepaymentTests", "RepaymentTests",
      ["Repayment", "Valuation", "Lending", "Catalogue", "Parties", "Primitives", "StrictJSON", "PropertyKit"]),
    tests("Adapters/PostgresTests", "PostgresTests", ["Postgres", "PostgresHarness", "CLibPQ"]),
    tests("Adapters/TelemetryTests", "TelemetryTests", ["Telemetry", "Traces", "StrictJSON", logging]),
    tests(
      "Adapters/TraceExportTests", "TraceExportTests",
      ["TraceExport", "Traces", "StrictJSON", "ServiceHarness", logging]),
    tests(
      "Adapters/PersistenceTests", "PersistenceTests",
      [
        "Persistence", "Postgres", "PostgresHarness", "SchemaFixtures", "Primitives", "Catalogue", "Parties", "Ledger",
        "Screening",
        "Lending", "Valuation", "Repayment", "BankFiles", "Interest", "Schema", "PropertyKit", "RowFixtures",
      ]),
    tests(
      "Service/PipelineTests", "PipelineTests",
      [
        "DomainFixtures", "SchemaFixtures", "PostgresHarness", "PropertyKit", "Operations", "Persistence", "Postgres",
        "Screening",
        "CLibPQ", "Primitives", "Catalogue", "Parties", "Ledger", "Lending", "Repayment", "LedgerExport",
        "HledgerHarness", "Interest",
      ]),
    tests(
      "Service/SettlementTests", "SettlementTests",
      [
        "DomainFixtures", "SchemaFixtures", "PostgresHarness", "Settlement", "Operations", "Persistence", "Postgres",
        "Primitives", "Parties", "Lending", "Matching", "Catalogue", "Repayment", "StrictJSON", "BankFiles",
        "Reconciliation", "Interest", "Ledger", "LedgerExport", "PropertyKit", "Valuation", "Schema", logging,
      ]),
    tests(
      "Service/AccessTests", "AccessTests",
      [
        "Delivery", "DomainFixtures", "RowFixtures", "SchemaFixtures", "PostgresHarness", "WebAPI", "WebSupport",
        "Operations",
        "Persistence", "Postgres", "Primitives", "Parties", "StrictJSON", "Telemetry", "Lending", "Valuation",
        "Catalogue", "Repayment", "BankFiles", "Ledger", "Identity", "Tokens", "TokenMint", logging, hummingbird,
        crypto, .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio"),
      ]),
    tests(
      "Service/DeliveryTests", "DeliveryTests",
      [
        "DomainFixtures", "SchemaFixtures", "PostgresHarness", "ServiceHarness", "Delivery", "Operations",
        "Persistence", "Postgres", "Primitives", "Parties", "StrictJSON", "Webhooks", logging,
      ]),
    tests(
      "Service/WebAPIBodyTests", "WebAPIBodyTests",
      [
        "WebAPI", "Operations", "Persistence", "Primitives", "StrictJSON", "Catalogue", "Parties", "Ledger", "Lending",
        "Matching", "Valuation", "Repayment", "BankFiles", "Interest",
      ]),
    tests(
      "Service/ServiceAssemblyTests", "ServiceAssemblyTests",
      [
        "DomainFixtures", "PostgresHarness", "SchemaFixtures", "ServiceAssembly", "Operations", "Persistence",
        "Postgres", logging, .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    tests("Service/WebSupportTests", "WebSupportTests", ["WebSupport", "Parties", "Primitives"]),
    tests(
      "EndToEnd", "EndToEndTests",
      ["ServiceHarness", "PostgresHarness", "HledgerHarness", "StrictJSON", "TokenMint", "Tokens", "chipbridge"]),
  ]
)

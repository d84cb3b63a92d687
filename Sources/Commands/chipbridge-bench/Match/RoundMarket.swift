import Catalogue
import Lending
import struct Matching.MatchSegment
import Operations
import Parties
import Persistence
import Postgres
import Primitives
import Repayment
import Schema
import ServiceAssembly
import Synchronization
import Valuation

/// A marketplace in this process on the bench's database, filled by the commands that the service itself would run.
struct RoundMarket {
  let pool: PostgresPool
  let pipeline: CommandPipeline
  let reference: ReferenceStore
  /// What its workers share with the pipeline.
  static let clock = SystemClock()
  var clock: SystemClock { Self.clock }
  private let running: Task<Void, Never>
  private let staff = Principal(
    organizationID: .platform, roles: [.admin], personID: PersonID(UUIDValue(high: 9, low: 1)),
    keyID: APIKeyID(UUIDValue(high: 10, low: 1)), duties: Set(Duty.allCases))
  /// Commands under way at one time: so many share a commit.
  private static let atOnce = 128
  /// Parties, by orders: each has ten on average.
  private static let ordersOfOne = 10
  private static let regions = ["US-west", "US-east", "US-south", "US-north"]

  init(_ database: BenchDatabase) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    var configuration = try PostgresConfiguration(url: database.url)
    let setup = try PostgresPool(configuration: configuration, size: 1, waiters: 4)
    let migrator = try Migrator(Schema.migrations.map { try MigrationScript(name: $0.name, bytes: $0.sql) })
    _ = try await setup.withConnection(deadline: deadline) { try await migrator.migrate($0, deadline: deadline) }
    let documents = [
      ReferenceDocument(name: .chipModels, content: Schema.chipModels, source: "seed", approvedBy: "seed"),
      ReferenceDocument(name: .exportRules, content: Schema.exportRules, source: "seed", approvedBy: "seed"),
      ReferenceDocument(name: .countryScope, content: Schema.countryScope, source: "seed", approvedBy: "seed"),
    ]
    _ = try await Bootstrap.seed(documents, pool: setup, now: Self.clock.now(), deadline: deadline)
    await setup.shutdown()
    configuration.role = "chipbridge_writer"
    pool = try PostgresPool(configuration: configuration, size: 4, waiters: 200)
    reference = try await ReferenceStore.load(from: pool, deadline: deadline)
    let pipeline = CommandPipeline(pool: pool, reference: reference, clock: Self.clock)
    self.pipeline = pipeline
    running = Task { await pipeline.run() }
  }

  func stop() async {
    pipeline.close()
    await running.value
    await pool.shutdown()
  }

  /// Asks for a round over the whole market.
  func plan() async throws -> MatchRoundID {
    try await run(PlanMatchRound(segment: .whole), by: staff).id
  }

  // MARK: filling

  /// So many listings, each of a lot of its own, and as many requests: four chip models in four regions of one country, a
  /// request in four with a substitute, asks of 6 to 14 % and limits of 7 to 16 %.
  func fill(_ size: Int, seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let chips = try ["nvidia-a100-sxm4-80", "nvidia-h100-sxm5-80", "nvidia-l40s", "nvidia-v100-sxm2-32"].map { name in
      try found(ChipModelID(name), name)
    }
    for chip in chips {
      let worth = Int64(400_000 + random.number(0...1_999_999))
      try await mark(chip, worth)
    }
    let parties = max(2, size / Self.ordersOfOne)
    let lenders = try await organizations(parties, .lender)
    let startups = try await organizations(parties, .startup)
    var listings: [(Principal, CreateLot, ask: Int64)] = []
    var requests: [(Principal, CreateLoanRequest)] = []
    for _ in 0..<size {
      let lender = lenders[random.number(0...parties - 1)]
      listings.append((lender, try lot(of: lender, chips, &random), Int64(600 + random.number(0...799))))
      requests.append((startups[random.number(0...parties - 1)], try request(chips, &random)))
    }
    try await each(listings) { lender, lot, ask in
      let made = try await run(lot, by: lender)
      _ = try await run(listing(of: made, ask: ask), by: lender)
    }
    try await each(requests) { startup, request in _ = try await run(request, by: startup) }
  }

  private func lot(of lender: Principal, _ chips: [ChipModelID], _ random: inout SplitMix64) throws -> CreateLot {
    CreateLot(
      chipModelID: chips[random.number(0...chips.count - 1)], quantity: Int64(8 * (1 + random.number(0...31))),
      site: try site(random.number(0...Self.regions.count - 1)), availableOn: clock.now().date, multipleOf: 8,
      serials: [],
      unitCost: nil, lenderID: lender.organizationID)
  }

  private func listing(of lot: Lot, ask: Int64) -> CreateListing {
    CreateListing(
      terms: CreateListing.Terms(
        lotID: lot.id, quantity: lot.quantity, askRate: BasisPoints(ask), minTermDays: 30, maxTermDays: 720,
        minQuantity: nil, legalForm: .leasePurchaseOption, deliveryModes: [.physical], advanceRate: .whole,
        repaymentPatterns: [.roundSweep], recallNoticeDays: nil, eligibility: Listing.Eligibility(), validUntil: nil),
      lenderID: lot.lenderID)
  }

  private func request(_ chips: [ChipModelID], _ random: inout SplitMix64) throws -> CreateLoanRequest {
    let limit = Int64(700 + random.number(0...899))
    var acceptable = [
      AcceptableChip(choice: .model(chips[random.number(0...chips.count - 1)]), maxRate: BasisPoints(limit))
    ]
    let substitute = chips[random.number(0...chips.count - 1)]
    if random.number(0...3) == 0, acceptable[0].choice != .model(substitute) {
      acceptable.append(AcceptableChip(choice: .model(substitute), maxRate: BasisPoints(limit - 100)))
    }
    return CreateLoanRequest(
      terms: CreateLoanRequest.Terms(
        workload: .training, endUse: "language model training", quantity: Int64(8 * (1 + random.number(0...31))),
        minQuantity: nil, multipleOf: 8, sameModel: false, sameSite: false, maxLenders: nil, acceptable: acceptable,
        regions: [Self.regions[random.number(0...Self.regions.count - 1)]], termDays: 180, startOn: clock.now().date,
        startByOn: nil, deliveryMode: .physical,
        repayment: RepaymentTerms(
          pattern: .roundSweep, leastAmount: nil, leastPostMoney: nil, sweep: BasisPoints(2_500)), autoAccept: false,
        validUntil: nil))
  }

  private func site(_ region: Int) throws -> Site {
    Site(country: try found(CountryCode("US"), "US"), region: Self.regions[region])
  }

  private func found<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw BenchFailure("\(name) is not known") }
    return value
  }

  private func organizations(_ count: Int, _ role: Role) async throws -> [Principal] {
    let made = Mutex<[Int: Principal]>([:])
    let country = try found(CountryCode("US"), "US")
    let sites = try Self.regions.indices.map { try site($0) }
    try await each(Array(0..<count)) { number in
      let created = try await run(
        CreateOrganization(
          legalName: "\(role.rawValue) \(number)", jurisdiction: country, ultimateParentJurisdiction: country,
          groupID: nil, roles: [role],
          owners: [BeneficialOwner(name: "Founder", share: .whole, jurisdiction: country)], sites: sites), by: staff)
      _ = try await run(
        DecideVerification(
          organizationID: created.id, act: .verify(evidence: "register", expiresOn: nil, creditGrade: "A"),
          ifVersion: created.version), by: staff)
      let principal = Principal(
        organizationID: created.id, roles: [role], personID: PersonID(UUIDValue(high: 11, low: created.id.value.low)),
        keyID: APIKeyID(UUIDValue(high: 12, low: created.id.value.low)))
      made.withLock { $0[number] = principal }
    }
    return made.withLock { made in (0..<count).compactMap { made[$0] } }
  }

  /// All of them, so many at a time.
  private func each<Item: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (position, item) in items.enumerated() {
        if position >= Self.atOnce { try await group.next() }
        group.addTask { try await body(item) }
      }
      try await group.waitForAll()
    }
  }

  private func run<C: Command>(_ command: C, by principal: Principal) async throws -> C.Outcome {
    try await pipeline.outcome(of: command, by: principal)
  }
}

// MARK: marks

extension RoundMarket {
  /// What a chip is worth from today on, stated by one person and approved by another.
  fileprivate func mark(_ chip: ChipModelID, _ amount: Int64) async throws {
    let command = RecordValuation(
      subject: .chipModel(chip), method: .marketQuote, amount: Money(amount, .usd), basis: .perChip,
      effectiveOn: try await today(), source: "bench \(amount)", supersedes: nil)
    let proposal: MarkProposal
    do { proposal = try await run(command, by: staff) } catch ValuationRefusal.alreadyStands { return }
    let checker = Principal(
      organizationID: .platform, roles: [.admin], personID: PersonID(UUIDValue(high: 9, low: 2)),
      credential: staff.credential,
      duties: staff.duties)
    _ = try await run(
      DecideValuation(id: proposal.id, decision: .approve, person: checker.personID, ifVersion: nil), by: checker)
  }
}

// MARK: loans

extension RoundMarket {
  /// One loan of 64 chips whose delivery was accepted today, made by the commands of everybody who takes part.
  func lendOnce() async throws -> LoanID {
    let name = "nvidia-a100-sxm4-80"
    let chip = try found(ChipModelID(name), name)
    try await mark(chip, 1_000_000)
    let lender = try await organizations(1, .lender)[0]
    let startup = try await organizations(1, .startup)[0]
    var random = SplitMix64(seed: 1)
    let lot = try await run(
      CreateLot(
        chipModelID: chip, quantity: 64, site: site(0), availableOn: try await today(), multipleOf: 8, serials: [],
        unitCost: nil, lenderID: lender.organizationID), by: lender)
    let listing = try await run(listing(of: lot, ask: 900), by: lender)
    var terms = try request([chip], &random).terms
    terms.quantity = 64
    terms.regions = [lot.site.region]
    terms.startOn = try await today()
    let request = try await run(CreateLoanRequest(terms: terms), by: startup)
    let offer = try await run(
      MakeOffer(
        roundID: MatchRoundID(UUIDValue(high: 13, low: 1)), requestID: request.id, listingID: listing.id, quantity: 64,
        rate: BasisPoints(1_000)), by: staff)
    let accepted = try await run(AcceptOffer(offerID: offer.id, ifVersion: nil), by: startup)
    guard let loan = accepted.loanID else { throw BenchFailure("an accepted offer made no loan") }
    let delivery = RecordDelivery(loanID: loan, quantity: nil, occurredOn: try await today(), ifVersion: nil)
    _ = try await run(delivery, by: lender)
    _ = try await run(delivery, by: startup)
    return loan
  }

  private var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  private func today() async throws -> CalendarDate {
    try await MarketTime.read(pool: pool, clock: clock, deadline: deadline).now.date
  }

  /// Moves the business clock, which is set from here on.
  func moveClock(days: Int64) async throws {
    let now = try await MarketTime.read(pool: pool, clock: clock, deadline: deadline).now
    guard let later = now.adding(seconds: days * 86_400) else { throw BenchFailure("the clock ends") }
    _ = try await run(MoveClock(to: later, isSandbox: true), by: staff)
  }

  func borrower(of loan: LoanID) async throws -> OrganizationID {
    let deadline = deadline
    let rows = try await pool.withConnection(deadline: deadline) { connection in
      try Tables.loans.decode(await connection.run(Tables.loans.rows(by: [loan.value]), deadline: deadline))
    }
    guard let found = rows.first else { throw BenchFailure("the loan is not there") }
    return found.terms.borrowerID
  }

  /// A change of control makes everything due at the next sweep.
  func acquire(_ borrower: OrganizationID) async throws {
    let principal = Principal(
      organizationID: borrower, roles: [.startup], personID: PersonID(UUIDValue(high: 11, low: 5)),
      keyID: APIKeyID(UUIDValue(high: 12, low: 5)))
    let reported = try await run(
      ReportFundingRound(
        report: ReportFundingRound.Report(
          kind: .acquisition, name: "Sale", announcedOn: try await today(), currency: .usd, amount: nil, preMoney: nil,
          postMoney: nil, acquirer: "Buyer", evidence: nil, closings: [(closedOn: try await today(), netNewCash: 0)])),
      by: principal)
    _ = try await run(
      DecideFundingRound(roundID: reported.round.id, decision: .verify(evidence: "bench"), ifVersion: nil), by: staff)
  }

  /// - Returns: how many lines the receipt was divided into.
  func pay(_ amount: Int64, by borrower: OrganizationID) async throws -> Int {
    try await pipeline.outcome(
      of: RecordCashReceipt(
        receivedOn: try await today(), amount: Money(amount, .usd), source: .round, payerID: borrower, reference: nil),
      by: staff, weight: .heavy
    ).allocations.count
  }
}

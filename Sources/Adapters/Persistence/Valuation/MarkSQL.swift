import Parties
import Postgres
import Primitives
import Valuation

/// What commands must see of marks and of what they come from, and how a correction closes what it corrects.
package enum MarkSQL {
  static let closeStartupMarks = Statement(
    "startup_marks_close",
    """
    update startup_marks m set superseded_at = u.at from unnest($1::uuid[], $2::timestamptz[]) as u (id, at)
    where m.id = u.id and m.superseded_at is null
    """, parameters: [.uuidArray, .timestamptzArray])
  static let closeChipMarks = Statement(
    "chip_marks_close",
    """
    update chip_marks m set superseded_at = u.at from unnest($1::uuid[], $2::timestamptz[]) as u (id, at)
    where m.id = u.id and m.superseded_at is null
    """, parameters: [.uuidArray, .timestamptzArray])

  private static let standingOfStartups = Statement(
    "startup_marks_standing",
    Tables.startupMarks.selectList
      + """
      where superseded_at is null and (borrower_id, basis, method, effective_on, source) in (
        select w.subject, w.basis, w.method, w.effective_on, w.source
        from unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::text[])
          as w (subject, basis, method, effective_on, source))
      order by borrower_id, id
      """, parameters: [.uuidArray, .textArray, .textArray, .dateArray, .textArray],
    columns: Tables.startupMarks.types)
  private static let standingOfChips = Statement(
    "chip_marks_standing",
    Tables.chipMarks.selectList
      + """
      where superseded_at is null and (chip_model_id, basis, method, effective_on, source) in (
        select w.subject, w.basis, w.method, w.effective_on, w.source
        from unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[])
          as w (subject, basis, method, effective_on, source))
      order by chip_model_id, id
      """, parameters: [.textArray, .textArray, .textArray, .dateArray, .textArray], columns: Tables.chipMarks.types)
  private static let tradingMarks = Statement(
    "chip_marks_trading",
    """
    select m.* from unnest($1::text[]) as s (subject)
    cross join lateral (
    """ + Tables.chipMarks.selectList
      + """
      where chip_model_id = s.subject and basis = 'per_chip' and superseded_at is null
      order by effective_on desc, recorded_at desc, id desc limit 1) m
      """, parameters: [.textArray], columns: Tables.chipMarks.types)
  /// The newest post-money of startups, as it stands now; one of which nothing is known is left out.
  package static let tradingStartups = Statement(
    "startup_marks_trading",
    """
    select m.* from unnest($1::uuid[]) as s (subject)
    cross join lateral (
    """ + Tables.startupMarks.selectList
      + """
      where borrower_id = s.subject and basis = 'post_money' and superseded_at is null
      order by effective_on desc, recorded_at desc, id desc limit 1) m
      """, parameters: [.uuidArray], columns: Tables.startupMarks.types)
  private static let dayMarks = Statement(
    "chip_marks_of_days",
    """
    select m.*, s.on_date from unnest($1::text[], $2::date[]) as s (subject, on_date)
    cross join lateral (
    """ + Tables.chipMarks.selectList
      + """
      where chip_model_id = s.subject and basis = 'per_chip' and superseded_at is null and effective_on <= s.on_date
      order by effective_on desc, recorded_at desc, id desc limit 1) m
      """, parameters: [.textArray, .dateArray], columns: Tables.chipMarks.types + [.date])
  private static let openDisputes = Statement(
    "mark_disputes_open_of_subjects",
    Tables.markDisputes.selectList
      + "where state = 'open' and (startup_id = any($1) or chip_model_id = any($2)) order by id",
    parameters: [.uuidArray, .textArray], columns: Tables.markDisputes.types)
  private static let importsOfFiles = Statement(
    "valuation_imports_of_files",
    Tables.valuationImports.selectList
      + """
      where (kind, file_digest) in (select w.kind, w.digest from unnest($1::text[], $2::bytea[]) as w (kind, digest))
      order by id
      """, parameters: [.textArray, .byteaArray], columns: Tables.valuationImports.types)
  private static let proposalsOfImports = Statement(
    "mark_proposals_of_imports",
    Tables.markProposals.selectList + "where import_id = any($1) and state = 'proposed' order by id",
    parameters: [.uuidArray], columns: Tables.markProposals.types)
  private static let organizationsOfPersons = Statement(
    "organizations_of_persons",
    """
    select person_id, org_id from api_keys where person_id = any($1) and org_id <> $2 and revoked_at is null
    union
    select person_id, org_id from identity_bindings where person_id = any($1) and org_id <> $2 and revoked_at is null
    order by person_id, org_id
    """, parameters: [.uuidArray, .uuid], columns: [.uuid, .uuid])
  private static let organizationsNamed = Statement(
    "organizations_of_names", Tables.organizations.selectList + "where legal_name = any($1) order by org_id",
    parameters: [.textArray], columns: Tables.organizations.types)
  private static let reportsOf = Statement(
    "round_reports_of_startups",
    Tables.roundReports.selectList + "where borrower_id = any($1) order by recorded_at, id", parameters: [.uuidArray],
    columns: Tables.roundReports.types)

  package static let runwayOf = Statement(
    "runway_reports_of_startups",
    Tables.runwayReports.selectList + "where borrower_id = any($1) order by recorded_at, id", parameters: [.uuidArray],
    columns: Tables.runwayReports.types)

  package static var statements: [Statement] {
    [
      closeStartupMarks, closeChipMarks, standingOfStartups, standingOfChips, tradingMarks, tradingStartups, dayMarks,
      openDisputes,
      importsOfFiles,
      proposalsOfImports, organizationsOfPersons, organizationsNamed, reportsOf, runwayOf,
    ]
  }

  /// The record of a file's import, if it was begun.
  package static func importOfFile(_ kind: ValuationImport.Kind, _ digest: SHA256Digest) -> Query {
    Query(importsOfFiles, [.textArray([kind.rawValue]), .byteaArray([digest.bytes])])
  }

  /// Organisations of exactly this legal name.
  package static func organizations(named name: String) -> Query { Query(organizationsNamed, [.textArray([name])]) }

  static func lookups(_ needs: Set<ValuationNeed>) -> [Loader.Lookup] {
    if needs.isEmpty { return [] }
    var wanted = Wanted()
    for need in needs { wanted.add(need) }
    return wanted.markLookups + wanted.rowLookups + wanted.importLookups + wanted.partyLookups
      + QuoteSQL.lookups(known: wanted.quotes, on: wanted.derivations)
  }

  /// Needs by kind.
  private struct Wanted {
    var marks: [UUIDValue] = []
    var standing: [MarkKey] = []
    var trading: [ChipModelID] = []
    var tradingOf: [OrganizationID] = []
    var days: [ChipDay] = []
    var disputesOf: [ValuationSubject] = []
    var proposals: [UUIDValue] = []
    var disputes: [UUIDValue] = []
    var imports: [UUIDValue] = []
    var files: [ImportKey] = []
    var proposalsOf: [ValuationImportID] = []
    var persons: [PersonID] = []
    var names: [String] = []
    var reportsOf: [OrganizationID] = []
    var runwayOf: [OrganizationID] = []
    var quotes: [SHA256Digest] = []
    var series: [UUIDValue] = []
    var derivations: [CalendarDate] = []

    mutating func add(_ need: ValuationNeed) {
      switch need {
      case .mark(let id): marks.append(id.value)
      case .standing(let key): standing.append(key)
      case .tradingMark(let chip): trading.append(chip)
      case .startupMark(let id): tradingOf.append(id)
      case .dayMark(let day): days.append(day)
      case .disputes(let id): disputesOf.append(id)
      case .proposal(let id): proposals.append(id.value)
      case .dispute(let id): disputes.append(id.value)
      case .importRecord(let id): imports.append(id.value)
      case .importOfFile(let key): files.append(key)
      case .proposalsOfImport(let id): proposalsOf.append(id)
      case .organizationsOfPerson(let id): persons.append(id)
      case .organizationsNamed(let name): names.append(name)
      case .reports(let id): reportsOf.append(id)
      case .runway(let id): runwayOf.append(id)
      case .quote(let fingerprint): quotes.append(fingerprint)
      case .series(let id): series.append(id.value)
      case .derivation(let date): derivations.append(date)
      }
    }

    var markLookups: [Loader.Lookup] {
      var lookups: [Loader.Lookup] = []
      /// Marks of one table, by whatever query.
      func find(_ table: Table<ValuationMark>, _ query: Query, areStanding: Bool) {
        lookups.append(
          Loader.Lookup(query: query) { result, state in
            for mark in try table.decode(result) {
              state.valuation.marks[mark.id] = mark
              if areStanding { state.valuation.standing[MarkKey(mark)] = mark.id }
            }
          })
      }
      if !marks.isEmpty {
        for table in [Tables.startupMarks, Tables.chipMarks] {
          find(table, table.rows(by: marks.sorted()), areStanding: false)
        }
      }
      let ofStartups = standing.filter { $0.subject.startup != nil }
      if !ofStartups.isEmpty {
        let subjects = Bind.uuidArray(ofStartups.map { $0.subject.startup?.value.bits })
        find(Tables.startupMarks, Query(standingOfStartups, [subjects] + Self.binds(ofStartups)), areStanding: true)
      }
      let ofChips = standing.filter { $0.subject.chipModel != nil }
      if !trading.isEmpty {
        let models = trading.sorted()
        lookups.append(
          Loader.Lookup(query: Query(tradingMarks, [.textArray(models.map(\.value))])) { result, state in
            for model in models { state.valuation.tradingMarks[model] = .some(nil) }
            for mark in try Tables.chipMarks.decode(result) {
              if let model = mark.subject.chipModel { state.valuation.tradingMarks[model] = .some(mark) }
            }
          })
      }
      if !tradingOf.isEmpty {
        let startups = tradingOf.sorted()
        lookups.append(
          Loader.Lookup(query: Query(tradingStartups, [.uuidArray(startups.map(\.value.bits))])) { result, state in
            for startup in startups { state.valuation.startupMarks[startup] = .some(nil) }
            for mark in try Tables.startupMarks.decode(result) {
              if let startup = mark.subject.startup { state.valuation.startupMarks[startup] = .some(mark) }
            }
          })
      }
      if !days.isEmpty {
        let days = days.sorted()
        let binds: [Bind] = [.textArray(days.map(\.chip.value)), .dateArray(days.map(\.on.dayNumber))]
        lookups.append(
          Loader.Lookup(query: Query(dayMarks, binds)) { result, state in
            for day in days { state.valuation.dayMarks[day] = .some(nil) }
            for row in result {
              let mark = try Tables.chipMarks.decode(row)
              var reader = RowReader(row, from: Tables.chipMarks.types.count)
              let on = try reader.date()
              if let chip = mark.subject.chipModel { state.valuation.dayMarks[ChipDay(chip, on: on)] = .some(mark) }
            }
          })
      }
      if !ofChips.isEmpty {
        let subjects = Bind.textArray(ofChips.map { $0.subject.chipModel?.value })
        find(Tables.chipMarks, Query(standingOfChips, [subjects] + Self.binds(ofChips)), areStanding: true)
      }
      return lookups
    }

    private static func binds(_ keys: [MarkKey]) -> [Bind] {
      [
        .textArray(keys.map(\.basis.rawValue)), .textArray(keys.map(\.method.rawValue)),
        .dateArray(keys.map(\.effectiveOn.dayNumber)), .textArray(keys.map(\.source)),
      ]
    }

    var rowLookups: [Loader.Lookup] {
      var lookups: [Loader.Lookup] = []
      func byID<Row: Stored>(
        _ ids: [UUIDValue], _ table: Table<Row>, _ shelf: any WritableKeyPath<Shelves, Shelf<Row>> & Sendable
      ) {
        guard !ids.isEmpty else { return }
        lookups.append(
          Loader.Lookup(query: table.rows(by: ids.sorted())) { result, state in
            for row in try table.decode(result) { state.shelves[keyPath: shelf].load(row) }
          })
      }
      byID(proposals, Tables.markProposals, \.markProposals)
      byID(disputes, Tables.markDisputes, \.markDisputes)
      byID(imports, Tables.valuationImports, \.valuationImports)
      byID(series, Tables.markSeries, \.markSeries)
      if !disputesOf.isEmpty {
        let subjects = disputesOf
        let binds: [Bind] = [
          .uuidArray(subjects.compactMap(\.startup).map(\.value.bits)),
          .textArray(subjects.compactMap(\.chipModel).map(\.value)),
        ]
        lookups.append(
          Loader.Lookup(query: Query(openDisputes, binds)) { result, state in
            for subject in subjects { state.valuation.openDisputes[subject] = [] }
            for dispute in try Tables.markDisputes.decode(result) {
              state.shelves.markDisputes.load(dispute)
              state.valuation.openDisputes[dispute.subject]?.append(dispute.id)
            }
          })
      }
      return lookups
    }

    var importLookups: [Loader.Lookup] {
      var lookups: [Loader.Lookup] = []
      if !files.isEmpty {
        let binds: [Bind] = [.textArray(files.map(\.kind.rawValue)), .byteaArray(files.map(\.digest.bytes))]
        lookups.append(
          Loader.Lookup(query: Query(importsOfFiles, binds)) { result, state in
            for record in try Tables.valuationImports.decode(result) {
              state.shelves.valuationImports.load(record)
              state.valuation.importOfFile[ImportKey(kind: record.kind, digest: record.fileDigest)] = record.id
            }
          })
      }
      if !proposalsOf.isEmpty {
        let imports = proposalsOf.sorted()
        lookups.append(
          Loader.Lookup(query: Query(proposalsOfImports, [.uuidArray(imports.map(\.value.bits))])) { result, state in
            for record in imports { state.valuation.proposalsOfImport[record] = [] }
            for proposal in try Tables.markProposals.decode(result) {
              state.shelves.markProposals.load(proposal)
              if let record = proposal.importID { state.valuation.proposalsOfImport[record]?.append(proposal.id) }
            }
          })
      }
      return lookups
    }

    var partyLookups: [Loader.Lookup] {
      var lookups: [Loader.Lookup] = []
      if !persons.isEmpty {
        let people = persons.sorted()
        let binds: [Bind] = [.uuidArray(people.map(\.value.bits)), .uuid(OrganizationID.platform.value.bits)]
        lookups.append(
          Loader.Lookup(query: Query(organizationsOfPersons, binds)) { result, state in
            for person in people { state.valuation.organizationsOfPerson[person] = [] }
            for row in result {
              var reader = RowReader(row)
              let person: PersonID = try reader.id()
              state.valuation.organizationsOfPerson[person]?.append(try reader.id())
            }
          })
      }
      if !names.isEmpty {
        let wanted = names.sorted()
        lookups.append(
          Loader.Lookup(query: Query(organizationsNamed, [.textArray(wanted)])) { result, state in
            for name in wanted { state.valuation.organizationsNamed[name] = [] }
            for row in try Tables.organizations.decode(result) {
              state.shelves.organizations.load(row)
              state.valuation.organizationsNamed[row.legalName]?.append(row.id)
            }
          })
      }
      if !reportsOf.isEmpty {
        let startups = reportsOf.sorted()
        lookups.append(
          Loader.Lookup(query: Query(MarkSQL.reportsOf, [.uuidArray(startups.map(\.value.bits))])) { result, state in
            for startup in startups { state.valuation.reports[startup] = [] }
            for row in try Tables.roundReports.decode(result) { state.valuation.reports[row.borrowerID]?.append(row) }
          })
      }
      if !runwayOf.isEmpty {
        let startups = runwayOf.sorted()
        lookups.append(
          Loader.Lookup(query: Query(MarkSQL.runwayOf, [.uuidArray(startups.map(\.value.bits))])) { result, state in
            for startup in startups { state.valuation.runway[startup] = [] }
            for row in try Tables.runwayReports.decode(result) { state.valuation.runway[row.startupID]?.append(row) }
          })
      }
      return lookups
    }
  }
}

import Parties
import Postgres
import Primitives

/// What waits for a second person, or did: a view over the acts that have a maker and a checker. It keeps nothing of its
/// own; each is decided by the command of its own kind.
package struct Approval: Sendable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case settlementRun = "settlement_run"
    case fundingRound = "funding_round"
    case rulePack = "rule_pack"
    case calendar
    case taxRule = "tax_rule"
    case leastHaircut = "least_haircut"
    case mark
    case markSeries = "mark_series"
    case fxRate = "fx_rate"
    case cashConversion = "cash_conversion"
    case clawback = "claw_back"
    case topUp = "client_money_top_up"
    case depositAct = "deposit_act"
    case payee
    case taxCertificate = "tax_certificate"
    /// A request of staff that is done once a second person agrees.
    case heldAct = "held_act"
  }

  package enum State: String, Sendable, Hashable, CaseIterable {
    case pending, approved, rejected
  }

  package let kind: Kind
  /// Of the object that waits.
  package let subject: UUIDValue
  /// What it belongs to where its own id is not enough: a payee's organisation, a certificate's loan.
  package let parent: UUIDValue?
  /// The party it concerns; nil for what concerns all.
  package let organizationID: OrganizationID?
  /// Nil where a program made it.
  package let maker: PersonID?
  package let checker: PersonID?
  package let state: State
  /// What it would do, in the words of its own resource: a JSON object.
  package let facts: [UInt8]
  package let version: Int64
  package let createdAt: Instant
  /// What deciding it needs, where its kind alone does not tell.
  package let ownDuty: Duty?

  package init(
    kind: Kind, subject: UUIDValue, parent: UUIDValue?, organizationID: OrganizationID?, maker: PersonID?,
    checker: PersonID?, state: State, facts: [UInt8], version: Int64, createdAt: Instant, ownDuty: Duty?
  ) {
    self.kind = kind
    self.subject = subject
    self.parent = parent
    self.organizationID = organizationID
    self.maker = maker
    self.checker = checker
    self.state = state
    self.facts = facts
    self.version = version
    self.createdAt = createdAt
    self.ownDuty = ownDuty
  }
}

package enum ApprovalSQL {
  /// Each part in the same columns. Where a table knows more words, what was taken back undecided is rejected.
  private static let all: SQL = """
    select * from (
      select 'settlement_run'::text as kind, id, null::uuid as parent, null::uuid as org_id, requested_by as maker,
        approved_by as checker,
        case when approval = 'given' then 'approved' when state in ('cancelled', 'failed', 'succeeded') then 'rejected'
          else 'pending' end as state,
        jsonb_build_object('job', job, 'business_date', business_date) as facts, version, created_at,
        null::text as duty, null::text as body
      from settlement_runs where approval <> 'not_needed'
      union all
      select 'funding_round', id, null, borrower_id, reported_by, verified_by,
        case state when 'reported' then 'pending' when 'verified' then 'approved' else 'rejected' end,
        jsonb_build_object('kind', kind, 'name', name, 'amount', amount, 'currency', currency), version,
        created_at, null, null
      from funding_rounds
      union all
      select 'rule_pack', id, null, null, loaded_by, decided_by,
        case state when 'loaded' then 'pending' when 'switched_on' then 'approved' else 'rejected' end,
        jsonb_build_object('kind', kind, 'as_of', as_of, 'source', source), version,
        created_at, null, null
      from rule_packs
      union all
      select kind, id, null, null, proposed_by, decided_by,
        case state when 'proposed' then 'pending' when 'adopted' then 'approved' else 'rejected' end,
        jsonb_build_object('fact', body), version,
        created_at, null, null
      from reference_entries
      union all
      select 'mark', id, null, startup_id, proposed_by, decided_by,
        case state when 'proposed' then 'pending' else state end,
        jsonb_build_object('chip_model_id', chip_model_id, 'method', method, 'basis', basis, 'amount', amount,
          'currency', currency, 'effective_on', effective_on, 'source', source), version,
        created_at, null, null
      from mark_proposals
      union all
      select 'mark_series', id, null, null, proposed_by, approved_by,
        case state when 'proposed' then 'pending' else state end,
        jsonb_build_object('chip_model_id', chip_model_id, 'kind', kind, 'currency', currency), version,
        created_at, null, null
      from mark_series
      union all
      select 'fx_rate', id, null, null, proposed_by, decided_by,
        case state when 'proposed' then 'pending' when 'superseded' then 'approved' else state end,
        jsonb_build_object('base', base, 'quote', quote, 'on', on_date, 'mantissa', mantissa, 'places', places,
          'source', source), version,
        created_at, null, null
      from fx_rates
      union all
      select 'cash_conversion', id, null, org_id, proposed_by, decided_by,
        case state when 'proposed' then 'pending' else state end,
        jsonb_build_object('amount', amount, 'currency', currency, 'into_amount', into_amount, 'into_currency',
          into_currency), version,
        created_at, null, null
      from cash_conversions
      union all
      select 'claw_back', id, null, payer_id, proposed_by, decided_by,
        case state when 'proposed' then 'pending' else state end,
        jsonb_build_object('amount', amount, 'currency', currency, 'taken_back_on', taken_back_on, 'reason', reason),
        version,
        created_at, null, null
      from claw_backs
      union all
      select 'client_money_top_up', id, null, null, proposed_by, decided_by,
        case state when 'proposed' then 'pending' else state end,
        jsonb_build_object('amount', amount, 'currency', currency, 'funded_on', funded_on), version,
        created_at, null, null
      from client_money_top_ups
      union all
      select 'deposit_act', id, null, borrower_id, proposed_by, decided_by,
        case state when 'proposed' then 'pending' else state end,
        jsonb_build_object('kind', kind, 'amount', amount, 'currency', currency, 'reason', reason), version,
        created_at, null, null
      from deposit_acts
      union all
      select 'payee', id, org_id, org_id, proposed_by, verified_by,
        case when state = 'proposed' then 'pending' when verified_by is not null then 'approved' else 'rejected' end,
        jsonb_build_object('currency', currency, 'holder_name', holder_name), version,
        created_at, null, null
      from payees
      union all
      select 'tax_certificate', id, loan_id, borrower_id, recorded_by, decided_by,
        case state when 'proposed' then 'pending' when 'confirmed' then 'approved' else state end,
        jsonb_build_object('fee', fee, 'withheld', withheld, 'currency', currency, 'authority', authority), version,
        created_at, null, null
      from loan_tax_certificates
      union all
      select 'held_act', id, null, null, proposed_by, decided_by,
        case state when 'proposed' then 'pending' else state end,
        jsonb_build_object('act', action, 'path', path, 'if_version', if_version), version, created_at, duty, body
      from held_acts
    ) as approvals
    """
  private static let columns: [PostgresType] = [
    .text, .uuid, .uuid, .uuid, .uuid, .uuid, .text, .jsonb, .int8, .timestamptz, .text, .text,
  ]
  /// Two kinds never share an id, except by planting; the kind is told by the id's prefix.
  private static let one = Statement(
    "read_approval", all + "where id = $1 and kind = $2", parameters: [.uuid, .text], columns: columns)
  private static let page = Statement(
    "page_approvals",
    all + """
      where ($1::text is null or kind = $1) and state = $2 and (created_at, id) > ($3, $4)
      order by created_at, id limit $5
      """, parameters: [.text, .text, .timestamptz, .uuid, .int8], columns: columns)

  package static var statements: [Statement] { [one, page] }

  package static func one(_ kind: Approval.Kind, _ id: UUIDValue) -> Query {
    Query(one, [.uuid(id.bits), .text(kind.rawValue)])
  }

  /// In the order in which they were made.
  package static func page(
    of kind: Approval.Kind?, _ state: Approval.State, after position: PagePosition, limit: Int64
  ) -> Query {
    Query(
      page,
      [
        .text(kind?.rawValue), .text(state.rawValue), .timestamptz(position.createdAt.microseconds),
        .uuid(position.id.bits), .int8(limit),
      ])
  }

  package static func decode(_ row: Row) throws -> Approval {
    var row = RowReader(row)
    let approval = Approval(
      kind: try row.value(), subject: try row.uuid(), parent: try row.uuidOrNull(), organizationID: try row.idOrNull(),
      maker: try row.idOrNull(), checker: try row.idOrNull(), state: try row.value(), facts: try row.jsonBytes(),
      version: try row.int(), createdAt: try row.instant(), ownDuty: try row.valueOrNull())
    guard let body = try row.textOrNull() else { return approval }
    return approval.holding(body)
  }
}

extension Approval {
  /// With the request's own body among its facts, as it came: the database has numbers of fewer digits than JSON, so it is not
  /// asked to read it.
  package func holding(_ body: String) -> Approval {
    let facts = self.facts.dropLast() + Array(#", "body": "#.utf8) + Array(body.utf8) + [UInt8(ascii: "}")]
    return Approval(
      kind: kind, subject: subject, parent: parent, organizationID: organizationID, maker: maker, checker: checker,
      state: state, facts: Array(facts), version: version, createdAt: createdAt, ownDuty: ownDuty)
  }
}

import Ledger
import Persistence
import Postgres
import Primitives
import Repayment

/// Computes the stored records of sweeps, divisions of money, claw-backs and conversions again, and compares them with what was done.
enum RecordVerifier {
  static let title =
    "each record of a sweep or a division is reproduced, and is what was done; so is each of a claw-back or a conversion"

  static func report(_ transaction: Transaction) async throws -> BookVerifier.Report {
    var breaches: [String] = []
    var checked: Int64 = 0
    var (borrower, subject) = (UUIDValue(high: 0, low: 0), UUIDValue(high: 0, low: 0))
    while true {
      let page = try await transaction.run(
        Query(ChainSQL.explanations, [.uuid(borrower.bits), .uuid(subject.bits), .int8(200)]))
      if page.isEmpty { break }
      for stored in page {
        checked += 1
        let row: ExplanationRow
        do { row = try Tables.repaymentExplanations.decode(stored) } catch let error as StoredValueError {
          breaches.append("a record cannot be read: \(error.description)")
          return BookVerifier.Report(law: 11, title: title, checked: checked, breaches: breaches)
        }
        (borrower, subject) = (row.borrowerID.value, row.subjectID)
        if let fault = try await fault(of: row, transaction), breaches.count < 20 {
          breaches.append("\(row.kind.rawValue) \(row.subjectID): \(fault)")
        }
      }
    }
    let declines = try await declines(transaction)
    let claims = try await claims(transaction)
    return BookVerifier.Report(
      law: 11, title: title, checked: checked + declines.checked + claims.checked,
      breaches: Array((breaches + declines.faults + claims.faults).prefix(20)))
  }

  /// What lenders declined: the record shares again as it says, and is of the row that has it.
  private static func declines(_ transaction: Transaction) async throws -> (checked: Int64, faults: [String]) {
    var (checked, faults): (Int64, [String]) = (0, [])
    var (borrower, last) = (UUIDValue(high: 0, low: 0), UUIDValue(high: 0, low: 0))
    while true {
      let page = try Tables.prepaymentDeclines.decode(
        await transaction.run(Query(ChainSQL.declines, [.uuid(borrower.bits), .uuid(last.bits), .int8(200)])))
      if page.isEmpty { return (checked, faults) }
      for row in page {
        checked += 1
        (borrower, last) = (row.borrowerID.value, row.id.value)
        if let fault = fault(of: row) { faults.append("declined \(row.id): \(fault)") }
      }
    }
  }

  /// What lenders had lifted by a most-favoured-nation clause: the record compares again as it says, and is of the row.
  private static func claims(_ transaction: Transaction) async throws -> (checked: Int64, faults: [String]) {
    var (checked, faults): (Int64, [String]) = (0, [])
    var last = UUIDValue(high: 0, low: 0)
    while true {
      let page = try Tables.favouredClaims.decode(
        await transaction.run(FavourSQL.claims(after: last, limit: 200)))
      if page.isEmpty { return (checked, faults) }
      for row in page {
        checked += 1
        last = row.id.value
        if let fault = fault(of: row) { faults.append("most favoured \(row.id): \(fault)") }
      }
    }
  }

  private static func fault(of row: FavouredClaim) -> String? {
    guard SHA256Digest(of: row.bytes) == row.digest else { return "the bytes are not those of the digest" }
    guard let comparison = try? FavourComparison(canonicalBytes: row.bytes) else { return "the bytes are no record" }
    guard comparison.isReproduced else { return "comparing again gives something else" }
    return row.isMade(on: comparison) ? nil : "it is of another claim"
  }

  private static func fault(of row: PrepaymentDecline) -> String? {
    guard SHA256Digest(of: row.bytes) == row.digest else { return "the bytes are not those of the digest" }
    guard let dues = try? DeclinedDues(canonicalBytes: row.bytes) else { return "the bytes are no record" }
    guard dues.isReproduced else { return "sharing the part again gives something else" }
    let again = PrepaymentDecline(
      dues, id: row.id, of: row.borrowerID, row.roundID, row.amount.currency, by: row.declinedBy,
      recordedAt: row.recordedAt)
    return again == row ? nil : "it is of another decision"
  }

  private static func fault(of row: ExplanationRow, _ transaction: Transaction) async throws -> String? {
    guard SHA256Digest(of: row.bytes) == row.digest else { return "the bytes are not those of the digest" }
    switch row.kind {
    case .sweep, .correction:
      guard let record = try? SweepExplanation(canonicalBytes: row.bytes) else { return "the bytes are no record" }
      guard record.isReproduced else { return "sharing the pool again gives something else" }
      for rate in record.ratesUsed {
        let known = try await transaction.run(FXSQL.knowing(rate)).single().int8(0)
        if known == 0 { return "its rate \(rate.description) was never in use" }
      }
      return try await fault(of: record, row, transaction)
    case .allocation:
      guard let record = try? AllocationExplanation(canonicalBytes: row.bytes) else { return "the bytes are no record" }
      guard record.isReproduced else { return "dividing again gives something else" }
      return try await fault(of: record, row, transaction)
    case .clawBack:
      guard let record = try? ClawbackExplanation(canonicalBytes: row.bytes) else { return "the bytes are no record" }
      guard record.isReproduced else { return "taking back again gives something else" }
      return try await fault(of: record, row, transaction)
    case .conversion:
      guard let record = try? ConversionExplanation(canonicalBytes: row.bytes) else { return "the bytes are no record" }
      guard record.isReproduced else { return "converting again gives something else" }
      return try await fault(of: record, row, transaction)
    }
  }

  private static func fault(
    of record: ConversionExplanation, _ row: ExplanationRow, _ transaction: Transaction
  ) async throws -> String? {
    let all = try await Tables.loanConversions.decode(transaction.run(EquitySQL.conversions(of: [record.loanID])))
    guard let conversion = all.first(where: { $0.id.value == row.subjectID }), conversion.borrowerID == row.borrowerID,
      record.tells(of: conversion)
    else { return "its conversion says otherwise" }
    // Of those that were recorded at one instant nothing tells which came first.
    var (before, beside): (Int64, Int64) = (0, 0)
    for other in all where other.roundID == record.roundID && other.id != conversion.id {
      if other.recordedAt < conversion.recordedAt { before = try before.adding(other.converted) }
      if other.recordedAt == conversion.recordedAt { beside = try beside.adding(other.converted) }
    }
    let isPossible = try before <= record.debt.before && record.debt.before <= before.adding(beside)
    return isPossible ? nil : "other conversions were before it"
  }

  private static func fault(
    of record: SweepExplanation, _ row: ExplanationRow, _ transaction: Transaction
  ) async throws -> String? {
    let key: [Bind] = [.uuid(row.borrowerID.value.bits), .uuid(record.closing.id.value.bits)]
    let results = try await transaction.pipeline([Query(ChainSQL.closing, key), Query(ChainSQL.corrections, key)])
    let closing = try Tables.fundingClosings.decode(results[0]).first
    let corrections = try Tables.closingCorrections.decode(results[1]).filter(\.isAfterSweep)
    guard let closing, closing.state == .swept else { return "its closing is not swept" }
    // The sweep saw the cash that the first correction after it found.
    let cash: Money?
    if row.kind == .sweep {
      guard record.closing.id.value == row.subjectID else { return "it is of another closing" }
      cash = corrections.first.map { Money($0.was, $0.becomes.currency) } ?? closing.netNewCash
    } else {
      cash = corrections.first { $0.id.value == row.subjectID }?.becomes
    }
    guard closing.roundID == record.closing.roundID, closing.closedOn == record.closing.closedOn,
      cash == record.closing.netNewCash
    else { return "its closing has other terms" }
    return nil
  }

  private static func fault(
    of record: AllocationExplanation, _ row: ExplanationRow, _ transaction: Transaction
  ) async throws -> String? {
    let key: [Bind] = [.uuid(row.borrowerID.value.bits), .uuid(row.subjectID.bits)]
    let rows = try await Tables.allocations.decode(transaction.run(Query(ChainSQL.allocations, key)))
    let done = rows.map { "\($0.loanID) \($0.lenderID) \($0.step) \($0.amount)" }
    let recorded = record.allocation.lines.map {
      "\($0.loanID) \($0.lenderID) \($0.step.rawValue) \(Money($0.amount, record.amount.currency))"
    }
    return done.sorted() == recorded.sorted() ? nil : "its lines are not what was allocated"
  }

  private static func fault(
    of record: ClawbackExplanation, _ row: ExplanationRow, _ transaction: Transaction
  ) async throws -> String? {
    let results = try await transaction.pipeline([
      Query(ChainSQL.clawback, [.uuid(row.subjectID.bits)]),
      Query(ChainSQL.clawbackLines, [.uuid(row.borrowerID.value.bits), .uuid(row.subjectID.bits)]),
      Query(ChainSQL.recordsBeforeClawback, [.uuid(row.borrowerID.value.bits), .uuid(row.subjectID.bits)]),
    ])
    guard let clawback = try Tables.clawbacks.decode(results[0]).first, let booking = clawback.booking else {
      return "it is of no claw-back that was approved"
    }
    guard clawback.amount == record.amount, clawback.order == record.order,
      booking.fromRemainder == record.clawback.fromRemainder
    else { return "its claw-back says otherwise" }
    let done = try Tables.clawbackLines.decode(results[1]).map { "\($0.loanID) \($0.lenderID) \($0.step) \($0.cash)" }
    let recorded = record.clawback.lines.map {
      "\($0.loanID) \($0.lenderID) \($0.step.rawValue) \(Money($0.cash, record.amount.currency))"
    }
    guard done.sorted() == recorded.sorted() else { return "its lines are not what was taken back" }
    return try fault(in: record.allocation, left: Tables.repaymentExplanations.decode(results[2]))
  }

  /// Whether a claw-back was taken of what the division and the claw-backs before it had left.
  private static func fault(in allocation: Allocation, left records: [ExplanationRow]) throws -> String? {
    guard let division = records.first(where: { $0.kind == .allocation }),
      var left = try? AllocationExplanation(canonicalBytes: division.bytes).allocation
    else { return "its receipt has no record of a division" }
    for earlier in records where earlier.kind == .clawBack {
      guard let record = try? ClawbackExplanation(canonicalBytes: earlier.bytes),
        let less = try? left.less(record.clawback)
      else { return "a claw-back before it does not fit the division" }
      left = less
    }
    // What a lender had declined is no part of what can be taken back.
    let same =
      left.lines == allocation.lines && left.premiums == allocation.premiums && left.remainder == allocation.remainder
    return same ? nil : "it was not taken of what was left of the receipt"
  }
}

import BankFiles
import Primitives

/// Matches what a bank says with what the books say. Nothing is guessed: a pair needs the reference, the amount and the
/// currency, and where more than one item has them, a person decides.
///
/// The answer does not depend on the order of the input: lines are taken by booking date and key, items by id.
package struct Reconciliation: Sendable {
  /// How many candidates a break names.
  package static let mostCandidates = 20

  private let settled: [String: [ExpectedItem]]
  private let readBefore: Set<BankLine.Key>
  private let through: CalendarDate

  /// - Parameters:
  ///   - settled: items that earlier lines settled, for what comes twice or is taken back.
  ///   - readBefore: keys of lines that earlier imports brought.
  ///   - through: the last day that the statements cover.
  package init(settled: [ExpectedItem] = [], readBefore: Set<BankLine.Key> = [], through: CalendarDate) {
    self.settled = Dictionary(grouping: settled, by: \.reference)
    self.readBefore = readBefore
    self.through = through
  }

  /// Reconciles lines with items that are open. Items of one id are one item; the first in their whole order counts.
  package func reconcile(lines: [BankLine], items: [ExpectedItem]) -> ReconciliationReport {
    var pass = ReconciliationPass(settled: settled, items: items)
    var seen = readBefore
    var booked: [BankLine] = []
    for line in lines.sorted(by: Self.isBefore) {
      // Within one call too: the same statement given twice.
      if !seen.insert(line.key).inserted {
        pass.add(.readBefore, line: line)
      } else if !line.isBooked {
        pass.add(.notBooked, line: line, candidates: pass.named(by: line))
      } else {
        booked.append(line)
      }
    }
    booked = pass.setReversalsAside(booked)
    booked = pass.pairExact(booked)
    booked = pass.pairByReference(booked)
    pass.leave(booked, through: through)
    return pass.report()
  }

  /// A total order over all that a line says, so that of two lines of one key the same one comes first.
  private static func isBefore(_ left: BankLine, _ right: BankLine) -> Bool {
    if left.bookingDate != right.bookingDate || left.key != right.key { return left < right }
    if left.currency != right.currency { return left.currency < right.currency }
    if left.amount != right.amount { return left.amount < right.amount }
    if left.isBooked != right.isBooked { return left.isBooked }
    if left.isReversal != right.isReversal { return right.isReversal }
    let (one, other) = (left.counterparty?.description ?? "", right.counterparty?.description ?? "")
    if one != other { return one < other }
    return left.references.sorted().lexicographicallyPrecedes(right.references.sorted())
  }
}

/// One reconciliation under way.
struct ReconciliationPass {
  private let settled: [String: [ExpectedItem]]
  private let items: [ExpectedItem]
  private let byReference: [String: [ExpectedItem]]
  private let byAmount: [Money: [ExpectedItem]]
  private var taken: Set<UUIDValue> = []
  private var pairs: [ReconciledPair] = []
  private var breaks: [ReconciliationBreak] = []

  init(settled: [String: [ExpectedItem]], items: [ExpectedItem]) {
    self.settled = settled
    // By everything that an item says, so that of two of one id the same one counts in any order.
    let ordered = items.sorted {
      ($0.id, $0.reference, $0.currency, $0.amount, $0.dueDate) < (
        $1.id, $1.reference, $1.currency, $1.amount, $1.dueDate
      )
    }
    var known: Set<UUIDValue> = []
    self.items = ordered.filter { known.insert($0.id).inserted }
    byReference = Dictionary(grouping: self.items, by: \.reference)
    byAmount = Dictionary(grouping: self.items) { Money($0.amount, $0.currency) }
  }

  /// Every item, open or settled, whose reference the line carries, by id.
  func named(by line: BankLine) -> [ExpectedItem] { (openNamed(by: line) + settledNamed(by: line)).sorted() }

  private func openNamed(by line: BankLine) -> [ExpectedItem] {
    line.references.flatMap { byReference[$0] ?? [] }.sorted()
  }

  private func settledNamed(by line: BankLine) -> [ExpectedItem] {
    line.references.flatMap { settled[$0] ?? [] }.sorted()
  }

  mutating func add(
    _ reason: BreakReason, line: BankLine? = nil, item: ExpectedItem? = nil, candidates: [ExpectedItem] = []
  ) {
    if let item { taken.insert(item.id) }
    let others = candidates.map(\.id).filter { $0 != item?.id }
    breaks.append(
      ReconciliationBreak(
        reason: reason, line: line, item: item, candidates: Array(others.prefix(Reconciliation.mostCandidates))))
  }

  /// What takes back, by its own word or by moving against all that it names, is never a payment of an item, unless the
  /// books expect that very taking back.
  mutating func setReversalsAside(_ lines: [BankLine]) -> [BankLine] {
    lines.filter { line in
      let named = named(by: line)
      let isAgainst = !named.isEmpty && named.allSatisfy { ($0.amount < 0) != (line.amount < 0) }
      guard line.isReversal || isAgainst else { return true }
      let isExpected = openNamed(by: line).contains {
        $0.takesBack && $0.amount == line.amount && $0.currency == line.currency
      }
      if isExpected { return true }
      add(.reversed, line: line, candidates: named)
      return false
    }
  }

  /// Pairs each item with the first line that has its reference, amount and currency, a known payer's line before a third
  /// party's; returns what fits no item.
  mutating func pairExact(_ lines: [BankLine]) -> [BankLine] {
    var claims: [UUIDValue: [BankLine]] = [:]
    var rest: [BankLine] = []
    for line in lines {
      let fitting = openNamed(by: line).filter { $0.amount == line.amount && $0.currency == line.currency }
      if fitting.count == 1 {
        claims[fitting[0].id, default: []].append(line)
      } else if fitting.count > 1 {
        add(.ambiguous, line: line, candidates: fitting)
      } else {
        let before = settledNamed(by: line).filter { $0.amount == line.amount && $0.currency == line.currency }
        if before.isEmpty { rest.append(line) } else { add(.bookedTwice, line: line, candidates: before) }
      }
    }
    for item in items {
      // Lines come in their order, and the sort keeps it within each half.
      guard let lines = claims[item.id] else { continue }
      let ordered = lines.filter { item.isPaid(by: $0) } + lines.filter { !item.isPaid(by: $0) }
      settle(item, by: ordered[0])
      for line in ordered.dropFirst() { add(.bookedTwice, line: line, candidates: [item]) }
    }
    return rest
  }

  private mutating func settle(_ item: ExpectedItem, by line: BankLine) {
    let late = item.dueDate.days(to: line.bookingDate)
    if !item.isPaid(by: line) {
      add(.thirdPartyPayer, line: line, item: item)
    } else if late > 0 {
      add(.late(days: late), line: line, item: item)
    } else {
      taken.insert(item.id)
      pairs.append(ReconciledPair(line: line, item: item))
    }
  }

  /// Joins a line with the one item it names where only amount or currency differ; returns what names nothing.
  mutating func pairByReference(_ lines: [BankLine]) -> [BankLine] {
    lines.filter { line in
      let named = named(by: line)
      guard let only = named.first else { return true }
      guard named.count == 1 else {
        add(.ambiguous, line: line, candidates: named)
        return false
      }
      let isOpen = !taken.contains(only.id) && byReference[only.reference]?.contains(only) == true
      let reason: BreakReason =
        only.currency == line.currency
        ? .amountDiffers(by: line.amount.subtractingClamped(only.amount)) : .currencyDiffers(expected: only.currency)
      add(reason, line: line, item: isOpen ? only : nil, candidates: isOpen ? [] : [only])
      return false
    }
  }

  /// The breaks of all that is left. Items of the same amount are named as candidates, never taken.
  mutating func leave(_ lines: [BankLine], through: CalendarDate) {
    for line in lines {
      let similar = (byAmount[Money(line.amount, line.currency)] ?? []).filter { !taken.contains($0.id) }
      add(line.references.isEmpty ? .missingInBooks : .unknownReference, line: line, candidates: similar)
    }
    for item in items where !taken.contains(item.id) {
      add(item.dueDate < through ? .missingOnStatement : .notYetDue, item: item)
    }
  }

  func report() -> ReconciliationReport {
    let withLine = breaks.enumerated().filter { $0.element.line != nil }.sorted { left, right in
      guard let one = left.element.line, let other = right.element.line else { return left.offset < right.offset }
      return one.bookingDate != other.bookingDate || one.key != other.key ? one < other : left.offset < right.offset
    }
    return ReconciliationReport(
      pairs: pairs.sorted { $0.line < $1.line },
      breaks: withLine.map(\.element) + breaks.filter { $0.line == nil })
  }
}

extension ExpectedItem {
  /// Whether the line comes from who may pay it. A line that does not say from whom comes from nobody known.
  fileprivate func isPaid(by line: BankLine) -> Bool {
    payers.isEmpty || line.counterparty.map(payers.contains) == true
  }
}

extension Int64 {
  /// The difference, at the end of the range where it would leave it.
  func subtractingClamped(_ other: Int64) -> Int64 {
    let (value, overflow) = subtractingReportingOverflow(other)
    return overflow ? (self < 0 ? .min : .max) : value
  }
}

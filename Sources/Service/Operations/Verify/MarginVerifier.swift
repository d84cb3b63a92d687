import Catalogue
import Lending
import Persistence
import Postgres
import Primitives
import Valuation

/// Tests every loan again by what each margin test recorded, and compares what comes out.
enum MarginVerifier {
  static let title = "each margin test is what its mark, its inputs and its loan's terms give"

  static func report(_ transaction: Transaction) async throws -> BookVerifier.Report {
    let adopted = try await Tables.referenceEntries.decode(transaction.run(Query(ReferenceSQL.adoptedHaircuts)))
    let haircuts = HaircutTable(adopted: adopted)
    var breaches: [String] = []
    var checked: Int64 = 0
    var (borrower, id) = (UUIDValue(high: 0, low: 0), UUIDValue(high: 0, low: 0))
    while true {
      let page = try await Tables.marginTests.decode(
        transaction.run(Query(MarginSQL.after, [.uuid(borrower.bits), .uuid(id.bits), .int8(200)])))
      if page.isEmpty { break }
      let loans = try await Tables.loans.decode(transaction.run(Tables.loans.rows(by: Set(page.map(\.loanID.value)))))
      let terms = Dictionary(loans.map { ($0.id, $0.terms) }, uniquingKeysWith: { first, _ in first })
      for row in page {
        checked += 1
        (borrower, id) = (row.borrowerID.value, row.id.value)
        if let fault = fault(of: row, terms[row.loanID], haircuts), breaches.count < 20 {
          breaches.append("\(row.id) of \(row.on): \(fault)")
        }
      }
    }
    return BookVerifier.Report(law: 6, title: title, checked: checked, breaches: breaches)
  }

  private static func fault(of row: MarginTestRow, _ loan: Loan.Terms?, _ haircuts: HaircutTable) -> String? {
    guard let loan, let terms = loan.margin else { return "its loan states no margin terms" }
    guard row.threshold == terms.threshold else { return "its loan agreed on other terms" }
    // Whatever was asked for on the day was adopted before it, so that the day alone says what held.
    let haircut = haircuts.taken(
      agreed: terms.haircut, chip: loan.chipModelID, vendorClass: row.haircut.vendorClass, on: row.on)
    guard row.haircut == haircut else { return "\(haircut.haircut.value) basis points were to be taken off on its day" }
    guard let result = row.result, let mark = row.mark else { return nil }
    let currency = row.inputs.outstanding.currency
    let again = try? MarginTest(
      terms, on: row.on, units: row.inputs.units, mark: mark.amount, deposits: Money(row.inputs.deposits, currency),
      outstanding: row.inputs.outstanding, repaid: Money(row.inputs.repaid, currency),
      haircut: row.haircut.haircut)
    guard let again else { return "its inputs give no test" }
    return MarginTestRow.Result(again) == result ? nil : "testing again gives another result"
  }
}

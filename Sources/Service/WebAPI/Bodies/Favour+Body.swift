import Lending
import Operations
import Primitives
import Repayment
import StrictJSON

extension MostFavouredNation {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("extent", extent)
    writer.field("through", through)
  }
}

extension LoanLife.Lifted {
  func writeMembers(to writer: inout JSONWriter, _ currency: Currency) {
    writer.field("sweep_bps", sweep)
    writer.field("discount_bps", discount)
    writer.field("cap", cap.map { Money($0, currency) })
    writer.field("warrant_coverage_bps", coverage)
  }
}

extension FavourComparison {
  /// Each lift with the later loan that gives it: told by its trade date, and by nothing that names it or its lender.
  func writeLifts(to writer: inout JSONWriter) {
    writer.array("lifts", lifts) { writer, lift in
      writer.object { writer in
        writer.field("term", lift.term)
        writer.field("from", lift.from)
        writer.field("to", lift.to)
        let tradedOn = tradeDay(of: lift)
        writer.field("because", tradedOn.map { "a later loan of \($0)" })
        writer.field("traded_on", tradedOn)
      }
    }
    // Terms that no clause of this loan lifts: a rank is a matter among lenders, and what the loan has no right to has no
    // terms.
    writer.array("left_out", leftOut) { $0.string($1.rawValue) }
  }
}

extension FavouredClaim {
  /// - Parameter isWhole: for who may see which loans were compared.
  func write(_ comparison: FavourComparison, to writer: inout JSONWriter, isWhole: Bool) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("loan_id", loanID)
      writer.field("claimed_on", claimedOn)
      writer.field("claimed_by", claimedBy)
      writer.object("most_favoured_nation") { comparison.clause.writeMembers(to: &$0) }
      comparison.writeLifts(to: &writer)
      writer.field("warrant_id", warrantID)
      writer.field("digest", digest)
      writer.field("bytes", isWhole ? bytes.hexadecimal : nil)
      writer.field("created_at", recordedAt)
    }
  }
}

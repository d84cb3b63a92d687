import Operations
import Primitives
import StrictJSON
import Valuation

extension ExposureReport {
  func writeMembers(to writer: inout JSONWriter) {
    writer.field("on", on)
    writer.array("coverage", coverage) { writer, line in line.book.write(line.ratio, to: &writer) }
    writer.array("debt_over_valuation", valued) { $1.write(to: &$0) }
  }
}

extension BookCoverage {
  fileprivate func write(_ ratio: BasisPoints?, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("currency", currency.code)
      // Rounded down; null where nothing is owed.
      writer.field("coverage_bps", ratio)
      writer.field("loans", loans)
      writer.field("units", units)
      writer.field("marked_value", Money(markedValue, currency))
      writer.field("deposits", Money(deposits, currency))
      writer.field("outstanding", Money(outstanding, currency))
      writer.field("loans_without_mark", unmarked.reduce(0) { $0 + $1.loans })
      writer.array("without_mark", unmarked) { writer, line in
        writer.object { writer in
          writer.field("reason", line.reason)
          writer.field("loans", line.loans)
          writer.field("units", line.units)
          writer.field("outstanding", Money(line.outstanding, currency))
        }
      }
    }
  }
}

extension ExposureReport.Valued {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("startup_id", startupID)
      writer.field("debt", debt)
      writer.object("valuation", mark) { writer, mark in
        writer.field("id", mark.id)
        writer.field("method", mark.method)
        writer.field("amount", mark.amount)
        writer.field("effective_on", mark.effectiveOn)
        writer.field("recorded_at", mark.recordedAt)
      }
      // Rounded up.
      writer.field("debt_over_valuation_bps", ratio)
      writer.field("lack", lack?.rawValue)
    }
  }
}

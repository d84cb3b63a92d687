import Lending
import Parties
import Primitives
import Repayment
import StrictJSON

/// What the object of an event was before a command and after it, as JSON: members by an allow-list for each kind of object.
///
/// Only members that every organisation may see that is told the events of that kind: what a lender keeps from a startup (its
/// write-offs, its lots) or a startup from a lender (its other offers) is in none. Members are added here, never by default.
package struct EventImages: Sendable, Hashable {
  /// Nil where the command made the object.
  package let before: [UInt8]?
  package let after: [UInt8]?

  /// - Parameters:
  ///   - subject: the id that the event names; its prefix tells the kind of object.
  ///   - before: the rows as they were.
  ///   - changed: what the command made of them.
  /// Nil for objects without images, and where the row was not loaded.
  init?(_ subject: String, before: Shelves, changed: Shelves) {
    func images<Row: Stored>(
      _ shelf: KeyPath<Shelves, Shelf<Row>>, _ write: (Row, inout JSONWriter) -> Void
    ) -> (before: [UInt8]?, after: [UInt8]?)? {
      guard let id = Identifier<Row.Noun>(subject) else { return nil }
      func bytes(_ row: Row?) -> [UInt8]? {
        guard let row else { return nil }
        var writer = JSONWriter(capacity: 160)
        writer.beginObject()
        write(row, &writer)
        writer.field("version", row.version)
        writer.endObject()
        return writer.bytes
      }
      let old = before[keyPath: shelf][id]
      return (bytes(old), bytes(changed[keyPath: shelf][id] ?? old))
    }
    let found: (before: [UInt8]?, after: [UInt8]?)? =
      switch subject.prefix(while: { $0 != "_" }) {
      case "org": images(\.organizations) { $1.field("verification", $0.verification.state) }
      case "lot":
        images(\.lots) { lot, writer in
          writer.field("quantity", lot.quantity)
          writer.field("listed", lot.listed)
        }
      case "lst":
        images(\.listings) { listing, writer in
          writer.field("state", listing.state)
          writer.field("remaining_quantity", listing.remaining)
        }
      case "req":
        images(\.requests) { request, writer in
          writer.field("state", request.state)
          writer.field("offered_quantity", request.offered)
          writer.field("matched_quantity", request.matched)
        }
      case "off": images(\.offers) { $1.field("state", $0.state) }
      case "loan": images(\.loans, Self.write)
      case "fund": images(\.rounds) { $1.field("state", $0.state) }
      case "wrt": images(\.warrants) { $1.field("state", $0.state) }
      case "payee": images(\.payees) { $1.field("state", $0.state) }
      default: nil
      }
    guard let found, found.after != nil else { return nil }
    (self.before, self.after) = found
  }

  /// Of a loan what both its sides read of it at any time.
  private static func write(_ loan: Loan, to writer: inout JSONWriter) {
    writer.field("state", loan.state)
    writer.field("principal", loan.outstanding.principal)
    writer.field("accrued_fee", loan.outstanding.fee)
    writer.field("charges", loan.outstanding.charges)
    writer.field("currency", loan.currency.code)
    writer.field("matures_on", loan.maturesOn.description)
    writer.field("possession", loan.possession)
    writer.field("title", loan.title)
  }
}

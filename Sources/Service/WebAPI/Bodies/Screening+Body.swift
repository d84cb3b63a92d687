import Operations
import Parties
import Primitives
import Screening
import StrictJSON

extension DecideScreening {
  /// `list_id`, `entry_id`, `name`, `is_same`, `reason`
  package static func parse(
    _ reader: inout ObjectReader, _ id: OrganizationID, ifVersion: Int64?
  ) -> DecideScreening? {
    let list = reader.string("list_id", bytes: 1...64)
    let entry = reader.string("entry_id", bytes: 1...64)
    let name = reader.string("name", bytes: BodyBounds.name)
    let isSame = reader.bool("is_same")
    let reason = reader.string("reason", bytes: BodyBounds.reason)
    guard let list, let entry, let name, let isSame, let reason else { return nil }
    return DecideScreening(
      organizationID: id, listID: list, entryID: entry, name: name, isSame: isSame, reason: reason,
      ifVersion: ifVersion)
  }
}

extension ScreenedParty {
  package func write(to writer: inout JSONWriter) {
    let consequences = screening.consequences
    writer.object { writer in
      writer.field("organization_id", organization.id)
      writer.field("on", screening.on)
      writer.field("lists_as_of", listsAsOf)
      writer.field("effect", consequences.first?.effect.rawValue ?? "clear")
      writer.field("payments_blocked", screening.paymentBlock != nil)
      writer.array("hits", screening.hits) { writer, hit in
        writer.object { writer in
          hit.writeMembers(to: &writer)
          let consequence = consequences.first { $0.hit == hit }
          writer.field("effect", consequence?.effect.rawValue ?? "clear")
          writer.field("listed_owners_bps", consequence?.ownedShare)
        }
      }
      writer.array("decisions", organization.screeningDecisions) { writer, decision in
        decision.write(to: &writer)
      }
      writer.history(
        version: organization.version, createdAt: organization.createdAt, updatedAt: organization.updatedAt)
    }
  }
}

extension PartyScreening.Hit {
  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.field("list_id", match.list.id)
    writer.field("entry_id", match.entry.id)
    writer.field("name", name.text)
    switch name.subject {
    case .party:
      writer.field("subject", "party")
      writer.field("share_bps", BasisPoints?.none)
    case .owner(let share):
      writer.field("subject", "owner")
      writer.field("share_bps", share)
    }
    writer.field("listed_name", match.listedName)
    writer.field("match", match.grade)
    writer.field("listed_on", match.entry.listedOn)
    writer.field("delisted_on", match.entry.delistedOn)
    writer.field("citation", match.entry.citation)
    writer.field("source", match.list.source)
    writer.field("decision_id", decision?.id)
  }
}

extension ScreeningDecision {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("state", state)
      writer.field("list_id", listID)
      writer.field("entry_id", entryID)
      writer.field("name", name)
      writer.field("is_same", isSame)
      writer.field("reason", reason)
      writer.field("proposed_by", by)
      writer.field("decided_by", decidedBy)
      writer.field("on", on)
    }
  }
}

extension ScreeningList {
  /// The list in force, without those on it.
  package func write(on date: CalendarDate, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("id", id)
      writer.field("title", title)
      writer.field("authority", authority)
      writer.field("source", source)
      writer.field("effect", effect)
      writer.field("owned_at_least_bps", ownedAtLeast)
      writer.field("blocks_payments", blocksPayments)
      writer.field("entries", Int64(entries.count))
      writer.field("entries_in_force", Int64(entries.count { $0.holds(on: date) }))
    }
  }
}

import Primitives

/// A licence of the authority: so many chips, of one model or class, to one destination, within its dates.
package struct Licence: Sendable, Hashable {
  package enum Subject: Sendable, Hashable {
    case chip(ChipModelID)
    case exportClass(ExportClass)
  }

  package let id: LicenceID
  /// To whom it was granted; a party to every act that uses it.
  package let holder: OrganizationID
  /// The borrower or end user that it names; nil when it names none.
  package let consignee: OrganizationID?
  package let subject: Subject
  package let destination: CountryCode
  /// Chips.
  package let quota: Int64
  /// Chips, from 0 to `quota`, at every moment.
  package private(set) var used: Int64
  package let validity: ValidityInterval

  /// - Throws: `invalidQuota` unless 0 <= used <= quota; `invalidValidity` when no day is left.
  package init(
    id: LicenceID, holder: OrganizationID, consignee: OrganizationID? = nil, subject: Subject, destination: CountryCode,
    quota: Int64, used: Int64, validFrom: CalendarDate, validTo: CalendarDate?
  ) throws(CatalogueRefusal) {
    guard used >= 0, used <= quota else { throw .invalidQuota(quota: quota, used: used) }
    guard let validity = ValidityInterval(from: validFrom, to: validTo) else { throw .invalidValidity }
    self.id = id
    self.holder = holder
    self.consignee = consignee
    self.subject = subject
    self.destination = destination
    self.quota = quota
    self.used = used
    self.validity = validity
  }

  package var remaining: Int64 { quota - used }

  /// Takes chips of the quota, which never goes below zero.
  /// - Throws: `invalidQuantity`, `licenceExhausted`.
  package mutating func use(_ quantity: Int64) throws(CatalogueRefusal) {
    guard quantity >= 1 else { throw .invalidQuantity(quantity) }
    guard quantity <= remaining else { throw .licenceExhausted(asked: quantity, remaining: remaining) }
    used += quantity
  }

  /// Gives chips back that were taken for an act which then did not happen.
  /// - Throws: `invalidQuantity`, `releaseExceedsUse`.
  package mutating func release(_ quantity: Int64) throws(CatalogueRefusal) {
    guard quantity >= 1 else { throw .invalidQuantity(quantity) }
    guard quantity <= used else { throw .releaseExceedsUse(asked: quantity, used: used) }
    used -= quantity
  }

  /// Why it does not cover the act, or nil when it does, the quota apart. A destination is met to the letter: a licence
  /// to China says nothing of Hong Kong.
  package func shortfall(for act: ExportAct, of exportClass: ExportClass) -> String? {
    guard act.deliveryMode == .physical else { return "hosted access uses no licence" }
    guard validity.contains(act.date) else { return "it is not valid on \(act.date)" }
    switch subject {
    case .chip(let id): guard id == act.chip.id else { return "it is for \(id)" }
    case .exportClass(let licensed):
      guard licensed == exportClass else { return "it is for class \(licensed.rawValue)" }
    }
    guard destination == act.to.country else { return "it is for the destination \(destination)" }
    guard act.parties.contains(where: { $0.organizationID == holder }) else {
      return "its holder is no party to the act"
    }
    if let consignee {
      let isReceiver = act.parties.contains { $0.organizationID == consignee && $0.role != .lender }
      guard isReceiver else { return "it names another consignee" }
    }
    return nil
  }
}

/// What an act takes of a licence.
package struct LicenceUse: Sendable, Hashable {
  package let licenceID: LicenceID
  /// Chips.
  package let quantity: Int64
}

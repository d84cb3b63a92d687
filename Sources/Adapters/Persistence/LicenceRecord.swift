import Catalogue
import Primitives

/// A licence as it is kept: with the authority's reference, and a version, since its use is counted.
package struct LicenceRecord: Sendable, Hashable {
  package var licence: Licence
  /// The authority's number.
  package let reference: String
  package var version: Int64
  package let createdAt: Instant
  package var updatedAt: Instant

  package init(licence: Licence, reference: String, version: Int64 = 1, createdAt: Instant, updatedAt: Instant) {
    self.licence = licence
    self.reference = reference
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  package var id: LicenceID { licence.id }
}

extension LicenceRecord: Stored {
  package mutating func stamp(_ now: Instant) { updatedAt = now }
}

extension Licence {
  /// The chip model it names, unless it names a class.
  package var chip: ChipModelID? {
    if case .chip(let id) = subject { id } else { nil }
  }

  /// The class it names, unless it names a chip model.
  package var exportClass: ExportClass? {
    if case .exportClass(let named) = subject { named } else { nil }
  }
}

import Primitives

/// Why an act on the catalogue, its rules or a licence is refused. Ordered by precedence.
package enum CatalogueRefusal: Refusal, Hashable {
  case invalidQuantity(Int64)
  case noParty
  case invalidQuota(quota: Int64, used: Int64)
  case invalidValidity
  case licenceNotCovering(String)
  case licenceExhausted(asked: Int64, remaining: Int64)
  case releaseExceedsUse(asked: Int64, used: Int64)

  package var kind: RefusalKind {
    switch self {
    case .invalidQuantity, .noParty, .invalidQuota, .invalidValidity: .invalid
    case .licenceNotCovering, .licenceExhausted, .releaseExceedsUse: .conflict
    }
  }

  package var code: String {
    switch self {
    case .invalidQuantity: "catalogue.invalid_quantity"
    case .noParty: "catalogue.no_party"
    case .invalidQuota: "catalogue.invalid_quota"
    case .invalidValidity: "catalogue.invalid_validity"
    case .licenceNotCovering: "catalogue.licence_not_covering"
    case .licenceExhausted: "catalogue.licence_exhausted"
    case .releaseExceedsUse: "catalogue.release_exceeds_use"
    }
  }

  package var detail: String {
    switch self {
    case .invalidQuantity(let quantity): "The quantity is \(quantity); it must be at least 1."
    case .noParty: "An act needs at least one party."
    case .invalidQuota(let quota, let used): "Of a quota of \(quota) chips \(used) cannot be used."
    case .invalidValidity: "A licence must be valid for at least one day."
    case .licenceNotCovering(let why): "The licence does not cover this act: \(why)."
    case .licenceExhausted(let asked, let remaining):
      "The act needs \(asked) chips of the licence's quota; \(remaining) are left."
    case .releaseExceedsUse(let asked, let used): "\(asked) chips cannot be given back of \(used) used."
    }
  }

  package var pointer: String? {
    switch self {
    case .invalidQuantity: "/quantity"
    case .invalidQuota: "/quota"
    case .invalidValidity: "/valid_to"
    default: nil
    }
  }
}

import Primitives

/// Why a snapshot is no market: found before anything is matched, so that `clear` never meets a number it cannot hold.
package enum MatchRefusal: Refusal, Hashable {
  case duplicateListing(ListingID)
  case duplicateRequest(LoanRequestID)
  /// A number of the line lies outside of the range its documentation gives.
  case listingOutOfRange(ListingID, field: String, value: Int64)
  case requestOutOfRange(LoanRequestID, field: String, value: Int64)
  case unitValueOutOfRange(ChipModelID, value: Int64)
  case licenceRoomOutOfRange(LicenceID, value: Int64)
  /// A request names a licence of which the snapshot does not say how much is left.
  case unknownLicence(LoanRequestID, LicenceID)
  /// `heldVerdicts` names an effect that no verdict has.
  case unknownExportEffect(LoanRequestID, String)

  package var kind: RefusalKind { .invalid }

  package var code: String {
    switch self {
    case .duplicateListing: "matching.duplicate_listing"
    case .duplicateRequest: "matching.duplicate_request"
    case .listingOutOfRange: "matching.listing_out_of_range"
    case .requestOutOfRange: "matching.request_out_of_range"
    case .unitValueOutOfRange: "matching.unit_value_out_of_range"
    case .licenceRoomOutOfRange: "matching.licence_room_out_of_range"
    case .unknownLicence: "matching.unknown_licence"
    case .unknownExportEffect: "matching.unknown_export_effect"
    }
  }

  package var detail: String {
    switch self {
    case .duplicateListing(let id): "Listing \(id) is in the snapshot twice."
    case .duplicateRequest(let id): "Request \(id) is in the snapshot twice."
    case .listingOutOfRange(let id, let field, let value):
      "The \(field) of listing \(id) is \(value), which is out of range."
    case .requestOutOfRange(let id, let field, let value):
      "The \(field) of request \(id) is \(value), which is out of range."
    case .unitValueOutOfRange(let model, let value):
      "The unit value of \(model) is \(value), which is out of range."
    case .licenceRoomOutOfRange(let id, let value):
      "What is left of licence \(id) is \(value), which is out of range."
    case .unknownLicence(let id, let licence):
      "Request \(id) is cleared by licence \(licence), of which the snapshot does not say how much is left."
    case .unknownExportEffect(let id, let effect):
      "Request \(id) has an export verdict of unknown effect \"\(effect)\"."
    }
  }
}

extension MatchSnapshot {
  /// Bounds chosen so that no sum of the round can leave Int128: 10^7 orders of 10^9 chips at 10^15 minor units and
  /// 10^6 basis points are 10^37.
  private enum Bound {
    static let quantity: ClosedRange<Int64> = 0...1_000_000_000
    static let piece: ClosedRange<Int64> = 1...1_000_000_000
    static let rate: ClosedRange<Int64> = 0...1_000_000
    static let term: ClosedRange<Int64> = 0...36_600
    static let advance: ClosedRange<Int64> = 0...100_000
    static let money: ClosedRange<Int64> = 0...Int64.max
    static let unitValue: ClosedRange<Int64> = 1...Money.largestAccepted
    static let acceptable: ClosedRange<Int64> = 0...64
  }

  func checkRanges() throws(MatchRefusal) {
    for (model, value) in unitValues.sorted(by: { $0.key < $1.key }) where !Bound.unitValue.contains(value) {
      throw .unitValueOutOfRange(model, value: value)
    }
    for (licence, room) in licenceRoom.sorted(by: { $0.key < $1.key }) where !Bound.quantity.contains(room) {
      throw .licenceRoomOutOfRange(licence, value: room)
    }
    var listingIDs = Set<ListingID>(minimumCapacity: listings.count)
    for listing in listings {
      guard listingIDs.insert(listing.id).inserted else { throw .duplicateListing(listing.id) }
      try check(listing)
    }
    var requestIDs = Set<LoanRequestID>(minimumCapacity: requests.count)
    for request in requests {
      guard requestIDs.insert(request.id).inserted else { throw .duplicateRequest(request.id) }
      try check(request)
    }
  }

  private func check(_ line: ListingLine) throws(MatchRefusal) {
    let fields: [(String, Int64, ClosedRange<Int64>)] = [
      ("quantity", line.quantity, Bound.quantity), ("min_quantity", line.minQuantity, Bound.piece),
      ("multiple_of", line.multipleOf, Bound.piece), ("ask_rate_bps", line.askRateBps, Bound.rate),
      ("min_term_days", line.minTermDays, Bound.term), ("max_term_days", line.maxTermDays, Bound.term),
      ("advance_rate_bps", line.advanceRateBps, Bound.advance), ("max_exposure", line.maxExposure ?? 0, Bound.money),
    ]
    for (field, value, range) in fields where !range.contains(value) {
      throw .listingOutOfRange(line.id, field: field, value: value)
    }
  }

  private func check(_ line: RequestLine) throws(MatchRefusal) {
    let fields: [(String, Int64, ClosedRange<Int64>)] = [
      ("quantity", line.quantity, Bound.quantity), ("min_quantity", line.minQuantity, Bound.piece),
      ("multiple_of", line.multipleOf, Bound.piece), ("term_days", line.termDays, Bound.term),
      ("max_lenders", Int64(line.maxLenders ?? 1), 1...Int64.max),
      ("acceptable", Int64(line.acceptable.count), Bound.acceptable),
    ]
    for (field, value, range) in fields where !range.contains(value) {
      throw .requestOutOfRange(line.id, field: field, value: value)
    }
    for accepted in line.acceptable where !Bound.rate.contains(accepted.maxRateBps) {
      throw .requestOutOfRange(line.id, field: "max_rate_bps", value: accepted.maxRateBps)
    }
    for (_, exposure) in line.exposureByLender.sorted(by: { $0.key < $1.key }) where exposure < 0 {
      throw .requestOutOfRange(line.id, field: "exposure_by_lender", value: exposure)
    }
    for (_, licence) in line.licences.sorted(by: { $0.key < $1.key }) where licenceRoom[licence] == nil {
      throw .unknownLicence(line.id, licence)
    }
    for (_, effect) in line.heldVerdicts.sorted(by: { $0.key < $1.key }) where ExportEffect(rawValue: effect) == nil {
      throw .unknownExportEffect(line.id, effect)
    }
  }
}

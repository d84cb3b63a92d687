import HTTPTypes
import Operations
import Parties
import Persistence
import Primitives
import StrictJSON
import Synchronization

/// Runs a route to learn what it takes, without a request: within ``BodyProbe/$current`` the gateway parses nothing, asks
/// nobody and changes nothing, but notes the body's shape and throws ``BodyProbe/Done``.
package final class BodyProbe: Sendable {
  @TaskLocal package static var current: BodyProbe?

  package struct Done: Error {}

  /// What a route was found to take.
  package struct Finding: Sendable {
    package let kind: OperationContract.Kind
    package let shape: BodyShape?
    /// Media types of a file; none for JSON.
    package let types: [String]
    package let mostBytes: Int
    /// Of the answer that is no refusal; nil where the route's own words tell.
    package let status: Int?
    /// Whether a batch takes it as one of its operations.
    package let combines: Bool
    /// Whether it may have to wait for a second person.
    package let asksSecondPerson: Bool
  }

  private let found = Mutex<Finding?>(nil)

  package init() {}

  package var finding: Finding? { found.withLock { $0 } }

  func done(_ finding: Finding) -> Done {
    found.withLock { $0 = finding }
    return Done()
  }

  /// Somebody who may do everything: a parser that looks at who posts finds nobody to refuse.
  static let principal = Principal(
    organizationID: Identifier(UUIDValue(high: 0, low: 0)), roles: Set(Role.allCases),
    personID: Identifier(UUIDValue(high: 0, low: 0)), keyID: Identifier(UUIDValue(high: 0, low: 0)),
    duties: Set(Duty.allCases))
}

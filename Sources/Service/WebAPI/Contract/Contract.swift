import HTTPTypes
import WebSupport

/// What every route promises, one line each. The router is built from routes and this table together: a route that it does
/// not name, or a line without its route, stops the build of the router.
package enum Contract {
  package static let operations: [OperationContract] =
    probes + parties + compliance + inventory + market + loans + loanSides + rounds + money + bank + valuation + margin
    + settlement + books + events

  static let index: [Key: OperationContract] = Dictionary(
    operations.map { (Key(method: $0.method, template: $0.template), $0) },
    uniquingKeysWith: { first, _ in preconditionFailure("\(first.method) \(first.template) is promised twice") })

  struct Key: Hashable {
    let method: HTTPRequest.Method
    let template: String
  }

  private static let probes: [OperationContract] = [
    .probe("/livez", "Whether the process runs."),
    .probe("/readyz", "Whether it can serve: its database answers."),
    .probe("/metrics", "Figures of this process in the Prometheus text format."),
    .probe("/v1/openapi.json", "This description."),
    .probe("/docs", "The reference for people: everything of this description, to be read without a network."),
  ]
}

/// What of the interface's description stands in files, carried in the binary; see `README.md` beside this.
package enum PublishedAPI {
  /// Shapes of answers, and an example of each request.
  package static let answers: [UInt8] = PackageResources.answers_json

  /// A startup's whole path, with curl: shown on the reference page, and run by a test from these very bytes.
  package static let loanPath: [UInt8] = PackageResources.loan_path_sh
}

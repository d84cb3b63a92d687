import Hummingbird

/// The header that names a request in answers, logs and problem documents.
package let requestIDHeader = "x-request-id"

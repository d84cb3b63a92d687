import ArgumentParser
import Foundation
import Identity
import ServiceAssembly
import Tokens

/// Whose tokens are taken in the place of API keys: all of issuer, audience and the place of its keys, or none of them. Each
/// may stand in the environment.
struct TokenOptions: ParsableArguments {
  @Option(help: "Issuer whose tokens are taken (CHIPBRIDGE_TOKEN_ISSUER): the text of `iss`.") var tokenIssuer: String?
  @Option(help: "What their `aud` must name (CHIPBRIDGE_TOKEN_AUDIENCE).") var tokenAudience: String?
  @Option(help: "URL of the issuer's key set (CHIPBRIDGE_TOKEN_JWKS_URL): https, or http on a loopback address.")
  var tokenJwksURL: String?
  @Option(help: "File with the key set, in place of the URL (CHIPBRIDGE_TOKEN_JWKS_FILE).") var tokenJwksFile: String?
  @Option(help: "Longest life of a token in seconds, exp less iat (60 to 86400).") var tokenLife: Int64 = 3_600
  @Option(help: "Seconds from one reading of the key set to the next (5 to 86400).") var tokenJwksSeconds: Int64 = 300
  @Option(help: "Seconds between readings for the sake of an unknown kid (1 to 3600).") var tokenKidSeconds: Int64 = 10
  @Option(help: "Seconds for which keys go on that cannot be read again (60 to 604800).")
  var tokenJwksStale: Int64 = 86_400

  /// - Throws: all that is wrong, at once.
  func apply(to configuration: inout ServiceConfiguration) throws {
    let environment = ProcessInfo.processInfo.environment
    func given(_ option: String?, _ name: String) -> String? {
      option ?? environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    let issuer = given(tokenIssuer, "CHIPBRIDGE_TOKEN_ISSUER")
    let audience = given(tokenAudience, "CHIPBRIDGE_TOKEN_AUDIENCE")
    let url = given(tokenJwksURL, "CHIPBRIDGE_TOKEN_JWKS_URL")
    let file = given(tokenJwksFile, "CHIPBRIDGE_TOKEN_JWKS_FILE")
    var faults: [String] = []
    func require(_ isGood: Bool, _ fault: String) { if !isGood { faults.append(fault) } }
    require((60...86_400).contains(tokenLife), "--token-life is 60 to 86400.")
    require((5...86_400).contains(tokenJwksSeconds), "--token-jwks-seconds is 5 to 86400.")
    require((1...3_600).contains(tokenKidSeconds), "--token-kid-seconds is 1 to 3600.")
    require((60...604_800).contains(tokenJwksStale), "--token-jwks-stale is 60 to 604800.")
    if [issuer, audience, url, file].contains(where: { $0 != nil }) {
      let names = "1 to 255 visible ASCII characters"
      require(issuer.map(IssuerText.isValid) ?? false, "--token-issuer is needed for tokens: \(names).")
      require(audience.map(IssuerText.isValid) ?? false, "--token-audience is needed for tokens: \(names).")
      require((url == nil) != (file == nil), "One of --token-jwks-url and --token-jwks-file is needed for tokens.")
      require(
        url.map { KeySetSource(url: $0) != nil } ?? true,
        "--token-jwks-url is an https URL, or http on a loopback address by number, without user and fragment.")
    }
    guard faults.isEmpty else { throw Failure(faults.joined(separator: "\n")) }
    let source = url.flatMap { KeySetSource(url: $0) } ?? file.map { KeySetSource.file($0) }
    guard let issuer, let audience, let source,
      let rules = TokenRules(issuer: issuer, audience: audience, longestLife: tokenLife)
    else { return }
    var timing = IssuerKeys.Timing()
    timing.refresh = .seconds(tokenJwksSeconds)
    timing.gap = .seconds(tokenKidSeconds)
    timing.stale = .seconds(tokenJwksStale)
    configuration.issuer = OutsideIssuer(rules: rules, source: source, timing: timing)
  }
}

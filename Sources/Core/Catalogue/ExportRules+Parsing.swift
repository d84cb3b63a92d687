import Primitives
import StrictJSON

extension ExportRules {
  /// Reads a rule pack (`schema/seed/export-rules.json` is one). Members that nobody knows are refused: a misspelt
  /// condition would widen or void a rule in silence.
  /// - Throws: every fault found, with its place.
  package init(parsing bytes: [UInt8], countries: CountryScope) throws(JSONFaults) {
    let document = try JSONDocument(parsing: bytes)
    self = try ObjectReader.read(document.root) { reader in Self.read(&reader, countries: countries) }
  }

  private static func read(_ reader: inout ObjectReader, countries: CountryScope) -> ExportRules? {
    let asOf = reader.date("as_of")
    // Words for people about the pack; the evaluator is what they describe.
    for name: StaticString in ["interval", "numbers", "certainty", "evaluation", "provenance"] { reader.ignore(name) }
    let classification = reader.objects("classification", count: 1...100) { ClassificationRule(&$0) }
    let licence = reader.objects("licence", count: 0...1_000) { LicenceRule(&$0) }
    guard let asOf, let classification, let licence else { return nil }
    var ids: Set<String> = []
    for id in classification.map(\.header.id) + licence.map(\.header.id) where !ids.insert(id).inserted {
      reader.fault(code: JSONFaultCode.duplicate, detail: "the rule \(id) stands twice")
      return nil
    }
    for (index, rule) in classification.enumerated() {
      for other in classification[(index + 1)...] where rule.header.validity.overlaps(other.header.validity) {
        reader.fault(
          code: JSONFaultCode.format,
          detail: "\(rule.header.id) and \(other.header.id) would both classify on one date")
        return nil
      }
    }
    return ExportRules(
      asOf: asOf, classificationRules: classification, licenceRules: licence, countries: countries)
  }
}

extension RuleHeader {
  fileprivate init?(_ reader: inout ObjectReader) {
    let id = reader.string("id", bytes: 1...64)
    let citation = reader.optionalString("citation", bytes: 1...500)
    let source = reader.optionalString("source", bytes: 1...1_000)
    let from = reader.date("valid_from")
    let to = reader.optionalDate("valid_to")
    // Kept beside the start for the record: duties to comply may begin later than the rule.
    _ = reader.optionalDate("compliance_from")
    let certainty = reader.string("certainty", bytes: 1...100)
    let status = reader.optionalString("status", bytes: 1...500)
    let approval = reader.optionalObject("approval") { reader in
      let by = reader.string("by", bytes: 1...200)
      let on = reader.date("on")
      return by.flatMap { by in on.map { RuleApproval(by: by, on: $0) } }
    }
    guard let id, let from, let certainty else { return nil }
    guard let validity = ValidityInterval(from: from, to: to) else {
      reader.fault("valid_to", code: JSONFaultCode.range, detail: "must be after valid_from")
      return nil
    }
    // The first letter grades the rule as a whole; what follows it grades details, in words.
    guard let grade = RuleGrade(rawValue: String(certainty.prefix(1))) else {
      reader.fault("certainty", code: JSONFaultCode.format, detail: "must begin with P, S or R")
      return nil
    }
    self.init(
      id: id, citation: citation, source: source, validity: validity, certainty: certainty, grade: grade,
      status: status, approval: approval)
  }
}

extension ClassificationRule {
  fileprivate init?(_ reader: inout ObjectReader) {
    let header = RuleHeader(&reader)
    for name: StaticString in ["first_match", "unknown"] { reader.ignore(name) }
    let needs = reader.optionalArray("needs", count: 0...8) { node, log in log.enumeration(node, as: RuleField.self) }
    let candidates = reader.objects("classes", count: 1...32) { reader -> Candidate? in
      let exportClass = reader.enumeration("class", as: ExportClass.self)
      let paragraph = reader.string("paragraph", bytes: 0...64)
      let condition = reader.object("when") { RuleCondition(&$0) }
      guard let exportClass, let paragraph, let condition else { return nil }
      return Candidate(exportClass: exportClass, paragraph: paragraph, condition: condition)
    }
    let otherwise = reader.enumeration("otherwise", as: ExportClass.self)
    guard let header, let candidates, let otherwise else { return nil }
    self.init(
      header: header, needs: needs ?? [], candidates: candidates, otherwise: otherwise,
      fields: RuleCondition.all(candidates.map(\.condition)).fields)
  }
}

extension RuleCondition {
  /// `{"all": [...]}`, `{"any": [...]}` or `{"field", "op", "value"}`.
  init?(_ reader: inout ObjectReader) {
    if reader.has("all") {
      guard let parts = reader.objects("all", count: 1...32, { RuleCondition(&$0) }) else { return nil }
      self = .all(parts)
    } else if reader.has("any") {
      guard let parts = reader.objects("any", count: 1...32, { RuleCondition(&$0) }) else { return nil }
      self = .any(parts)
    } else {
      guard let field = reader.enumeration("field", as: RuleField.self),
        let comparison = reader.enumeration("op", as: RuleComparison.self)
      else { return nil }
      if field.isFlag {
        guard comparison == .equal, let value = reader.bool("value") else { return nil }
        self = .flag(field, value)
      } else {
        let value = reader.parsed("value", expected: "a decimal as text, not negative", bytes: 1...32) { text in
          ExactDecimal(text).flatMap { $0.isNegative ? nil : $0 }
        }
        guard let value else { return nil }
        self = .figure(field, comparison, value)
      }
    }
  }
}

extension LicenceRule {
  fileprivate init?(_ reader: inout ObjectReader) {
    let header = RuleHeader(&reader)
    let applies = reader.object("applies") { RuleScope(&$0) }
    let effect = reader.enumeration("effect", as: RuleEffect.self)
    var review: ReviewPolicy?
    if let node = reader.optional("review") {
      guard let policy = ReviewPolicy(node) else {
        let expected = "must be a text, or one text by place and one for other places"
        reader.fault("review", code: JSONFaultCode.format, detail: expected)
        return nil
      }
      review = policy
    }
    let binds = reader.parsed("binds", expected: "all or addressee", bytes: 1...16) { word in
      ["all": false, "addressee": true][word]
    }
    let addressee = reader.optionalString("addressee", bytes: 1...200)
    let note = reader.optionalString("note", bytes: 1...2_000)
    let isException = reader.optionalBool("exception") ?? false
    let changesReviewOnly = reader.optionalBool("changes_review_only") ?? false
    let days = reader.optionalInt("notification_days", 0...3_650)
    guard let header, let applies, let effect, let binds else { return nil }
    self.init(
      header: header, applies: applies, effect: effect, review: review, bindsAddresseeOnly: binds, addressee: addressee,
      note: note, isException: isException, changesReviewOnly: changesReviewOnly, notificationDays: days.map(Int.init),
      threshold: applies.description)
  }
}

extension ReviewPolicy {
  /// A text, or an object of two members: `D:5 or MO or hq D:5/MO` and one that begins with `other`.
  fileprivate init?(_ node: JSONNode) {
    if let text = node.asString {
      self = .always(text)
      return
    }
    guard let members = node.asObject, members.count == 2 else { return nil }
    var otherwise: String?
    var placed: (destinations: PlaceSet, headquarters: PlaceSet, text: String)?
    for member in members {
      guard let text = member.value.asString else { return nil }
      if member.name.hasPrefix("other ") {
        otherwise = text
      } else {
        var destinations = PlaceSet()
        var headquarters = PlaceSet()
        for term in terms(of: member.name, separator: " or ") {
          if term.hasPrefix("hq ") {
            for word in terms(of: String(term.dropFirst(3)), separator: "/") {
              guard headquarters.insert(word) else { return nil }
            }
          } else {
            guard destinations.insert(term) else { return nil }
          }
        }
        placed = (destinations, headquarters, text)
      }
    }
    guard let otherwise, let placed else { return nil }
    self = .byPlace(
      destinations: placed.destinations, headquarters: placed.headquarters, then: placed.text, otherwise: otherwise)
  }
}

/// The parts of a text between occurrences of a separator.
private func terms(of text: String, separator: String) -> [String] {
  var parts: [String] = []
  var rest = Substring(text)
  while let range = rest.firstRange(of: separator) {
    parts.append(String(rest[..<range.lowerBound]))
    rest = rest[range.upperBound...]
  }
  return parts + [String(rest)]
}

extension ObjectReader {
  mutating func date(_ name: StaticString) -> CalendarDate? {
    parsed(name, expected: "a calendar date YYYY-MM-DD", bytes: 10...10) { CalendarDate($0) }
  }

  mutating func optionalDate(_ name: StaticString) -> CalendarDate? {
    optionalParsed(name, expected: "a calendar date YYYY-MM-DD", bytes: 10...10) { CalendarDate($0) }
  }
}

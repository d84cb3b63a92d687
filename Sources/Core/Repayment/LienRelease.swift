import Primitives

/// The release of a lender's security interest, as a text that a stranger can check without asking us: what is printed is
/// what is hashed, byte for byte.
///
/// The text is UTF-8. Each line ends in one line feed, also the last; a line is a name, a colon, a space, and a value that
/// has no line feed. Names and their order are fixed:
///
///     chipbridge-lien-release: 1
///     loan: loan_0192...
///     lender: org_0192... Example Lender Ltd
///     borrower: org_0192... Example Startup Inc
///     chips: 512 nvidia-a800-sxm4-80
///     registry: UK Companies House
///     number: SI-0192...
///     filed: 2023-04-01
///     released: 2023-11-09
///     paid: sha256 and 64 hexadecimal digits, see `PaidEntry`
///     dated: 2023-11-10
///
/// Saved to a file, `sha256sum` prints the digest that the platform publishes.
package struct LienRelease: Sendable, Hashable {
  /// One payment on the loan, as its journal has it. The digest on the certificate is that of a text with one line each,
  /// by date, then journal entry id, then step: entry id, date, step, amount in minor units, currency, each parted by one
  /// space, each line ended by a line feed. So a party with the entries can check the certificate down to them.
  package struct PaidEntry: Sendable, Hashable {
    package let entryID: JournalEntryID
    package let on: CalendarDate
    package let step: WaterfallStep
    package let amount: Money

    package init(entryID: JournalEntryID, on date: CalendarDate, step: WaterfallStep, amount: Money) {
      self.entryID = entryID
      self.on = date
      self.step = step
      self.amount = amount
    }
  }

  /// An organisation by id and the name it has on the day.
  package struct Party: Sendable, Hashable {
    package let id: OrganizationID
    package let name: String

    package init(id: OrganizationID, name: String) {
      self.id = id
      self.name = name
    }
  }

  package let loanID: LoanID
  package let lender: Party
  package let borrower: Party
  package let quantity: Int64
  package let chipModelID: ChipModelID
  package let registry: String
  package let number: String
  package let filedOn: CalendarDate
  package let releasedOn: CalendarDate
  package let paidDigest: SHA256Digest
  /// The day on which the certificate is made out.
  package let datedOn: CalendarDate

  /// - Parameter owed: what is owed on the loan; a lien is released at zero.
  /// - Throws: `RepaymentRefusal` where something is owed still, for dates out of order, no chips, and for names that are
  ///   empty or have characters that are not printable, which could forge a line.
  package init(
    loanID: LoanID, lender: Party, borrower: Party, quantity: Int64, chipModelID: ChipModelID, registry: String,
    number: String, filedOn: CalendarDate, releasedOn: CalendarDate, owed: StepAmounts, paid: [PaidEntry],
    datedOn: CalendarDate
  ) throws(RepaymentRefusal) {
    guard try owed.total() == 0 else { throw .notReleasable("\(try owed.total()) minor units are owed") }
    guard quantity > 0 else { throw .notPositive(what: "quantity of chips", quantity) }
    guard filedOn <= releasedOn else { throw .periodReversed(start: filedOn, end: releasedOn) }
    guard releasedOn <= datedOn else { throw .periodReversed(start: releasedOn, end: datedOn) }
    self.loanID = loanID
    self.lender = Party(id: lender.id, name: try printable(lender.name, "name of the lender"))
    self.borrower = Party(id: borrower.id, name: try printable(borrower.name, "name of the borrower"))
    self.quantity = quantity
    self.chipModelID = chipModelID
    self.registry = try printable(registry, "registry")
    self.number = try printable(number, "number of the filing")
    self.filedOn = filedOn
    self.releasedOn = releasedOn
    self.paidDigest = Self.digest(of: paid)
    self.datedOn = datedOn
  }

  /// The digest of the payments, in whatever order they come.
  package static func digest(of paid: [PaidEntry]) -> SHA256Digest { SHA256Digest(of: text(of: paid)) }

  /// The text that is digested for the payments.
  package static func text(of paid: [PaidEntry]) -> String {
    let lines = paid.map { entry in
      (
        key: (entry.on, entry.entryID, entry.step.rawValue),
        line: "\(entry.entryID) \(entry.on) \(entry.step.rawValue) \(entry.amount.amount) \(entry.amount.currency)\n"
      )
    }
    return lines.sorted { $0.key != $1.key ? $0.key < $1.key : $0.line < $1.line }.map(\.line).joined()
  }

  /// The certificate.
  package var text: String {
    let fields = [
      ("chipbridge-lien-release", "1"), ("loan", loanID.description), ("lender", "\(lender.id) \(lender.name)"),
      ("borrower", "\(borrower.id) \(borrower.name)"), ("chips", "\(quantity) \(chipModelID)"), ("registry", registry),
      ("number", number), ("filed", filedOn.description), ("released", releasedOn.description),
      ("paid", "sha256 \(paidDigest)"), ("dated", datedOn.description),
    ]
    return fields.map { name, value in "\(name): \(value)\n" }.joined()
  }

  /// SHA-256 over the UTF-8 bytes of `text`.
  package var digest: SHA256Digest { SHA256Digest(of: text) }

  /// How a text and a digest stand to each other.
  package enum Verification: Sendable, Hashable {
    case genuine
    /// The text is not what the digest was taken of.
    case digestDiffers(found: SHA256Digest)
    /// The bytes are those of the digest, but they are no certificate of this form; the line is counted from 1.
    case malformed(line: Int)
    /// A certificate, but not of these payments.
    case paymentsDiffer(found: SHA256Digest)
  }

  /// Checks a certificate by its bytes alone, and against the payments where they are at hand.
  package static func verify(_ text: [UInt8], digest: SHA256Digest, paid: [PaidEntry]? = nil) -> Verification {
    let found = SHA256Digest(of: text)
    guard found == digest else { return .digestDiffers(found: found) }
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    let names = [
      "chipbridge-lien-release", "loan", "lender", "borrower", "chips", "registry", "number", "filed", "released",
      "paid", "dated",
    ]
    var paidText: String?
    for (index, name) in names.enumerated() {
      let prefix = "\(name): "
      guard index < lines.count, lines[index].starts(with: prefix.utf8),
        let value = String(validating: lines[index].dropFirst(prefix.utf8.count), as: UTF8.self),
        isWellFormed(value, of: name)
      else { return .malformed(line: index + 1) }
      if name == "paid" { paidText = value }
    }
    // After the last line feed there is nothing.
    guard lines.count == names.count + 1, lines.last?.isEmpty == true else { return .malformed(line: names.count + 1) }
    if let paid {
      let expected = self.digest(of: paid)
      if paidText != "sha256 \(expected)" { return .paymentsDiffer(found: expected) }
    }
    return .genuine
  }

  private static func isWellFormed(_ value: String, of name: String) -> Bool {
    let words = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    switch name {
    case "chipbridge-lien-release": return value == "1"
    case "loan": return LoanID(value) != nil
    case "lender", "borrower": return words.count == 2 && OrganizationID(words[0]) != nil && isPrintable(words[1])
    case "chips":
      guard words.count == 2, let count = Int64(words[0]), String(count) == words[0] else { return false }
      return count > 0 && ChipModelID(words[1]) != nil
    case "filed", "released", "dated": return CalendarDate(value) != nil
    case "paid":
      return words.count == 2 && words[0] == "sha256" && words[1].utf8.count == 64
        && words[1].utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    default: return isPrintable(value)
    }
  }
}

/// Neither empty nor with control characters, line ends of any kind included.
private func isPrintable(_ text: some StringProtocol) -> Bool {
  !text.isEmpty
    && text.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .format, .surrogate, .unassigned, .privateUse: false
      default: true
      }
    }
}

private func printable(_ text: String, _ field: String) throws(RepaymentRefusal) -> String {
  guard isPrintable(text) else { throw .unusableText(field: field) }
  return text
}

import Primitives
import StrictJSON

/// Why a file is no cap table of the Open Cap Format.
package struct CapTableFailure: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// What files of the Open Cap Format (Open Cap Table Coalition, 1.x) say of a startup's financings: financings, with what
/// their issuances brought, and the caps of convertibles. Members and objects that play no part in that are not judged.
///
/// A valuation of the format prices one share of one class. What the company is worth does not follow from it without the
/// fully diluted count, which no file of these says, so it is refused rather than multiplied with whatever shares are there.
package struct CapTableFile: Sendable {
  /// Files that say something of it; a package of the format has others beside them.
  package static let fileTypes = ["OCF_TRANSACTIONS_FILE", "OCF_FINANCINGS_FILE", "OCF_VALUATIONS_FILE"]
  private static let limits = JSONLimits(maxBytes: 64 << 20, maxDepth: 32, maxMembers: 5_000_000)

  private struct Item {
    /// From 1, over all files in their order.
    let number: Int
    let node: JSONNode
  }

  /// What one issuance brought.
  private struct Issuance {
    let amount: Money
    let isStock: Bool
  }

  private let items: [Item]
  private let issuances: [String: Result<Issuance, CapTableFailure>]
  private let company: String
  private let jurisdiction: CountryCode

  /// - Parameters:
  ///   - files: their bytes, in the order in which items are counted.
  ///   - company: the legal name that the startup has here.
  /// - Throws: `CapTableFailure` for what is no JSON, or no file of these kinds.
  package init(
    parsing files: [[UInt8]], company: String, jurisdiction: CountryCode
  ) throws(CapTableFailure) {
    var items: [Item] = []
    for (index, bytes) in files.enumerated() {
      let root: JSONNode
      do { root = try JSONDocument(parsing: bytes, limits: Self.limits).root } catch {
        throw CapTableFailure("file \(index + 1) is no JSON: \(error)")
      }
      guard let type = root["file_type"]?.asString, Self.fileTypes.contains(type) else {
        throw CapTableFailure("file \(index + 1): file_type is none of \(Self.fileTypes.joined(separator: ", "))")
      }
      guard let array = root["items"], array.asArray != nil else {
        throw CapTableFailure("file \(index + 1) has no items")
      }
      for node in array.elements { items.append(Item(number: items.count + 1, node: node)) }
    }
    self.items = items
    self.company = company
    self.jurisdiction = jurisdiction
    var issuances: [String: Result<Issuance, CapTableFailure>] = [:]
    for item in items {
      guard let id = item.node["id"]?.asString else { continue }
      switch item.node["object_type"]?.asString {
      case "TX_STOCK_ISSUANCE": issuances[id] = Self.stock(item.node)
      case "TX_CONVERTIBLE_ISSUANCE":
        if let amount = Self.money(item.node["investment_amount"]) {
          issuances[id] = .success(Issuance(amount: amount, isStock: false))
        } else {
          issuances[id] = .failure(CapTableFailure("issuance \(id) has no investment_amount"))
        }
      default: continue
      }
    }
    self.issuances = issuances
  }

  /// One line for each financing, each convertible and each valuation.
  package var lines: [ImportLine<RoundReport>] {
    items.compactMap { item in
      switch item.node["object_type"]?.asString {
      case "FINANCING": financing(item)
      case "TX_CONVERTIBLE_ISSUANCE": convertible(item)
      case "VALUATION":
        refuse(
          item, "price_per_share", "ocf.prices_a_share",
          "prices one share of a class; the company's worth needs the fully diluted count, which is not in the file")
      default: nil
      }
    }
  }

  private func refuse(
    _ item: Item, _ field: String, _ code: String, _ detail: String
  ) -> ImportLine<RoundReport> {
    let fault = LineFault(line: item.number, field: field, code: code, detail: detail)
    return ImportLine(line: item.number, value: nil, faults: [fault])
  }

  private func report(
    _ item: Item, _ id: String, name: String, _ date: ReportedDate, _ currency: Currency, amount: Int64?,
    preMoney: Int64?, postMoney: Int64?, kind: RoundReport.Kind
  ) -> ImportLine<RoundReport> {
    let report = RoundReport(
      company: company, jurisdiction: jurisdiction, name: name, announced: date, currency: currency, amount: amount,
      preMoney: preMoney, postMoney: postMoney, investors: [], kind: kind, acquirer: nil, status: .closed,
      certainty: .page, source: "Open Cap Format, object \(id)", notes: nil)
    return ImportLine(line: item.number, value: report, faults: [])
  }

  // MARK: objects

  private func financing(_ item: Item) -> ImportLine<RoundReport> {
    guard let id = Self.text(item.node["id"]), let name = Self.text(item.node["name"]) else {
      return refuse(item, "name", "field.missing", "a financing has an id and a name of 1 to 200 bytes")
    }
    guard let date = Self.date(item.node["date"]) else {
      return refuse(item, "date", "field.malformed", "is not a calendar date YYYY-MM-DD")
    }
    let ids = item.node["issuance_ids"].map { $0.elements.map(\.asString) } ?? []
    guard !ids.isEmpty else {
      return refuse(item, "issuance_ids", "field.missing", "a financing names its issuances")
    }
    var total: Money?
    var isStock = true
    for id in ids {
      guard let id, let found = issuances[id] else {
        return refuse(
          item, "issuance_ids", "ocf.issuance_missing", "the issuance \(id ?? "of no id") is in none of the files")
      }
      switch found {
      case .failure(let failure): return refuse(item, "issuance_ids", "ocf.issuance_malformed", failure.description)
      case .success(let issuance):
        isStock = isStock && issuance.isStock
        guard let sum = total else {
          total = issuance.amount
          continue
        }
        guard sum.currency == issuance.amount.currency, let added = try? sum.adding(issuance.amount),
          added.amount <= Money.largestAccepted
        else {
          return refuse(
            item, "issuance_ids", "ocf.amounts_do_not_add_up", "the issuances are of two currencies, or too large")
        }
        total = added
      }
    }
    guard let total, total.amount > 0 else {
      return refuse(item, "issuance_ids", "ocf.brought_nothing", "the issuances brought nothing")
    }
    return report(
      item, id, name: name, date, total.currency, amount: total.amount, preMoney: nil, postMoney: nil,
      kind: isStock ? .priced : .safe)
  }

  private func convertible(_ item: Item) -> ImportLine<RoundReport> {
    guard let id = Self.text(item.node["id"]) else {
      return refuse(item, "id", "field.missing", "an issuance has an id of 1 to 200 bytes")
    }
    guard let date = Self.date(item.node["date"]) else {
      return refuse(item, "date", "field.malformed", "is not a calendar date YYYY-MM-DD")
    }
    guard let invested = Self.money(item.node["investment_amount"]), invested.amount > 0 else {
      return refuse(item, "investment_amount", "field.malformed", "is not an amount above zero in a known currency")
    }
    var caps: Set<Money> = []
    var timings: Set<String> = []
    for trigger in item.node["conversion_triggers"].map({ Array($0.elements) }) ?? [] {
      guard let mechanism = trigger["conversion_right"]?["conversion_mechanism"],
        let written = mechanism["conversion_valuation_cap"]
      else { continue }
      guard let cap = Self.money(written), cap.amount > 0 else {
        return refuse(
          item, "conversion_valuation_cap", "field.malformed", "is not an amount above zero in a known currency")
      }
      caps.insert(cap)
      timings.insert(mechanism["conversion_timing"]?.asString ?? "")
    }
    guard caps.count < 2, timings.count < 2 else {
      return refuse(item, "conversion_valuation_cap", "ocf.caps_differ", "the triggers have caps that differ")
    }
    if let cap = caps.first, cap.currency != invested.currency {
      return refuse(item, "conversion_valuation_cap", "ocf.currencies_differ", "is not in the currency of the money")
    }
    // A cap over the capitalisation before the money is no post-money: it is kept, and values nothing.
    let isPost = timings.first == "POST_MONEY"
    let cap = caps.first?.amount
    return report(
      item, id, name: Self.text(item.node["custom_id"]) ?? id, date, invested.currency, amount: invested.amount,
      preMoney: isPost ? nil : cap, postMoney: isPost ? cap : nil, kind: .safe)
  }

  private static func stock(_ node: JSONNode) -> Result<Issuance, CapTableFailure> {
    let id = node["id"]?.asString ?? ""
    guard let code = node["share_price"]?["currency"]?.asString, let currency = Currency(code),
      let price = decimal(node["share_price"]?["amount"]), let quantity = decimal(node["quantity"])
    else { return .failure(CapTableFailure("issuance \(id) has no share_price and quantity")) }
    // Prices of shares have more decimals than money: rounded once, half to even.
    let scaled = price.unscaled * quantity.unscaled * .powerOfTen(currency.minorUnitDigits)
    guard let minor = try? scaled.divided(by: .powerOfTen(price.places + quantity.places), rounding: .halfEven).int64,
      (0...Money.largestAccepted).contains(minor)
    else { return .failure(CapTableFailure("issuance \(id) comes to no amount that is accepted")) }
    return .success(Issuance(amount: Money(minor, currency), isStock: true))
  }

  // MARK: members

  private static func text(_ node: JSONNode?) -> String? {
    guard let text = node?.asString, (1...200).contains(text.utf8.count),
      text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { return nil }
    return text
  }

  private static func date(_ node: JSONNode?) -> ReportedDate? {
    guard let text = node?.asString, text.utf8.count == 10 else { return nil }
    return ReportedDate(text)
  }

  /// The format writes numbers as decimal text.
  private static func decimal(_ node: JSONNode?) -> DecimalNumeral? {
    guard let text = node?.asString, let number = DecimalNumeral(text), !number.isNegative else { return nil }
    return number
  }

  private static func money(_ node: JSONNode?) -> Money? {
    guard let text = node?["amount"]?.asString, let currency = node?["currency"]?.asString.flatMap({ Currency($0) }),
      let minor = MinorUnits.exact(text, currency), (0...Money.largestAccepted).contains(minor)
    else { return nil }
    return Money(minor, currency)
  }
}

import Primitives
import StrictJSON

// The text of a waterfall:
//
//     {
//       "source": "round",                 round | instalment | collateral | insurance | guarantee
//       "order": "rank_then_step",         rank_then_step | step_then_rank
//       "own_loans_first": false,          optional; false
//       "steps": [                         1 to 5, paid in this order, each step at most once
//         {
//           "step": "charges",             charges | tax | fee | principal | prepayment
//           "sharing": "pro_rata",         pro_rata | sequential; optional, pro_rata
//           "cap": {"amount": 100000}      or {"share_bps": 2500}, of the receipt; optional
//         }
//       ],
//       "rank_caps": [{"rank": 1, "cap": {"share_bps": 5000}}],                optional
//       "decline": {"goes_to": "same_rank", "deadline_days": 5}                optional: same_rank | next_rank | borrower
//     }
//
// A set of them is an array with at most one for each source; a source that is not named has the standard one. Members
// that nobody knows are refused. What is printed is parsed to the same value and, printed again, has the same bytes.

extension WaterfallDefinition {
  /// - Throws: every fault found, with its place.
  package init(parsing bytes: [UInt8]) throws(JSONFaults) {
    let document = try JSONDocument(parsing: bytes)
    self = try ObjectReader.read(document.root) { WaterfallDefinition(&$0) }
  }

  /// For a member of a larger document. Returns nil after recording why.
  package init?(_ reader: inout ObjectReader) {
    let source = reader.enumeration("source", as: CashSource.self)
    let order = reader.enumeration("order", as: Order.self)
    let ownLoansFirst = reader.optionalBool("own_loans_first") ?? false
    let rules = reader.objects("steps", count: 1...WaterfallStep.allCases.count) { reader -> StepRule? in
      let step = reader.enumeration("step", as: WaterfallStep.self)
      let sharing = reader.optionalEnumeration("sharing", as: Sharing.self) ?? .proRata
      let hasCap = reader.has("cap")
      let cap = reader.optionalObject("cap") { Cap(&$0) }
      guard let step, !hasCap || cap != nil else { return nil }
      return StepRule(step, sharing: sharing, cap: cap)
    }
    let hasCaps = reader.has("rank_caps")
    let rankCaps = reader.optionalObjects("rank_caps", count: 0...1_000) { reader -> RankCap? in
      let rank = reader.int("rank", 1...1_000_000)
      let cap = reader.object("cap") { Cap(&$0) }
      guard let rank, let cap else { return nil }
      return RankCap(rank: rank, cap: cap)
    }
    let hasDecline = reader.has("decline")
    let decline = reader.optionalObject("decline") { reader -> DeclineRule? in
      let goesTo = reader.enumeration("goes_to", as: DeclinedTo.self)
      let days = reader.int("deadline_days", 0...3_650)
      guard let goesTo, let days else { return nil }
      return DeclineRule(goesTo: goesTo, deadlineDays: days)
    }
    guard let source, let order, let rules, !hasCaps || rankCaps != nil, !hasDecline || decline != nil else {
      return nil
    }
    do {
      try self.init(
        source: source, rules: rules, order: order, ownLoansFirst: ownLoansFirst, rankCaps: rankCaps ?? [],
        decline: decline)
    } catch {
      reader.fault(code: error.code, detail: error.detail)
      return nil
    }
  }

  /// Every member is written, also those that may be left out.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("source", source)
      writer.field("order", order)
      writer.field("own_loans_first", ownLoansFirst)
      writer.array("steps", rules) { writer, rule in
        writer.object { writer in
          writer.field("step", rule.step)
          writer.field("sharing", rule.sharing)
          writer.field("cap", rule.cap)
        }
      }
      writer.array("rank_caps", rankCaps) { writer, cap in
        writer.object { writer in
          writer.field("rank", cap.rank)
          writer.field("cap", cap.cap)
        }
      }
      writer.key("decline")
      if let decline {
        writer.object { writer in
          writer.field("goes_to", decline.goesTo)
          writer.field("deadline_days", decline.deadlineDays)
        }
      } else {
        writer.null()
      }
    }
  }

  /// The one spelling of this waterfall.
  package var json: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }
}

extension WaterfallDefinition.Cap {
  fileprivate init?(_ reader: inout ObjectReader) {
    if reader.has("share_bps") {
      guard let share = reader.int("share_bps", 0...BasisPoints.whole.value) else { return nil }
      self = .share(BasisPoints(share))
    } else {
      guard let amount = reader.int("amount", 0...Money.largestAccepted) else { return nil }
      self = .amount(amount)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func field(_ name: StaticString, _ cap: WaterfallDefinition.Cap?) {
    guard let cap else { return nullField(name) }
    object(name) { writer in
      switch cap {
      case .amount(let amount): writer.field("amount", amount)
      case .share(let share): writer.field("share_bps", share.value)
      }
    }
  }
}

/// One waterfall for each source of money.
package struct WaterfallSet: Sendable, Hashable {
  private let stated: [CashSource: WaterfallDefinition]

  /// The standard one for each source.
  package static let standard = WaterfallSet(stated: [:])

  private init(stated: [CashSource: WaterfallDefinition]) { self.stated = stated }

  /// - Throws: `RepaymentRefusal.sourceTwice` for two of one source.
  package init(_ definitions: [WaterfallDefinition]) throws(RepaymentRefusal) {
    var stated: [CashSource: WaterfallDefinition] = [:]
    for definition in definitions {
      guard stated.updateValue(definition, forKey: definition.source) == nil else {
        throw .sourceTwice(definition.source)
      }
    }
    self.stated = stated
  }

  /// Reads an array of waterfalls.
  /// - Throws: every fault found, with its place.
  package init(parsing bytes: [UInt8]) throws(JSONFaults) {
    let document = try JSONDocument(parsing: bytes)
    var log = FaultLog()
    let definitions = log.array(document.root, count: 0...CashSource.allCases.count) { node, log in
      log.object(node) { WaterfallDefinition(&$0) }
    }
    if let faults = log.faults { throw faults }
    do {
      try self.init(definitions ?? [])
    } catch {
      throw JSONFaults(faults: [JSONFault(pointer: "", code: error.code, detail: error.detail)], isSyntax: false)
    }
  }

  /// The one that was stated, or the standard one.
  package subscript(source: CashSource) -> WaterfallDefinition { stated[source] ?? .standard(for: source) }

  /// All, in the order of `CashSource`.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.array(CashSource.allCases) { writer, source in self[source].write(to: &writer) }
    return writer.bytes
  }
}

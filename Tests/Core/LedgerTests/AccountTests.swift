import Ledger
import Primitives
import Testing

private typealias F = LedgerFixtures

@Suite("Accounts and assets")
struct AccountTests {
  @Test("an asset reads back from its text", arguments: ["USD", "JPY", "chip:nvidia-a800-sxm4-80", "chip:usd"])
  func roundTrip(text: String) throws {
    #expect(try #require(Asset(text)).description == text)
  }

  @Test("a currency and a chip model are told apart by the prefix")
  func kinds() throws {
    #expect(Asset("CNY") == .currency(.cny))
    #expect(Asset("chip:nvidia-h20") == .chip(try #require(ChipModelID("nvidia-h20"))))
  }

  @Test(
    "text that is neither a currency nor a chip model is no asset",
    arguments: ["", "usd", "XXX", "chip:", "chip:A100", "Chip:a100", "chip:a b", "chip", "USD ", "chip:\u{301}a", ":a"])
  func refused(text: String) {
    #expect(Asset(text) == nil)
  }

  @Test("assets are ordered as their text is, currencies first")
  func assetOrder() throws {
    let assets = try [F.chip("b"), .currency(.usd), F.chip("a"), .currency(.cny)]
    #expect(assets.sorted().map(\.description) == ["CNY", "USD", "chip:a", "chip:b"])
  }

  @Test("accounts are ordered by book, then code, then subject, then asset")
  func accountOrder() throws {
    let (low, high) = (UUIDValue(high: 0, low: 1), UUIDValue(high: 0, low: 2))
    let ordered = [
      AccountRef(F.lender, .bankClient, asset: F.usd),
      AccountRef(F.lender, .custodyAvailable, low, asset: try F.chip("a")),
      AccountRef(F.lender, .receivableFee, low, asset: .currency(.cny)),
      AccountRef(F.lender, .receivableFee, low, asset: F.usd),
      AccountRef(F.lender, .receivableFee, high, asset: .currency(.cny)),
      // By the code's text: `receivable.principal` stands before its place in the chart's own order.
      AccountRef(F.lender, .receivablePrincipal, low, asset: F.usd),
      AccountRef(F.borrower, .bankClient, asset: F.usd),
    ]
    for seed in 0..<ordered.count {
      var shuffled = ordered
      shuffled.swapAt(seed, (seed * 5 + 3) % ordered.count)
      #expect(shuffled.sorted() == ordered)
    }
    for (index, left) in ordered.enumerated() {
      for (other, right) in ordered.enumerated() { #expect((left < right) == (index < other)) }
    }
  }

  @Test("an account without a subject names the zero UUID")
  func noSubject() {
    #expect(AccountRef(F.lender, .suspense, asset: F.usd).subject == UUIDValue(high: 0, low: 0))
    #expect(AccountRef(F.lender, .suspense, asset: F.usd).subject == AccountRef.noSubject)
  }

  @Test("no account is barred from both signs, and each custody state but the two contra accounts is never negative")
  func signs() {
    for code in AccountCode.allCases { #expect(!(code.neverNegative && code.neverPositive), "\(code)") }
    for code in AccountCode.allCases where code.rawValue.hasPrefix("custody.") {
      let contra = code == .custodyOrdered || code == .custodyReceived
      #expect(code.neverNegative == !contra, "\(code)")
      #expect(code.neverPositive == contra, "\(code)")
    }
    #expect(AccountCode.receivablePrincipal.neverNegative && AccountCode.payablePrincipal.neverPositive)
    #expect(AccountCode.bankClient.neverNegative && AccountCode.clientMoney.neverPositive)
    // Clearing swings both ways: negative with the lender, positive with the borrower.
    #expect(!AccountCode.clearingChips.neverNegative && !AccountCode.clearingChips.neverPositive)
  }

  @Test("codes are lower-case words joined by points and underscores, as the chart stores them")
  func codes() {
    for code in AccountCode.allCases {
      #expect(code.rawValue.allSatisfy { "abcdefghijklmnopqrstuvwxyz._".contains($0) }, "\(code)")
    }
  }
}

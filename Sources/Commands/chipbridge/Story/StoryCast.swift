/// The parties of the story. No source shows these very loans, so every party is a stand-in with a name of its own; each
/// says whom it is modelled on. Figures marked assumed are ours.
enum StoryCast {
  struct Giant {
    let name: String
    let modelledOn: String
    /// A800 on hand in spring 2023, and on order for October (the split among the four was never published: assumed).
    let onHand: Int64
    let onOrder: Int64
    /// Kept for its own training until the end of the year (assumed).
    let reserve: Int64
    /// Listed for loans (assumed), and the ask in basis points a year (assumed).
    let listed: Int64
    let askBps: Int64
  }

  struct Startup {
    let name: String
    let modelledOn: String
  }

  /// 100,000 A800 in all, at 10,000 USD each: Reuters, citing the Financial Times, 9 August 2023.
  static let giants = [
    Giant(
      name: "Beidou Search", modelledOn: "Baidu", onHand: 15_000, onOrder: 10_000, reserve: 22_000, listed: 2_048,
      askBps: 1_150),
    Giant(
      name: "Bitstream Media", modelledOn: "ByteDance", onHand: 20_000, onOrder: 20_000, reserve: 36_000,
      listed: 1_536, askBps: 1_180),
    Giant(
      name: "Tianxun Interactive", modelledOn: "Tencent", onHand: 10_000, onOrder: 10_000, reserve: 16_000,
      listed: 2_048, askBps: 1_200),
    Giant(
      name: "Alinova Cloud", modelledOn: "Alibaba", onHand: 10_000, onOrder: 5_000, reserve: 12_000, listed: 1_024,
      askBps: 1_250),
  ]

  static let borrower = Startup(name: "Lingyi Labs", modelledOn: "01.AI")
  static let second = Startup(name: "Qingyun Models", modelledOn: "startups that took weaker, uncontrolled chips")
  static let third = Startup(name: "Hailang Robotics", modelledOn: "startups that were acquired")
  static let acquirer = "Northern Star Group"

  static let a800 = "nvidia-a800-sxm4-80"
  static let a10 = "nvidia-a10"
  static let region = "CN-north"
  /// Minor units: 10,000 USD, the price in the orders.
  static let a800Mark: Int64 = 1_000_000
  /// Minor units: 2,500 USD (assumed).
  static let a10Mark: Int64 = 250_000
}

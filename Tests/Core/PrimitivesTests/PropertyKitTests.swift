import PropertyKit
import Testing

@Suite("The property kit itself")
struct PropertyKitTests {
  @Test("SplitMix64 gives the published sequence of seed 1234567")
  func publishedSequence() {
    var random = SplitMix64(seed: 1_234_567)
    let drawn = (0..<5).map { _ in random.next() }
    #expect(
      drawn == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }

  @Test("a failing property names its first failing seed")
  func failureNamesSeed() throws {
    let failure = try #require(throws: PropertyFailure.self) {
      var runs: UInt64 = 0
      try forAll(seeds: 1...100) { _ in
        runs += 1
        try hold(runs < 42, "the forty-second run")
      }
    }
    #expect(failure.seed == 42)
    #expect(failure.description == "seed 42: the forty-second run")
  }

  @Test("a property that holds runs once for each seed")
  func runsEachSeed() throws {
    var runs = 0
    try forAll(seeds: 5...14) { _ in runs += 1 }
    #expect(runs == 10)
  }

  @Test("a failing command sequence is reported with only the commands that matter, and fails again for its seed")
  func commandsAreShrunk() throws {
    // The law breaks when two sevens have been seen, whatever stands between.
    func run(_ commands: [Int]) throws {
      var sevens = 0
      for command in commands {
        sevens += command == 7 ? 1 : 0
        try hold(sevens < 2, "two sevens")
      }
    }
    func draw(_ random: inout SplitMix64) -> Int { random.int(in: 0...9) }
    let failure = try #require(throws: PropertyFailure.self) {
      try forAllCommands(length: 30...60, draw: draw, run: run)
    }
    #expect(failure.commands == ["7", "7"])
    #expect(failure.description == "seed \(failure.seed): two sevens\n  1. 7\n  2. 7")
    #expect(throws: PropertyFailure.self) {
      try forAllCommands(seeds: failure.seed...failure.seed, length: 30...60, draw: draw, run: run)
    }
  }

  @Test("edgy integers reach both ends, zero, and small and large magnitudes")
  func edgesAreReached() {
    var random = SplitMix64(seed: 7)
    let drawn = (0..<4_000).map { _ in random.edgyInt64() }
    #expect(drawn.contains(Int64.max) && drawn.contains(Int64.min) && drawn.contains(0))
    #expect(drawn.contains { (2...99).contains($0) } && drawn.contains { (-99...(-2)).contains($0) })
    #expect(drawn.contains { $0 > 1 << 60 && $0 < Int64.max })
    #expect((0..<4_000).allSatisfy { _ in random.edgyNatural() >= 0 })
  }
}

import Primitives

/// A polynomial of whole coefficients whose exponents are far apart: cash flows by day number.
///
/// Evaluated in fixed point on (0, 1], where every power is at most one and no error grows past the exponent's count
/// of last bits.
struct SparsePolynomial: Sendable {
  /// One power and what it is multiplied by.
  struct Term: Sendable {
    let exponent: Int
    let coefficient: WideInteger
  }

  /// By exponent, the first of which is 0; no coefficient is zero. Empty for the zero polynomial.
  let terms: [Term]

  /// Adds up terms of one exponent, drops zeros, and divides by the lowest power: no root within (0, 1] is lost.
  init(_ terms: [Term]) {
    var sums: [Int: WideInteger] = [:]
    for term in terms { sums[term.exponent, default: .zero] = sums[term.exponent, default: .zero] + term.coefficient }
    let kept = sums.filter { !$0.value.isZero }.sorted { $0.key < $1.key }
    let lowest = kept.first?.key ?? 0
    self.terms = kept.map { Term(exponent: $0.key - lowest, coefficient: $0.value) }
  }

  /// How often the sign changes from one coefficient to the next: no fewer than there are roots above zero (Descartes).
  var signChanges: Int { terms.indices.dropFirst().count { changesSign(before: $0) } }

  /// The value at 1, exact.
  var sum: WideInteger { terms.reduce(.zero) { $0 + $1.coefficient } }

  private var degree: Int { terms.last?.exponent ?? 0 }

  /// The same polynomial read from the other end: x^degree p(1/x).
  var reversed: SparsePolynomial {
    SparsePolynomial(terms.map { Term(exponent: degree - $0.exponent, coefficient: $0.coefficient) })
  }

  /// Value, and slope times x, at x / 2^bits, both over 2^bits. Horner's rule over the gaps between exponents.
  func evaluated(at x: WideInteger, bits: Int) -> (value: WideInteger, slope: WideInteger) {
    var powers: [Int: WideInteger] = [:]
    var (value, slope) = (WideInteger.zero, WideInteger.zero)
    var above = degree
    for term in terms.reversed() {
      let gap = above - term.exponent
      if gap > 0 {
        let power = powers[gap] ?? fixedPower(x, gap, bits: bits)
        powers[gap] = power
        value = (value * power) >> bits
        slope = (slope * power) >> bits
      }
      above = term.exponent
      let coefficient = term.coefficient << bits
      value = value + coefficient
      slope = slope + coefficient * WideInteger(term.exponent)
    }
    return (value, slope)
  }

  /// What an evaluation may be off by, in last bits: each coefficient's power by about two for each of its factors.
  private var evaluationError: WideInteger {
    terms.reduce(WideInteger.zero) { $0 + $1.coefficient.magnitude } * WideInteger(4 * (degree + terms.count + 4))
  }

  /// -1, 0 or 1; 0 also where the value cannot be told from zero.
  private func sign(at x: WideInteger, bits: Int) -> Int {
    let value = evaluated(at: x, bits: bits).value
    if value.magnitude <= evaluationError { return 0 }
    return value.isNegative ? -1 : 1
  }

  /// The roots within (0, 1) over 2^bits, ascending; one where the curve only touches zero is among them.
  ///
  /// Between two neighbouring extremes of x^-t p there is at most one root, and with t the exponent at a change of
  /// sign the extremes are the roots of a polynomial that has one change fewer: they come from the same search.
  func roots(bits: Int) -> [WideInteger] {
    guard let change = terms.indices.dropFirst().first(where: { changesSign(before: $0) }) else { return [] }
    let pivot = terms[change - 1].exponent
    let slopes = SparsePolynomial(
      terms.map { Term(exponent: $0.exponent, coefficient: $0.coefficient * WideInteger($0.exponent - pivot)) })
    let extremes = slopes.signChanges == 0 ? [] : slopes.roots(bits: bits)
    var found: [WideInteger] = []
    var (from, signFrom) = (WideInteger.zero, terms[0].coefficient.isNegative ? -1 : 1)
    for extreme in extremes {
      let signHere = sign(at: extreme, bits: bits)
      if signHere == 0 { found.append(extreme) }
      if signFrom * signHere < 0 { found.append(root(from: from, to: extreme, signFrom: signFrom, bits: bits)) }
      (from, signFrom) = (extreme, signHere)
    }
    let atOne = sum
    let signAtOne = atOne.isZero ? 0 : atOne.isNegative ? -1 : 1
    if signFrom * signAtOne < 0 {
      found.append(root(from: from, to: WideInteger.one << bits, signFrom: signFrom, bits: bits))
    }
    return found
  }

  private func changesSign(before index: Int) -> Bool {
    terms[index].coefficient.isNegative != terms[index - 1].coefficient.isNegative
  }

  /// The root between two points whose signs differ. Newton's step where it stays between them and is at most half the
  /// one before, halving otherwise: so it ends after at most twice `bits` steps whatever the curve. It is done where
  /// the value cannot be told from zero: steps taken from what is noise would never end the search but by halving.
  func root(from: WideInteger, to: WideInteger, signFrom: Int, bits: Int) -> WideInteger {
    var (low, high) = (from, to)
    var x = (low + high) >> 1
    var lastStep = high - low
    let error = evaluationError
    while high - low > .one {
      let (value, slope) = evaluated(at: x, bits: bits)
      if value.magnitude <= error { return x }
      if value.isNegative == (signFrom < 0) { low = x } else { high = x }
      let numerator = value * x * (slope.isNegative ? -1 : 1)
      if !slope.isZero, let step = try? numerator.divided(by: slope.magnitude, rounding: .halfEven),
        step.magnitude <= lastStep >> 1, low < x - step, x - step < high
      {
        lastStep = step.magnitude
        x = x - step
      } else {
        lastStep = (high - low) >> 1
        x = (low + high) >> 1
        if x == low { break }
      }
    }
    return x
  }

  /// The root nearest to 1 that a walk away from it meets, in steps that grow by a 64th: for flows that change sign so
  /// often that taking slopes of slopes would not end soon. Two roots within one step escape it.
  func nearestRootByWalking(bits: Int) -> WideInteger? {
    let one = WideInteger.one << bits
    var (above, distance) = (one, WideInteger.one << (bits - 18))
    let total = sum
    var signAbove = total.isZero ? 0 : total.isNegative ? -1 : 1
    while distance < one {
      let x = one - distance
      let signHere = sign(at: x, bits: bits)
      if signHere == 0 { return x }
      if signHere * signAbove < 0 { return root(from: x, to: above, signFrom: signHere, bits: bits) }
      (above, signAbove) = (x, signHere)
      distance = distance + (distance >> 6)
    }
    let signAtZero = (terms.first?.coefficient.isNegative ?? false) ? -1 : 1
    return signAtZero * signAbove < 0 ? root(from: .zero, to: above, signFrom: signAtZero, bits: bits) : nil
  }
}

/// x^exponent for x / 2^bits within [0, 1], by squaring, truncated at each product.
func fixedPower(_ x: WideInteger, _ exponent: Int, bits: Int) -> WideInteger {
  var (result, square, rest) = (WideInteger.one << bits, x, exponent)
  var isFirst = true
  while rest > 0 {
    if rest & 1 == 1 {
      result = isFirst ? square : (result * square) >> bits
      isFirst = false
    }
    rest >>= 1
    if rest > 0 { square = (square * square) >> bits }
  }
  return result
}

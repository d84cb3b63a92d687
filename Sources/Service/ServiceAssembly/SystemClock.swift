import Operations
import Primitives

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Wall time and random bits of the system.
package struct SystemClock: WallClock {
  package init() {}

  package func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000) ?? .epoch
  }

  package func randomBits() -> (UInt64, UInt64) {
    var generator = SystemRandomNumberGenerator()
    return (generator.next(), generator.next())
  }

  /// The generator above asks the kernel for eight bytes at a time; a batch asks for a page of them.
  package func randomBits(_ count: Int) -> [(UInt64, UInt64)] {
    var bits = [(UInt64, UInt64)](repeating: (0, 0), count: count)
    let isFilled = bits.withUnsafeMutableBytes { bytes in
      // 256 bytes are the most that one call gives.
      stride(from: 0, to: bytes.count, by: 256).allSatisfy { start in
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<min(start + 256, bytes.count)])
        return part.baseAddress.map { getentropy($0, part.count) == 0 } ?? true
      }
    }
    return isFilled ? bits : (0..<count).map { _ in randomBits() }
  }
}

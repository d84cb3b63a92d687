import Foundation
import Matching

/// A market file as it lies on disk or comes through standard input, gzip or not: told by its first two bytes, since
/// names lie.
struct MarketInput {
  private let path: String
  private static let pieceBytes = 1 << 20

  init(_ path: String) { self.path = path }

  /// - Throws: `Failure` in words for people: the file cannot be read, or what is wrong with its first bad line.
  func read() throws -> MarketFile {
    let source = path == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: path)
    guard let source else { throw Failure("\(path) cannot be read: \(String(cString: strerror(errno)))") }
    let first = try piece(of: source.fileDescriptor, atLeast: 2)
    if first.starts(with: [0x1F, 0x8B]) { return try unzipped(first, source) }
    var reader = MarketFileReader()
    do {
      try reader.read(first)
      try feed(&reader, from: source.fileDescriptor)
      return try reader.finish()
    } catch let fault as MarketFileFault { throw Failure("\(name): \(fault)") }
  }

  private var name: String { path == "-" ? "standard input" : path }

  /// Through the system's gzip: what has been read already and the rest go in at one end.
  private func unzipped(_ first: [UInt8], _ source: FileHandle) throws -> MarketFile {
    let (input, output, errors) = (Pipe(), Pipe(), Pipe())
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-dc"]
    gzip.standardInput = input
    gzip.standardOutput = output
    gzip.standardError = errors
    // A gzip that gives up closes its end; that is an error to report, not a signal to die of.
    signal(SIGPIPE, SIG_IGN)
    do { try gzip.run() } catch { throw Failure("\(name) is compressed, and gzip cannot be started: \(error)") }
    let feeding = Thread { [pump = Pump(first: first, source: source, sink: input.fileHandleForWriting)] in
      pump.run()
    }
    feeding.start()
    var reader = MarketFileReader()
    do { try feed(&reader, from: output.fileHandleForReading.fileDescriptor) } catch {
      gzip.terminate()
      if let fault = error as? MarketFileFault { throw Failure("\(name): \(fault)") }
      throw error
    }
    let words = (try? errors.fileHandleForReading.readToEnd()) ?? Data()
    gzip.waitUntilExit()
    // Before the last line is judged: where a file is cut off the line is, too, and the cut is what is wrong.
    guard gzip.terminationStatus == 0 else {
      let said = String(decoding: words, as: UTF8.self).split(separator: "\n").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      throw Failure("\(name) is compressed and cannot be unpacked: \(said.joined(separator: "; "))")
    }
    do { return try reader.finish() } catch { throw Failure("\(name): \(error)") }
  }

  private func feed(_ reader: inout MarketFileReader, from descriptor: Int32) throws {
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.pieceBytes)
    defer { buffer.deallocate() }
    while true {
      let count = try fill(UnsafeMutableRawBufferPointer(buffer), from: descriptor)
      if count == 0 { return }
      try reader.read(UnsafeBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// The beginning of the input: shorter than `count` only when there is no more.
  private func piece(of descriptor: Int32, atLeast count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var length = 0
    while length < count {
      let more = try bytes.withUnsafeMutableBytes { buffer in
        try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[length...]), from: descriptor)
      }
      if more == 0 { break }
      length += more
    }
    return Array(bytes[..<length])
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32) throws -> Int {
    while true {
      let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw Failure("\(name) cannot be read: \(String(cString: strerror(errno)))") }
    }
  }
}

/// Pours what has been read, then the rest, into a child that another thread reads from.
private struct Pump: Sendable {
  let first: [UInt8]
  let source: FileHandle
  let sink: FileHandle

  /// A child that no longer takes anything says why by itself.
  func run() {
    do {
      try sink.write(contentsOf: first)
      while let piece = try source.read(upToCount: 1 << 16), !piece.isEmpty { try sink.write(contentsOf: piece) }
    } catch {}
    try? sink.close()
  }
}

import Foundation
import Matching

/// Market files as text.
enum MarketText {
  static let chip = #"{"type":"chip","chip_model":"a","unit_value":100}"#
  static let otherChip = #"{"type":"chip","chip_model":"b","unit_value":7}"#
  static let listing =
    #"{"type":"listing","id":"L0","lender":"x","chip_model":"a","region":"north","quantity":5,"ask_rate_bps":10,"#
    + #""min_term_days":30,"max_term_days":180,"sequence":0}"#
  static let request =
    #"{"type":"request","id":"R0","startup":"s","quantity":4,"acceptable":[{"chip_model":"a","max_rate_bps":40},"#
    + #"{"chip_model":"b","max_rate_bps":9}],"regions":["north","south"],"term_days":90,"sequence":0}"#

  static func bytes(_ lines: [String]) -> [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }

  static func market(_ lines: [String]) throws -> MarketFile { try MarketFileReader.market(of: bytes(lines)) }

  /// One line with a piece of it replaced.
  static func changed(_ line: String, _ old: String, _ new: String) -> String { line.replacing(old, with: new) }

  static func fixture(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    return Array(try Data(contentsOf: folder.appending(path: "../../../Fixtures/matching/\(name)").standardized))
  }

  /// The file name and the optimum of each case of a kind.
  static func cases(_ kind: String) throws -> [(file: String, optimum: Int128)] {
    struct Case: Decodable {
      let file: String
      let kind: String
      let optimum: Int64
    }
    let all = try JSONDecoder().decode([Case].self, from: Data(try fixture("expected.json")))
    return all.filter { $0.kind == kind }.map { ($0.file, Int128($0.optimum)) }
  }
}

import Primitives
import StrictJSON

/// A file of cases: an object with `cases`, a list, beside whatever says what they mean; or the list alone.
package struct CaseFile: Sendable {
  package let kind: CaseKind
  private let cases: [JSONNode]

  /// 64 MiB and four million values: a hundred times the reference files.
  private static let limits = JSONLimits(maxBytes: 64 << 20, maxDepth: 64, maxMembers: 4_000_000)

  /// - Throws: `CaseFileFault` when the text is no JSON, or has no list of cases.
  package init(parsing bytes: [UInt8], kind: CaseKind) throws(CaseFileFault) {
    self.kind = kind
    let root: JSONNode
    do throws(JSONFaults) { root = try JSONDocument(parsing: bytes, limits: Self.limits).root } catch {
      throw CaseFileFault(error.faults.first.map { "\($0.pointer)\($0.pointer.isEmpty ? "" : ": ")\($0.detail)" } ?? "")
    }
    guard let cases = root.asArray ?? root["cases"]?.asArray else {
      throw CaseFileFault("must be an object with a list named cases")
    }
    self.cases = Array(cases)
  }

  package var count: Int { cases.count }

  /// The case at a place, its name for messages, and what answers it. Names are compared by a `CaseLedger`.
  package func answer(at index: Int) -> CaseAnswer {
    let node = cases[index]
    let words = kind == .daycount ? [node["case_id"], node["convention"]] : [node["case_id"]]
    let name = words.compactMap { $0?.asString }.joined(separator: " ")
    do throws(CaseFault) {
      return CaseAnswer(name: name, result: .success(try kind.answer(to: node)))
    } catch { return CaseAnswer(name: name.isEmpty ? "case \(index + 1)" : name, result: .failure(error)) }
  }
}

/// What is printed for a case.
package struct CaseLine: Sendable, Hashable {
  /// One JSON object, without a line end.
  package let bytes: [UInt8]
  /// What a person should know of an answer that is no fault.
  package let remark: String?

  package init(_ bytes: [UInt8], remark: String? = nil) {
    self.bytes = bytes
    self.remark = remark
  }
}

/// One case answered, or why not.
package struct CaseAnswer: Sendable {
  /// The case's id, a day count's with its convention; the place in the file where there is none.
  package let name: String
  package let result: Result<CaseLine, CaseFault>

  package init(name: String, result: Result<CaseLine, CaseFault>) {
    self.name = name
    self.result = result
  }
}

/// Cases in file order: a name that comes again is refused, since its answer could be taken for the other's.
package struct CaseLedger: Sendable {
  private var names: Set<String> = []

  package init() {}

  /// The answer as it stands, or a fault in its place when the name was seen before.
  package mutating func admit(_ answer: CaseAnswer) -> CaseAnswer {
    if names.insert(answer.name).inserted { return answer }
    return CaseAnswer(
      name: answer.name, result: .failure(CaseFault(field: "case_id", detail: "stands twice in the file")))
  }
}

import Primitives
import StrictXML

/// Reads ISO 20022 bank-to-customer statements, camt.053.001.02 to camt.053.001.09.
///
/// The versions differ, for what is read here, in few places, and each is taken in both forms: `Sts` is a code in the
/// text, and from version 8 a choice of `Cd` and `Prtry`; parties stand in `Dbtr/Nm`, later in `Dbtr/Pty/Nm`; an amount
/// of a detail stands in `AmtDtls/TxAmt`, from version 4 also in `Amt`.
///
/// The elements of the statement are checked strictly where they are read and passed over where they are not: banks add
/// much that is of no concern here. What does not add up is refused (``StatementChecks``).
package enum Camt053 {
  /// The versions that are read.
  package static let versions = 2...9
  static let namespace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."

  /// Every statement of the file, in its order.
  /// - Throws: the first fault; nothing is to be taken from such a file.
  package static func read(
    _ bytes: [UInt8], limits: XMLLimits = XMLLimits()
  ) throws(StatementFault) -> [BankStatement] {
    var reader = try CamtReader(bytes, limits: limits)
    return try reader.statements()
  }
}

/// Walks the document and takes it apart one statement's member at a time, so that memory holds the statements and not
/// the file's tree.
private struct CamtReader {
  private var xml: XMLReader
  private var namespace = ""

  init(_ bytes: [UInt8], limits: XMLLimits) throws(StatementFault) {
    do { xml = try XMLReader(bytes, limits: limits) } catch { throw StatementFault(error) }
  }

  mutating func statements() throws(StatementFault) -> [BankStatement] {
    guard case .start(let document) = try next() else { throw fault(.malformed, "is no document") }
    guard document.name == "Document", document.namespace.hasPrefix(Camt053.namespace),
      let version = Self.version(document.namespace.dropFirst(Camt053.namespace.count)),
      Camt053.versions.contains(version)
    else {
      throw fault(.wrongMessage, "is no camt.053.001.02 to .09: \(document.name) of \(document.namespace)")
    }
    namespace = document.namespace
    guard case .start(let message) = try next(), message.name == "BkToCstmrStmt", message.namespace == namespace else {
      throw fault(.wrongMessage, "has no BkToCstmrStmt")
    }
    var statements: [BankStatement] = []
    var hasHeader = false
    var known: Set<String> = []
    while case .start(let tag) = try next() {
      switch tag.name {
      case "GrpHdr":
        if hasHeader { throw fault(.repeated, "GrpHdr stands more than once") }
        try header(try whole(tag))
        hasHeader = true
      case "Stmt":
        guard hasHeader else { throw fault(.missing, "GrpHdr is missing") }
        let line = xml.line
        let statement = try statement()
        guard known.insert("\(statement.account) \(statement.id)").inserted else {
          throw StatementFault(
            .duplicateStatement, line: line, element: "Document/BkToCstmrStmt/Stmt",
            "statement \(statement.id) of the account stands twice")
        }
        statements.append(statement)
      case "SplmtryData": _ = try element(tag)
      default: throw fault(.malformed, "is no member of BkToCstmrStmt: \(tag.name)")
      }
    }
    guard hasHeader else { throw fault(.missing, "GrpHdr is missing") }
    guard !statements.isEmpty else { throw fault(.missing, "Stmt is missing") }
    // The end of the document, and of the bytes.
    while let event = try next() {
      guard case .end = event else { throw fault(.malformed, "has more than BkToCstmrStmt") }
    }
    return statements
  }

  private func header(_ node: StatementNode) throws(StatementFault) {
    _ = try node.required("MsgId").text()
    let created = try node.required("CreDtTm")
    guard CalendarDate(try created.text().prefix(10)) != nil else { throw created.fault(.badDate, "is no moment") }
  }

  private mutating func statement() throws(StatementFault) -> BankStatement {
    var draft = CamtStatement(line: xml.line)
    while case .start(let tag) = try next() {
      if tag.name == "SplmtryData" { _ = try element(tag) } else { try draft.take(try whole(tag)) }
    }
    return try draft.finish()
  }

  // MARK: Events

  private mutating func next() throws(StatementFault) -> XMLReader.Event? {
    let event: XMLReader.Event?
    do { event = try xml.next() } catch { throw StatementFault(error) }
    if case .text = event { throw fault(.malformed, "has text between elements") }
    return event
  }

  private mutating func element(_ tag: XMLTag) throws(StatementFault) -> XMLNode {
    do { return try xml.element(tag) } catch { throw StatementFault(error) }
  }

  /// A member with all below it, which must be of the message's own namespace.
  private mutating func whole(_ tag: XMLTag) throws(StatementFault) -> StatementNode {
    let node = StatementNode(try element(tag), path: "\(xml.path)/\(tag.name)")
    try hold(node)
    return node
  }

  private func hold(_ node: StatementNode) throws(StatementFault) {
    guard node.node.tag.namespace == namespace else {
      throw node.fault(.wrongMessage, "is of another namespace: \(node.node.tag.namespace)")
    }
    for child in node.node.children where child.name != "SplmtryData" {
      try hold(StatementNode(child, path: "\(node.path)/\(child.name)"))
    }
  }

  private func fault(_ reason: StatementFault.Reason, _ what: String) -> StatementFault {
    StatementFault(reason, line: xml.line, element: xml.path, what)
  }

  /// Two digits.
  private static func version(_ text: Substring) -> Int? {
    text.utf8.count == 2 && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(text) : nil
  }
}

extension StatementFault {
  init(_ fault: XMLFault) {
    let reason: Reason =
      switch fault.kind {
      case .truncated: .truncated
      case .malformed: .malformed
      case .forbidden: .forbiddenMarkup
      case .tooLarge: .tooLarge
      }
    self.init(reason, line: fault.line, element: fault.path, "the document \(fault.reason)")
  }
}

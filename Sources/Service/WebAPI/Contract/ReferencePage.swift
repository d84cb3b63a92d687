import HTTPTypes
import PublishedAPI
import StrictJSON
import WebSupport

/// The description as a page for people: no script, nothing from elsewhere, readable without a network and on paper.
struct ReferencePage {
  private let description: APIDescription

  init(_ description: APIDescription) { self.description = description }

  func html() -> String {
    var page = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
      <title>ChipBridge: the interface</title><style>\(Self.style)</style></head><body>
      <a class="skip" href="#main">To the text</a>
      <nav aria-label="Contents"><h2>Contents</h2><ul><li><a href="#rules">What holds everywhere</a></li>\
      <li><a href="#path">From a key to a paid-off loan</a></li>
      """
    for tag in description.tags { page += "<li><a href=\"#\(escape(tag))\">\(escape(tag))</a></li>" }
    page += "</ul></nav><main id=\"main\"><h1>ChipBridge: the interface</h1>"
    page += """
      <p>Version \(APIDescription.version). For programs the same stands in <a href="/v1/openapi.json">/v1/openapi.json</a> \
      (OpenAPI 3.1).</p><section id="rules"><h2>What holds everywhere</h2>
      """
    for section in APIGuide.sections { page += "<h3>\(escape(section.title))</h3><p>\(prose(section.text))</p>" }
    page += """
      </section><section id="path"><h2>From a key to a paid-off loan</h2>
      <p>As it stands here it is run by our tests, against a sandbox.</p>\
      <pre tabindex="0">\(escape(String(decoding: PublishedAPI.loanPath, as: UTF8.self)))</pre></section>
      """
    for tag in description.tags {
      page += "<section id=\"\(escape(tag))\"><h2>\(escape(tag))</h2>"
      for operation in description.operations where operation.contract.tag == tag { page += text(of: operation) }
      page += "</section>"
    }
    return page + "</main></body></html>\n"
  }

  private func text(of operation: APIDescription.Operation) -> String {
    let contract = operation.contract
    var text = """
      <article id="\(contract.operationID)"><h3><span class="method">\(contract.method.rawValue)</span> \
      <code>\(escape(contract.template))</code></h3><p>\(prose(contract.summary))</p>
      """
    if !contract.query.isEmpty {
      text += "<h4>Query</h4><dl>"
      for parameter in contract.query {
        text += "<dt><code>\(escape(parameter.name))</code>\(parameter.isRequired ? ", required" : "")</dt>"
        text += "<dd>\(prose(parameter.detail)) Must be \(escape(parameter.expectation)).</dd>"
      }
      text += "</dl>"
    }
    if let body = operation.body {
      if body.combines { text += "<p>May be one of a batch, <code>POST /v1/batches</code>.</p>" }
      text += "<h4>Body</h4>"
      if let shape = body.shape, case .object(let members) = shape {
        text += members.isEmpty ? "<p>None, or <code>{}</code>.</p>" : list(members)
      } else {
        text += "<p>A file: \(body.types.map { "<code>\(escape($0))</code>" }.joined(separator: " or ")), "
        text += "at most \(body.mostBytes) bytes.</p>"
      }
    }
    for answer in description.answers(of: contract) {
      guard let status = answer["status"]?.asString, let type = answer["type"]?.asString else { continue }
      text += "<h4>Answer \(escape(status))</h4><p><code>\(escape(type))</code></p>"
      if type == "application/json", let schema = answer["schema"] {
        text += Self.list(schema, in: description, depth: 0)
      }
    }
    return text + "</article>"
  }

  private func list(_ members: [BodyShape.Member]) -> String {
    var text = "<ul>"
    for member in members {
      text += "<li><code>\(escape(member.name))</code>\(member.isRequired ? "" : "?"): \(words(for: member.shape))"
      if let inner = member.shape.innerMembers { text += list(inner) }
      text += "</li>"
    }
    return text + "</ul>"
  }

  private func words(for shape: BodyShape) -> String {
    switch shape {
    case .anything: "any value"
    case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .parsedInteger(let expected), .parsedText(let expected, _): escape(expected)
    case .boolean: "true or false"
    case .text(let bytes, _): "a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes"
    case .identifier(let prefix): "an id, <code>\(escape(prefix))_…</code>"
    case .words(let words): words.map { "<code>\(escape($0))</code>" }.joined(separator: ", ")
    case .array(let element, let count, _):
      "\(count.lowerBound) to \(count.upperBound) of: " + words(for: element)
    case .object: "an object"
    }
  }

  /// The members of an answer, two levels deep: further objects are named.
  private static func list(_ schema: JSONNode, in description: APIDescription, depth: Int) -> String {
    let (name, target) = description.resolved(schema)
    guard let members = target["properties"]?.members, depth < 3 else { return "" }
    var text = "<ul>"
    for member in members {
      let (inner, shape) = description.resolved(member.value)
      let kind = inner ?? description.words(for: shape)
      text += "<li><code>\(escape(member.name))</code>: \(escape(kind))"
      if name != inner, depth < 1 {
        text += list(member.value["items"] ?? member.value, in: description, depth: depth + 1)
      }
      text += "</li>"
    }
    return text + "</ul>"
  }

  private static let style = """
    :root{color-scheme:light dark;--line:#8886}body{margin:0;font:16px/1.5 system-ui,sans-serif;display:grid;\
    grid-template-columns:16rem minmax(0,1fr)}nav{border-right:1px solid var(--line);padding:1rem;height:100vh;\
    position:sticky;top:0;overflow:auto;box-sizing:border-box}nav ul{list-style:none;padding:0;margin:0}\
    nav a{display:block;padding:.2rem 0}main{padding:1rem 2rem;max-width:60rem}article{border-top:1px solid var(--line);\
    padding-bottom:1rem}h3 code{font-size:1.05em;overflow-wrap:anywhere}.method{font-size:.8em;font-weight:700;\
    border:1px solid currentColor;border-radius:.3em;padding:.1em .4em}pre{overflow:auto;border:1px solid var(--line);\
    padding:1rem}dd{margin-bottom:.3rem}li{overflow-wrap:anywhere}.skip{position:absolute;left:-99rem}\
    .skip:focus{left:1rem;top:1rem}@media(max-width:50rem){body{display:block}nav{position:static;height:auto;border:0}}\
    @media print{nav{display:none}body{display:block}}
    """
}

extension APIDescription {
  /// The schema that a reference names, with its name; otherwise the schema itself.
  func resolved(_ schema: JSONNode) -> (name: String?, schema: JSONNode) {
    guard let target = schema["$ref"]?.asString, let name = target.split(separator: "/").last,
      let found = known.root["schemas"]?[String(name)]
    else { return (nil, schema) }
    return (String(name), found)
  }

  func words(for schema: JSONNode) -> String {
    if let type = schema["type"]?.asString {
      guard type == "array", let items = schema["items"] else { return type }
      return "array of " + (resolved(items).name ?? words(for: items))
    }
    if let types = schema["type"]?.elements { return types.compactMap(\.asString).joined(separator: " or ") }
    if let choices = schema["anyOf"]?.elements {
      return choices.map { resolved($0).name ?? words(for: $0) }.joined(separator: " or ")
    }
    return "null"
  }
}

extension BodyShape {
  fileprivate var innerMembers: [Member]? {
    switch self {
    case .object(let members): members
    case .array(let element, _, _): element.innerMembers
    default: nil
    }
  }
}

/// Texts of ours in a page: what HTML would take for its own is written out.
private func escape(_ text: some StringProtocol) -> String {
  var escaped = ""
  for character in text.unicodeScalars {
    switch character {
    case "&": escaped += "&amp;"
    case "<": escaped += "&lt;"
    case ">": escaped += "&gt;"
    case "\"": escaped += "&quot;"
    default: escaped.unicodeScalars.append(character)
    }
  }
  return escaped
}

/// Words between backquotes are code.
private func prose(_ text: String) -> String {
  text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
    index.isMultiple(of: 2) ? escape(part) : "<code>\(escape(part))</code>"
  }.joined()
}

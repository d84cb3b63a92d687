import CLibPQ

/// Where and how to connect. Made from a URL or a libpq key=value string; everything fixed about a session is here.
package struct PostgresConfiguration: Sendable {
  /// One place to try.
  struct Host: Sendable, Hashable {
    /// A name, a numeric address, or the directory of a unix socket.
    let name: String
    /// A numeric address given beside the name, which saves the look-up.
    let address: String?
    let port: String
  }

  /// Hosts in the order given. libpq's own list is not used: it would look up names on the reactor's thread.
  let hosts: [Host]
  /// libpq parameters that hold for each host, such as user, dbname, password and sslmode.
  let parameters: [String: String]

  /// Shown in `pg_stat_activity`.
  package var applicationName = "chipbridge"
  /// The longest that one host may take to accept and authenticate.
  package var connectTimeout: Duration = .seconds(2)
  /// How long sent bytes may stay unacknowledged before the kernel gives the connection up.
  package var tcpUserTimeout: Duration = .seconds(5)
  /// The server's own limit of one statement; zero means none.
  package var statementTimeout: Duration = .seconds(30)
  /// The server's own limit of one wait for a lock; zero means none.
  package var lockTimeout: Duration = .seconds(5)
  /// The server ends a session that leaves a transaction open and idle for this long; zero means never.
  package var idleInTransactionTimeout: Duration = .seconds(60)
  /// A role taken after login by `set role`, so that one login serves readers and writers.
  package var role: String?
  /// The schemas searched, in order. Temporary tables are always last and so can never stand before a real one.
  package var searchPath = ["public"]
  /// Whether a server that refuses writes is passed over. False for readers, which may use a standby.
  package var requiresWritable = true

  /// Parses `postgres://` URLs and libpq strings, with several hosts and unix sockets (`?host=/directory`).
  ///
  /// - Throws: `.connectFailed` if libpq does not understand the text. The error's description does not quote it.
  package init(url: String) throws(PostgresError) {
    guard !url.utf8.contains(0) else { throw PostgresError(.connectFailed, "the connection string holds NUL") }
    var message: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(url, &message) else {
      let text = message.map { String(cString: $0) } ?? "out of memory"
      PQfreemem(message)
      throw PostgresError(.connectFailed, text)
    }
    defer { PQconninfoFree(options) }
    var found: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { found[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    hosts = try Self.hosts(
      names: found["host"], addresses: found["hostaddr"], ports: found["port"])
    if let name = found["application_name"] { applicationName = name }
    if let seconds = found["connect_timeout"].flatMap({ Int($0) }), seconds > 0, seconds < 86_400 {
      connectTimeout = .seconds(seconds)
    }
    if let milliseconds = found["tcp_user_timeout"].flatMap({ Int($0) }), milliseconds >= 0, milliseconds < 86_400_000 {
      tcpUserTimeout = .milliseconds(milliseconds)
    }
    if let attributes = found["target_session_attrs"] {
      requiresWritable = attributes == "read-write" || attributes == "primary"
    }
    for handled in [
      "host", "hostaddr", "port", "application_name", "connect_timeout", "tcp_user_timeout", "target_session_attrs",
      "client_encoding", "fallback_application_name",
    ] {
      found[handled] = nil
    }
    parameters = found
  }

  /// Pairs the comma-separated lists as libpq does: one port for all, or one for each host.
  private static func hosts(
    names: String?, addresses: String?, ports: String?
  ) throws(PostgresError) -> [Host] {
    func list(_ text: String?) -> [String] {
      (text ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let nameList = list(names)
    let addressList = list(addresses)
    let portList = list(ports)
    let hasNames = names.map { !$0.isEmpty } ?? false
    let hasAddresses = addresses.map { !$0.isEmpty } ?? false
    let count = hasNames ? nameList.count : max(addressList.count, 1)
    guard !hasNames || !hasAddresses || nameList.count == addressList.count else {
      throw PostgresError(.connectFailed, "as many hostaddr as host entries are needed")
    }
    guard portList.count <= 1 || portList.count == count else {
      throw PostgresError(.connectFailed, "one port, or as many as hosts, are needed")
    }
    return (0..<count).map { index in
      let address = hasAddresses && !addressList[index].isEmpty ? addressList[index] : nil
      let name = hasNames ? nameList[index] : address ?? ""
      let port = portList.count > 1 ? portList[index] : portList.first ?? ""
      return Host(name: name.isEmpty ? "/var/run/postgresql" : name, address: address, port: port)
    }
  }

  /// The keywords and values for one attempt.
  func attempt(_ host: Host, address: String?) -> [(String, String)] {
    var values = parameters.filter { !$0.value.isEmpty }
    values["host"] = host.name
    if let address { values["hostaddr"] = address }
    if !host.port.isEmpty { values["port"] = host.port }
    values["client_encoding"] = "UTF8"
    values["application_name"] = applicationName
    values["target_session_attrs"] = requiresWritable ? "read-write" : "any"
    values["tcp_user_timeout"] = String(tcpUserTimeout.wholeMilliseconds)
    // Kerberos encryption is probed for by default, which costs a look into the credential cache at every connect.
    if values["gssencmode"] == nil { values["gssencmode"] = "disable" }
    if values["keepalives_idle"] == nil { values["keepalives_idle"] = "10" }
    if values["keepalives_interval"] == nil { values["keepalives_interval"] = "3" }
    if values["keepalives_count"] == nil { values["keepalives_count"] = "3" }
    return values.map { ($0.key, $0.value) }
  }

  /// The schemas as one quoted setting.
  var searchPathSetting: String {
    (searchPath + ["pg_temp"]).map { name in
      "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }.joined(separator: ", ")
  }
}

extension Duration {
  /// Milliseconds, rounded down, within what PostgreSQL's settings can hold.
  var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    guard seconds >= 0 else { return 0 }
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    return Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}

import Parties
import Persistence
import Primitives

extension RowSet {
  var identityBinding: IdentityBinding {
    IdentityBinding(
      id: id(71), organizationID: borrower, issuer: "https://issuer.example/",
      subject: "subject-\(seed)-\(full ? "full" : "plain")", personID: some(id(1)),
      roles: full ? [.startup, .admin] : [],
      duties: full ? [.risk, .treasury] : [], scopes: full ? [KeyScope(.write), KeyScope(.read, of: "loans")] : [],
      expiresAt: some(later), revokedAt: some(now), createdBy: full ? .binding(id(72)) : .key(id(2)), version: version,
      createdAt: now)
  }
}

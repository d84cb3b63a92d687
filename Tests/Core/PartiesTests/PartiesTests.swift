import Parties
import Primitives
import Testing

@Suite("Parties")
struct PartiesTests {
  @Test("verification holds from the day it is given until the day before it expires")
  func verification() throws {
    let expiry = try #require(CalendarDate("2026-07-01"))
    let (before, after) = (try #require(expiry.adding(days: -1)), try #require(expiry.adding(days: 1)))
    let verified = Verification(state: .verified, expiresOn: expiry)
    #expect(verified.holds(on: before))
    #expect(!verified.holds(on: expiry))
    #expect(!verified.holds(on: after))
    #expect(Verification(state: .verified).holds(on: after))
  }

  @Test("an unverified or suspended organisation is never verified, whatever its dates say")
  func unverified() throws {
    for state in VerificationState.allCases where state != .verified {
      #expect(!Verification(state: state).holds(on: .earliest))
      #expect(!Verification(state: state, expiresOn: .latest).holds(on: .earliest))
    }
  }

  @Test("staff and auditors read everything; only staff act for the platform")
  func principals() {
    func principal(_ roles: Set<Role>) -> Principal {
      Principal(
        organizationID: OrganizationID(UUIDValue(high: 1, low: 1)), roles: roles, personID: nil,
        keyID: APIKeyID(UUIDValue(high: 2, low: 2)))
    }
    for role in Role.allCases {
      #expect(principal([role]).isStaff == (role == .admin), "\(role)")
      #expect(principal([role]).readsEverything == (role == .admin || role == .auditor), "\(role)")
    }
    #expect(!principal([]).isStaff && !principal([]).readsEverything)
    #expect(!principal([.lender, .startup]).readsEverything)
  }

  @Test("the platform's automation is staff of the platform and no person, so it never checks anyone's act")
  func automation() {
    #expect(Principal.automation.organizationID == .platform)
    #expect(Principal.automation.isStaff)
    #expect(Principal.automation.personID == nil)
    #expect(OrganizationID.platform.description == "org_00000000-0000-7000-8000-000000000001")
  }

  /// One of each case, with its kind, code, a part of its sentence, and its pointer.
  static let refusals: [(PartiesRefusal, RefusalKind, String, String, String?)] = [
    (.notFound("loan"), .notFound, "parties.not_found", "no such loan", nil),
    (.roleRequired([.startup, .lender]), .forbidden, "parties.role_required", "lender or startup", nil),
    (.notYours("offer"), .forbidden, "parties.not_yours", "this offer", nil),
    (.samePerson("reported it"), .forbidden, "parties.same_person", "reported it", nil),
    (.personRequired, .forbidden, "parties.person_required", "person_id", nil),
    (
      .illegalVerification(from: .suspended, act: "suspended"), .conflict, "parties.illegal_verification",
      "is suspended", nil
    ),
    (.ownersExceedWhole(10_001), .invalid, "parties.owners_exceed_whole", "10001 bps", "/owners"),
    (.notVerified("lender"), .conflict, "parties.not_verified", "The lender is not verified", nil),
    (.alreadyRevoked, .conflict, "parties.key_already_revoked", "already revoked", nil),
    (.staleVersion(given: 3, present: 5), .stale, "parties.stale_version", "version 3; the present version is 5", nil),
    (.rolesNotHeld(["auditor"]), .invalid, "parties.roles_not_held", "auditor", "/roles"),
    (.dutyRequired(.risk), .forbidden, "parties.duty_required", "duty risk", nil),
    (.scopeRequired(KeyScope(.read, of: "loans")), .forbidden, "auth.scope_required", "loans:read or read", nil),
    (.keyExpired, .conflict, "parties.key_expired", "has expired", nil),
    (.keyReplaced, .conflict, "parties.key_already_replaced", "in this one's place", nil),
    (.dutiesNotHeld(["treasury"]), .invalid, "parties.duties_not_held", "treasury", "/duties"),
    (.scopesNotHeld, .invalid, "parties.scopes_not_held", "within them", "/scopes"),
  ]

  @Test("each refusal has its kind, its stable code, a sentence with the facts, and a pointer", arguments: refusals)
  func refusal(refusal: PartiesRefusal, kind: RefusalKind, code: String, part: String, pointer: String?) {
    #expect(refusal.kind == kind)
    #expect(refusal.code == code)
    #expect(refusal.detail.contains(part), "\(refusal.detail)")
    #expect(refusal.pointer == pointer)
  }

  @Test("no two refusals share a code")
  func distinctCodes() {
    #expect(Set(Self.refusals.map(\.2)).count == Self.refusals.count)
  }
}

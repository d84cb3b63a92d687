/// The migrations and the seed data, carried in the binary, so that it runs from anywhere.
package enum Schema {
  /// Migrations in order: file name and SQL text.
  package static let migrations: [(name: String, sql: [UInt8])] = [
    ("0001_parties.sql", PackageResources._001_parties_sql),
    ("0002_catalogue.sql", PackageResources._002_catalogue_sql),
    ("0003_ledger.sql", PackageResources._003_ledger_sql),
    ("0004_lending.sql", PackageResources._004_lending_sql),
    ("0005_repayment.sql", PackageResources._005_repayment_sql),
    ("0006_operations.sql", PackageResources._006_operations_sql),
    ("0007_roles.sql", PackageResources._007_roles_sql),
    ("0008_rounds.sql", PackageResources._008_rounds_sql),
    ("0009_forward_lots.sql", PackageResources._009_forward_lots_sql),
    ("0010_loan_life.sql", PackageResources._010_loan_life_sql),
    ("0011_settlement.sql", PackageResources._011_settlement_sql),
    ("0012_rounds.sql", PackageResources._012_rounds_sql),
    ("0013_bank.sql", PackageResources._013_bank_sql),
    ("0014_claw_backs.sql", PackageResources._014_claw_backs_sql),
    ("0015_assignment.sql", PackageResources._015_assignment_sql),
    ("0016_currencies.sql", PackageResources._016_currencies_sql),
    ("0017_lateness.sql", PackageResources._017_lateness_sql),
    ("0018_valuation.sql", PackageResources._018_valuation_sql),
    ("0019_chip_quotes.sql", PackageResources._019_chip_quotes_sql),
    ("0020_lot_service.sql", PackageResources._020_lot_service_sql),
    ("0021_rule_packs.sql", PackageResources._021_rule_packs_sql),
    ("0022_fee_taxes.sql", PackageResources._022_fee_taxes_sql),
    ("0023_margin.sql", PackageResources._023_margin_sql),
    ("0024_claims_and_terms.sql", PackageResources._024_claims_and_terms_sql),
    ("0025_screening.sql", PackageResources._025_screening_sql),
    ("0026_runway.sql", PackageResources._026_runway_sql),
    ("0027_haircuts.sql", PackageResources._027_haircuts_sql),
    ("0028_identity.sql", PackageResources._028_identity_sql),
    ("0029_events.sql", PackageResources._029_events_sql),
    ("0030_audit_seals.sql", PackageResources._030_audit_seals_sql),
    ("0032_falls.sql", PackageResources._032_falls_sql),
    ("0033_identity_bindings.sql", PackageResources._033_identity_bindings_sql),
    ("0034_held_acts.sql", PackageResources._034_held_acts_sql),
  ]

  package static let chipModels: [UInt8] = PackageResources.chip_models_csv
  package static let exportRules: [UInt8] = PackageResources.export_rules_json
  package static let countryScope: [UInt8] = PackageResources.country_scope_csv
  package static let holidayCalendars: [UInt8] = PackageResources.holiday_calendars_json
}

/* What the Postgres target needs of libpq, and the few macros that Swift cannot import. */
#ifndef CHIPBRIDGE_CLIBPQ_SHIM_H
#define CHIPBRIDGE_CLIBPQ_SHIM_H

#include <libpq-fe.h>

/* Character-literal macros of postgres_ext.h, as plain integers. */
static const int cb_diag_severity = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int cb_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int cb_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int cb_diag_detail = PG_DIAG_MESSAGE_DETAIL;
static const int cb_diag_table = PG_DIAG_TABLE_NAME;
static const int cb_diag_column = PG_DIAG_COLUMN_NAME;
static const int cb_diag_constraint = PG_DIAG_CONSTRAINT_NAME;
static const int cb_diag_source_function = PG_DIAG_SOURCE_FUNCTION;

#endif

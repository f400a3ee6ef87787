/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_SERVER_SERVER_FACTS_H
#define ALOFT_SERVER_SERVER_FACTS_H

#include "store/db.h"

/* One row for each fact about the server itself. */

#define FACT_SETUP_CODE "setup_code_sha256" /**< Hash of the code that makes the first account. */

/** @param ret_value  The text, cut at `cap`. @retval ALOFT_ERR_NOT_FOUND  No sentence. */
ALOFT_MUST_CHECK
enum aloft_err server_facts_get(struct db *db, const char *name, char *ret_value, size_t cap,
                                struct error *e);

/** Add or replace it. */
ALOFT_MUST_CHECK
enum aloft_err server_facts_set(struct db *db, const char *name, const char *value,
                                struct error *e);

/** Not there is fine. */
ALOFT_MUST_CHECK
enum aloft_err server_facts_remove(struct db *db, const char *name, struct error *e);

#endif

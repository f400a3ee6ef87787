/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ALOFT_CATALOG_LINKS_H
#define ALOFT_CATALOG_LINKS_H

#include "catalog/catalog.h"

/*
 * The links of a snapshot. An unguessable link is a ticket, so it is looked up by a secret hash and
 * compared in constant time: how long the search takes tells nothing about what is there.
 */

struct link_list;

/** NULL when memory is out. */
struct link_list *link_list_new(void);
void link_list_free(struct link_list *list); /**< NULL is fine. */

/** As catalog_draft_add_link(), the texts are checked. */
ALOFT_MUST_CHECK
enum aloft_err link_list_add(struct link_list *list, const struct catalog_link_facts *facts,
                             struct error *e);

/**
 * Put them in order and look up their files; afterwards nothing may be added.
 *
 * @retval ALOFT_ERR_DUPLICATE  Two have the same short name.
 */
ALOFT_MUST_CHECK
enum aloft_err link_list_finish(struct link_list *list, const struct catalog_snapshot *snapshot,
                                struct error *e);

/** NULL if there is none. */
const struct catalog_link *link_list_find(const struct link_list *list, const char *short_name,
                                          size_t len);

#endif

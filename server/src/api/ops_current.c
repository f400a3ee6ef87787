/* SPDX-License-Identifier: Apache-2.0 */

/* The current version of a product: what a module gets when it names none. */

#include "api/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "store/current.h"
#include "store/roms.h"

static json_t *choice_to_json(const struct current_choice *c)
{
    return json_pack("{s:I, s:s?, s:s, s:I}", "id", (json_int_t)c->id, "version",
                     or_null(c->version), "chosen_by", c->chosen_by, "chosen_ms",
                     (json_int_t)c->chosen_ms);
}

static json_t *current_to_json(const struct current_choice *c)
{
    return json_pack("{s:s?, s:s?, s:o}", "version", or_null(c->version), "chosen_by",
                     or_null(c->chosen_by), "chosen_ms",
                     c->id ? json_integer(c->chosen_ms) : json_null());
}

static void op_current_get(struct request *request)
{
    struct current_choice choice;
    struct error e = {0};

    if (current_get(request->api->db, request->product.id, &choice, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    request->revision = choice.id;
    answer_json(request, MHD_HTTP_OK, current_to_json(&choice));
}

static enum aloft_err append_choice(void *ctx, const struct current_choice *choice, struct error *e)
{
    return append_json(ctx, choice_to_json(choice), e);
}

static void key_of_choice(const json_t *item, char *key, size_t cap)
{
    (void)snprintf(key, cap, "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(item, "id")));
}

static void op_history_list(struct request *request)
{
    struct error e = {0};
    struct page page;

    if (!page_read(request, &page)) {
        return;
    }
    int64_t below_id = strtoll(page.after, NULL, 10);
    if (page.after[0] && below_id <= 0) {
        answer_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
                     "the cursor is none that was given here; begin with the first page");
        return;
    }
    json_t *list = json_array();
    if (current_each(request->api->db, request->product.id, below_id, page.limit + 1, append_choice,
                     list, &e) != ALOFT_ERR_OK) {
        json_decref(list);
        answer_failure(request, &e);
        return;
    }
    page_answer(request, &page, "choices", list, key_of_choice);
}

/* Somebody chooses: within the transaction that does it. False = answered. */
static bool begin_choice(struct request *request, struct db **tx, struct current_choice *choice)
{
    struct current_choice last;
    struct error e = {0};

    if (!change_begin(request, tx)) {
        return false;
    }
    if (current_get(*tx, request->product.id, &last, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return false;
    }
    *choice = (struct current_choice){.chosen_ms = clock_wall_ms()};
    (void)snprintf(choice->chosen_by, sizeof choice->chosen_by, "%s", request->principal.name);
    return change_matches(request, last.id);
}

/* It is chosen, or could not be. */
static void end_choice(struct request *request, struct db **tx, enum aloft_err err, struct error *e)
{
    struct current_choice now;

    if (err == ALOFT_ERR_OK) {
        err = current_get(*tx, request->product.id, &now, e);
    }
    if (err != ALOFT_ERR_OK) {
        answer_failure(request, e);
        return;
    }
    const struct change change = {.action = now.version[0] ? "rom.chosen" : "rom.unchosen",
                                  .object = now.version[0] ? now.version
                                                           : request->product.current_version,
                                  .is_catalog = true};
    request->revision = now.id;
    change_end(request, tx, &change, MHD_HTTP_OK, current_to_json(&now));
}

static void op_current_set(struct request *request)
{
    static const struct json_member members[] = {
        {"version", JSON_STRING, true},
        {NULL, JSON_NULL, false},
    };
    AUTO_TRANSACTION tx = NULL;
    struct current_choice choice;
    struct error e = {0};

    if (check_members(request, request->json, members) && begin_choice(request, &tx, &choice) &&
        take_word(request, "version", choice.version, sizeof choice.version)) {
        end_choice(request, &tx, current_choose(tx, request->product.id, &choice, &e), &e);
    }
}

static void op_current_remove(struct request *request)
{
    AUTO_TRANSACTION tx = NULL;
    struct current_choice choice;
    struct error e = {0};

    if (begin_choice(request, &tx, &choice)) {
        end_choice(request, &tx, current_choose(tx, request->product.id, &choice, &e), &e);
    }
}

static void op_current_back(struct request *request)
{
    AUTO_TRANSACTION tx = NULL;
    struct current_choice choice;
    struct error e = {0};

    if (begin_choice(request, &tx, &choice)) {
        enum aloft_err err = current_back(tx, request->product.id, &choice, &e);
        if (err == ALOFT_ERR_NOT_FOUND) { /* the product is there: the way is not */
            answer_error(request, MHD_HTTP_CONFLICT, "no_way_back", "%s", e.sentence);
            return;
        }
        end_choice(request, &tx, err, &e);
    }
}

static const char *const page_query[] = {PAGE_QUERY, NULL};

/* clang-format off */
const struct api_route current_routes[] = {
    {"GET", API_PRODUCT "/current", API_BODY_NONE, API_VIEWER, op_current_get, NULL, NULL, 0, false},
    {"PUT", API_PRODUCT "/current", API_BODY_JSON, API_OPERATOR, op_current_set, NULL, NULL, 0, false},
    {"DELETE", API_PRODUCT "/current", API_BODY_NONE, API_OPERATOR, op_current_remove, NULL, NULL, 0, false},
    {"POST", API_PRODUCT "/current/back", API_BODY_NONE, API_OPERATOR, op_current_back, NULL, NULL, 0, false},
    {"GET", API_PRODUCT "/current/history", API_BODY_NONE, API_VIEWER, op_history_list, page_query, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */

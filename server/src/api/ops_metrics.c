/* SPDX-License-Identifier: Apache-2.0 */

/* What monitoring reads. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api/metrics_text.h"
#include "api/ops.h"
#include "host/auto.h"
#include "host/network.h"
#include "store/counts.h"

#define MS_PER_S  1000
#define DATABASES 2 /* the database and its log of changes */

/* Monitoring on this machine, if the operator wants it so; else like everything else. */
static bool may_read(struct request *r)
{
    struct networks loopback;
    enum role role = r->principal.only_product ? ROLE_NONE : r->principal.role;

    if (r->settings.is_metrics_open &&
        networks_parse("127.0.0.0/8,::1", &loopback, NULL) == ALOFT_ERR_OK &&
        networks_hold_text(&loopback, r->address)) {
        return true;
    }
    if (r->principal.kind == PRINCIPAL_NOBODY) {
        answer_error(r, MHD_HTTP_UNAUTHORIZED, "unauthorized",
                     "this needs a session, or 'Authorization: Bearer <API token>'; the setting "
                     "metrics_open opens it to programs on this machine");
    } else if (role < ROLE_VIEWER) {
        answer_error(r, MHD_HTTP_FORBIDDEN, "forbidden",
                     "this needs the role viewer for every product: ask an admin for it");
    }
    return r->status == 0;
}

static void put_contacts(FILE *out, const struct contact_counts *counts)
{
    static const char name[] = "aloft_contacts_total";

    metrics_family(out, name, "counter", "Contacts of modules by kind and outcome.");
    for (size_t kind = 0; kind < N_CONTACT_KINDS; kind++) {
        for (size_t outcome = 0; outcome < N_CONTACT_OUTCOMES; outcome++) {
            const struct metrics_label labels[] = {
                {"kind", contact_kind_text((enum contact_kind)kind)},
                {"outcome", contact_outcome_text((enum contact_outcome)outcome)},
                {NULL, NULL},
            };
            if (counts->n[kind][outcome]) {
                metrics_sample(out, name, labels, counts->n[kind][outcome]);
            }
        }
    }
}

static void put_attempts(FILE *out, const struct api_module_facts *facts)
{
    static const char name[] = "aloft_attempts_total";

    metrics_family(out, name, "counter", "Attempts that came into a state, by their cause.");
    for (size_t i = 0; i < facts->n_attempts; i++) {
        const struct metrics_label labels[] = {
            {"state", facts->attempts[i].state},
            {"cause", facts->attempts[i].cause},
            {NULL, NULL},
        };
        metrics_sample(out, name, labels, facts->attempts[i].n);
    }
}

static void put_module_plane(FILE *out, struct api *api)
{
    struct api_module_facts facts = {0};

    api->read_modules(api->modules_ctx, &facts);
    put_contacts(out, &facts.counts);
    put_attempts(out, &facts);
    metrics_single(out, "aloft_file_sent_bytes_total", "counter",
                   "Bytes of files handed to the kernel.", facts.counts.sent_bytes);
    metrics_single(out, "aloft_file_acked_bytes_total", "counter",
                   "Bytes of files that modules have acknowledged.", facts.counts.acked_bytes);
    metrics_single(out, "aloft_downloads_running", "gauge", "Downloads under way.",
                   facts.n_downloads);
    metrics_single(out, "aloft_contacts_dropped_total", "counter",
                   "Contacts not written down because the writer was behind.",
                   facts.n_contacts_dropped);
}

static void put_api(FILE *out, struct api *api)
{
    static const char name[] = "aloft_api_requests_total";
    static const char *const classes[API_STATUS_CLASSES] = {"1xx", "2xx", "3xx", "4xx", "5xx"};

    metrics_family(out, name, "counter", "Requests of people and programs by status.");
    for (size_t i = 0; i < API_STATUS_CLASSES; i++) {
        const struct metrics_label labels[] = {{"status", classes[i]}, {NULL, NULL}};
        metrics_sample(out, name, labels, atomic_load(&api->n_answers[i]));
    }
}

static void put_store(FILE *out, const struct store_counts *c)
{
    const struct {
        const char *name;
        const char *help;
        int64_t value;
    } rows[] = {
        {"aloft_products", "Products.", c->n_products},
        {"aloft_roms", "ROMs.", c->n_roms},
        {"aloft_devices", "Devices, with those known by their address alone.", c->n_devices},
        {"aloft_accounts", "Accounts.", c->n_accounts},
        {"aloft_webhook_deliveries_waiting", "Deliveries of webhooks not done yet.",
         c->n_deliveries_waiting},
        {"aloft_webhook_deliveries_failed", "Deliveries of webhooks given up.",
         c->n_deliveries_failed},
        {"aloft_blob_bytes", "Bytes of all files and uploads.", c->blob_bytes},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metrics_single(out, rows[i].name, "gauge", rows[i].help, (uint64_t)rows[i].value);
    }
}

static uint64_t database_bytes(const struct api *api)
{
    static const char *const files[DATABASES] = {"aloft.db", "aloft.db-wal"};
    uint64_t sum = 0;

    for (size_t i = 0; i < DATABASES; i++) {
        AUTO_FREE char *path = NULL;
        struct stat st;
        if (asprintf(&path, "%s/%s", api->data_path, files[i]) >= 0 && stat(path, &st) == 0) {
            sum += (uint64_t)st.st_size;
        }
    }
    return sum;
}

static void op_metrics(struct request *request)
{
    static const struct metrics_label build[] = {{"version", ALOFT_PROGRAM_VERSION}, {NULL, NULL}};
    struct api *api = request->api;
    struct store_counts counts = {0};
    struct error e = {0};
    char *text = NULL;
    size_t len = 0;

    if (!may_read(request)) {
        return;
    }
    if (store_counts_read(api->db, &counts, &e) != ALOFT_ERR_OK) {
        answer_failure(request, &e);
        return;
    }
    FILE *out = open_memstream(&text, &len);
    if (!out) {
        answer_text(request, MHD_HTTP_OK, METRICS_CONTENT_TYPE, NULL);
        return;
    }
    metrics_family(out, "aloft_build_info", "gauge", "Always 1; the version is the label.");
    metrics_sample(out, "aloft_build_info", build, 1);
    metrics_single(out, "process_start_time_seconds", "gauge", "Start of the server since 1970.",
                   (uint64_t)(api->started_ms / MS_PER_S));
    put_module_plane(out, api);
    put_api(out, api);
    put_store(out, &counts);
    metrics_single(out, "aloft_database_bytes", "gauge", "Size of the database file and its log.",
                   database_bytes(api));
    bool is_whole = ferror(out) == 0;
    is_whole = fclose(out) == 0 && is_whole;
    if (!is_whole) {
        free(STEAL(text));
    }
    answer_text(request, MHD_HTTP_OK, METRICS_CONTENT_TYPE, text);
}

/* clang-format off */
const struct api_route metrics_routes[] = {
    {"GET", "/metrics", API_BODY_NONE, API_OPEN, op_metrics, NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */

/* SPDX-License-Identifier: Apache-2.0 */

/* For those who watch the server: is the process there, and can it do its work? */

#include <stdio.h>
#include <sys/statvfs.h>

#include "api/ops.h"
#include "store/events.h"

#define DISK_RESERVE_BYTES (UINT64_C(64) * 1024 * 1024)

static void op_healthz(struct request *request)
{
    answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"));
}

static bool has_database(struct api *api)
{
    struct error e = {0};
    int64_t id;

    return events_last(api->db, &id, &e) == ALOFT_ERR_OK;
}

static bool has_catalog(struct api *api)
{
    return atomic_load(&api->is_published);
}

static bool has_module_plane(struct api *api)
{
    struct api_module_facts facts = {0};

    api->read_modules(api->modules_ctx, &facts);
    return facts.is_listening;
}

static bool has_disk(struct api *api)
{
    struct statvfs fs;

    return statvfs(api->data_path, &fs) == 0 &&
           (uint64_t)fs.f_bavail * fs.f_frsize >= DISK_RESERVE_BYTES;
}

static void op_readyz(struct request *request)
{
    static const struct {
        bool (*is_there)(struct api *api);
        const char *missing;
    } rows[] = {
        {has_database, "the database does not answer"},
        {has_catalog, "the last change could not be published to the module plane"},
        {has_module_plane, "the module plane is not listening"},
        {has_disk, "less than 64 MiB of the disk are free"},
    };
    char missing[ERROR_SENTENCE_BYTES] = "";
    size_t used = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].is_there(request->api) && used < sizeof missing) {
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s",
                                     used ? "; " : "", rows[i].missing);
        }
    }
    if (used) {
        answer_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "not_ready", "%s", missing);
    } else {
        answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "ready"));
    }
}

/* clang-format off */
const struct api_route health_routes[] = {
    {"GET", "/healthz", API_BODY_NONE, API_OPEN, op_healthz, NULL, NULL, 0, false},
    {"GET", "/readyz",  API_BODY_NONE, API_OPEN, op_readyz,  NULL, NULL, 0, false},
    API_ROUTES_END,
};
/* clang-format on */

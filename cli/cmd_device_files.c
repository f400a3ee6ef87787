/* SPDX-License-Identifier: Apache-2.0 */

/* aloft device add, import, export: one device, or many by files. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "commands.h"
#include "host/auto.h"
#include "host/csv.h"
#include "host/files.h"
#include "token_cmds.h"

#define IMPORT_BYTES_MAX (128u * 1024 * 1024)
#define IMPORT_GROUP     1000 /* rows of one request, all or none */
#define COLUMNS_MAX      32

static int take_number(const struct opt_values *v, const char *option, json_t *body)
{
    const char *text = opt_text(v, option);
    char *end;

    if (!text) {
        return EXIT_DONE;
    }
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || *end || end == text) {
        return usage_error("--%s takes a number", option);
    }
    return json_object_set_new(body, option, json_integer(number)) == 0 ? EXIT_DONE
                                                                        : failure("out of memory");
}

static int print_added(const struct opt_values *v, const json_t *device)
{
    char row[1024];
    struct csv_writer w = {row, sizeof row, 0, false, true};

    if (!opt_has(v, "csv")) {
        return print_one(v, device);
    }
    csv_write_cell(&w, client_text(device, "device"));
    csv_write_cell(&w, client_text(device, "serial"));
    csv_write_cell(&w, client_text(device, "token"));
    csv_write_cell(&w, client_text(device, "token_tls"));
    csv_end_row(&w);
    (void)printf("device,serial,token,token_tls\r\n%.*s", (int)w.len, row);
    return EXIT_DONE;
}

static int add_one(const struct opt_values *v, struct client *client)
{
    static const char *const options[] = {"serial",    "note",        "token",
                                          "token-tls", "make-tokens", NULL};
    static const char *const of_batches[] = {"prefix", "serial-prefix", "start", NULL};
    AUTO_JSON body = json_object();
    AUTO_JSON device = NULL;
    AUTO_FREE char *path =
        client_path(client, (const char *const[]){opt_text(v, "product"), "devices", NULL});

    for (size_t i = 0; of_batches[i]; i++) {
        if (opt_text(v, of_batches[i])) {
            return usage_error("--%s goes with --count", of_batches[i]);
        }
    }
    int rc = take_options(v, options, body);
    if (rc == EXIT_DONE &&
        json_object_set_new(body, "device", json_string(opt_text(v, "device"))) != 0) {
        return failure("the name is not valid UTF-8");
    }
    if (rc == EXIT_DONE) {
        rc = path ? client_call(client, "POST", path, body, &device) : failure("out of memory");
    }
    return rc == EXIT_DONE ? print_added(v, device) : rc;
}

static int add_batch(const struct opt_values *v, struct client *client)
{
    static const char *const options[] = {"prefix", "serial-prefix", "note", "make-tokens", NULL};
    static const char *const of_one[] = {"device", "serial", "token", "token-tls", NULL};
    AUTO_JSON body = json_object();
    AUTO_FREE char *path = client_path(
        client, (const char *const[]){opt_text(v, "product"), "devices", "batch", NULL});

    for (size_t i = 0; of_one[i]; i++) {
        if (opt_text(v, of_one[i])) {
            return usage_error("with --count, names, serials and tokens are made: take away '%s'",
                               of_one[i]);
        }
    }
    if (opt_has(v, "json")) {
        return usage_error("a batch is printed as CSV, not as JSON");
    }
    int rc = take_number(v, "count", body);
    if (rc == EXIT_DONE) {
        rc = take_number(v, "start", body);
    }
    if (rc == EXIT_DONE) {
        rc = take_options(v, options, body);
    }
    if (rc == EXIT_DONE) {
        rc = path ? client_fetch(client, "POST", path, body, stdout) : failure("out of memory");
    }
    return rc;
}

static int run_add(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    bool is_batch = opt_text(v, "count") != NULL;

    if (!is_batch && !opt_text(v, "device")) {
        return usage_error("give the device's name, or --count N for a batch");
    }
    int rc = client_open(v, &client);
    if (rc != EXIT_DONE) {
        return rc;
    }
    return is_batch ? add_batch(v, client) : add_one(v, client);
}

static const struct opt add_opts[] = {
    {OPT_POSITIONAL, "device", "DEVICE", "Its name, when it is one.", false, false},
    {OPT_VALUE, "product", "NAME", "Whose device.", true, false},
    {OPT_VALUE, "serial", "TEXT", "What is printed on it.", false, false},
    {OPT_VALUE, "note", "TEXT", "In your words.", false, false},
    {OPT_VALUE, "token", "HEX", "Its own token; default a new one.", false, false},
    {OPT_VALUE, "token-tls", "HEX", "The same for TLS.", false, false},
    {OPT_VALUE, "make-tokens", "MODE", "Make them for plain, tls, both (default), none.", false,
     false},
    {OPT_VALUE, "count", "N", "A batch of up to 100000 devices.", false, false},
    {OPT_VALUE, "prefix", "TEXT", "Of the names of a batch; default the product's and a dash.",
     false, false},
    {OPT_VALUE, "serial-prefix", "TEXT", "The same for serials; default none.", false, false},
    {OPT_VALUE, "start", "N", "First number of a batch; default one not used yet.", false, false},
    {OPT_FLAG, "csv", NULL, "Print CSV: device,serial,token,token_tls. A batch always is.", false,
     false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_device_add = {
    "device",
    "add",
    "Register a device, or a batch for the factory line.",
    "All devices of a batch are registered, or none.",
    add_opts,
    run_add,
};

/* Import. */

static const char *const taken[] = {"device", "serial", "note", "token", "token_tls"};
#define N_TAKEN (sizeof taken / sizeof taken[0])

struct import {
    const char *file;
    struct client *client;
    char *path;
    struct csv_reader reader;
    int columns[COLUMNS_MAX]; /* which of `taken`; -1 = passed over */
    size_t n_columns;
    json_t *rows; /* of the group */
    unsigned long lines[IMPORT_GROUP];
    json_int_t n_added;
    json_int_t n_unchanged;
};

static int read_heading(struct import *i)
{
    char *cells[COLUMNS_MAX];
    struct error e = {0};
    bool has_name = false;

    if (csv_read_row(&i->reader, cells, COLUMNS_MAX, &i->n_columns, &e) != ALOFT_ERR_OK) {
        return failure("'%s': %s", i->file, e.sentence[0] ? e.sentence : "it is empty");
    }
    for (size_t c = 0; c < i->n_columns; c++) {
        i->columns[c] = -1;
        for (size_t k = 0; k < N_TAKEN; k++) {
            if (strcmp(cells[c], taken[k]) == 0) {
                i->columns[c] = (int)k;
                has_name |= k == 0;
            }
        }
    }
    return has_name ? EXIT_DONE
                    : failure("'%s': the first line names the columns; 'device' is missing, and "
                              "serial, note, token and token_tls may be there",
                              i->file);
}

/* Which row of the group the server means, as a line of the file. */
static void explain(const struct import *i)
{
    unsigned row = 0;

    if (sscanf(client_detail(i->client), "row %u:", &row) == 1 && row >= 1 &&
        row <= json_array_size(i->rows)) {
        (void)failure("that is line %lu of '%s'", i->lines[row - 1], i->file);
    }
    (void)failure("the rows from line %lu on were not imported; those before stand. Correct the "
                  "file and import it again: what is there already is passed over",
                  i->lines[0]);
}

static int send_group(struct import *i)
{
    AUTO_JSON answer = NULL;

    if (json_array_size(i->rows) == 0) {
        return EXIT_DONE;
    }
    AUTO_JSON body = json_pack("{s:O}", "devices", i->rows);
    int rc = client_call(i->client, "POST", i->path, body, &answer);
    if (rc != EXIT_DONE) {
        explain(i);
        return rc;
    }
    i->n_added += json_integer_value(json_object_get(answer, "added"));
    i->n_unchanged += json_integer_value(json_object_get(answer, "unchanged"));
    (void)json_array_clear(i->rows);
    if (isatty(STDERR_FILENO)) {
        (void)fprintf(stderr, "\rline %lu, %" JSON_INTEGER_FORMAT " imported", i->reader.line,
                      i->n_added);
    }
    return EXIT_DONE;
}

static int take_row(struct import *i, char *const *cells, size_t n_cells)
{
    AUTO_JSON row = json_object();

    if (n_cells != i->n_columns) {
        return failure("'%s': line %lu has %zu values, the heading has %zu", i->file,
                       i->reader.line, n_cells, i->n_columns);
    }
    for (size_t c = 0; c < n_cells; c++) {
        if (i->columns[c] >= 0 &&
            json_object_set_new(row, taken[i->columns[c]], json_string(cells[c])) != 0) {
            return failure("'%s': line %lu is not valid UTF-8", i->file, i->reader.line);
        }
    }
    i->lines[json_array_size(i->rows)] = i->reader.line;
    return json_array_append(i->rows, row) == 0 ? EXIT_DONE : failure("out of memory");
}

static int import_rows(struct import *i)
{
    char *cells[COLUMNS_MAX];
    size_t n_cells;
    struct error e = {0};
    enum aloft_err err;
    int rc = EXIT_DONE;

    while ((err = csv_read_row(&i->reader, cells, COLUMNS_MAX, &n_cells, &e)) == ALOFT_ERR_OK) {
        rc = take_row(i, cells, n_cells);
        if (rc == EXIT_DONE && json_array_size(i->rows) == IMPORT_GROUP) {
            rc = send_group(i);
        }
        if (rc != EXIT_DONE) {
            return rc;
        }
    }
    return err == ALOFT_ERR_NOT_FOUND ? send_group(i) : failure("'%s': %s", i->file, e.sentence);
}

static int run_import(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;
    AUTO_FREE uint8_t *data = NULL;
    AUTO_JSON rows = json_array();
    size_t len = 0;
    struct error e = {0};
    struct import i = {.file = opt_text(v, "file"), .rows = rows};
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    if (file_load(i.file, IMPORT_BYTES_MAX, &data, &len, &e) != ALOFT_ERR_OK) {
        return failure("%s", e.sentence);
    }
    AUTO_FREE char *path = client_path(
        client, (const char *const[]){opt_text(v, "product"), "devices", "import", NULL});
    i.client = client;
    i.path = path;
    i.reader = (struct csv_reader){.next = (char *)data, .end = (char *)data + len};
    rc = path ? read_heading(&i) : failure("out of memory");
    if (rc == EXIT_DONE) {
        rc = import_rows(&i);
    }
    if (isatty(STDERR_FILENO)) {
        (void)fputc('\n', stderr);
    }
    if (rc == EXIT_DONE && opt_has(v, "json")) {
        AUTO_JSON counts = json_pack("{s:I, s:I}", "added", i.n_added, "unchanged", i.n_unchanged);
        return client_print_json(counts);
    }
    if (rc == EXIT_DONE) {
        (void)printf("%" JSON_INTEGER_FORMAT " added, %" JSON_INTEGER_FORMAT " were there\n",
                     i.n_added, i.n_unchanged);
    }
    return rc;
}

static const struct opt import_opts[] = {
    {OPT_POSITIONAL, "file", "FILE", "CSV whose first line names the columns.", true, false},
    {OPT_VALUE, "product", "NAME", "Whose devices.", true, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_device_import = {
    "device",
    "import",
    "Register devices with tokens that are in the field already.",
    "Columns: device, and if you like serial, note, token, token_tls; others are passed over. "
    "Rows\n"
    "go to the server by the thousand, each thousand all or none. Importing a file again passes\n"
    "over what is there as it stands.",
    import_opts,
    run_import,
};

static int run_export(const struct opt_values *v)
{
    AUTO_CLIENT client = NULL;

    if (opt_has(v, "json")) {
        return usage_error("an export is CSV; 'aloft device ls --json' prints JSON");
    }
    int rc = client_open(v, &client);

    if (rc != EXIT_DONE) {
        return rc;
    }
    AUTO_FREE char *path =
        client_path(client, (const char *const[]){opt_text(v, "product"), "devices.csv", NULL});
    return path ? client_fetch(client, "GET", path, NULL, stdout) : failure("out of memory");
}

static const struct opt export_opts[] = {
    {OPT_VALUE, "product", "NAME", "Whose devices.", true, false},
    CLIENT_OPTS,
    OPT_END,
};

const struct cli_command cmd_device_export = {
    "device",
    "export",
    "Print all devices of a product as CSV.",
    "Tokens are there for those who may know them (role operator); 'aloft device import' takes "
    "the\n"
    "file. A value that a spreadsheet would run as a formula has an apostrophe before it.",
    export_opts,
    run_export,
};

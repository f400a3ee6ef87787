/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/passwords.h"
#include "account/principal.h"
#include "account/setup.h"
#include "store/api_tokens.h"
#include "store/grants.h"
#include "store/invitations.h"
#include "store/products.h"
#include "store/sessions.h"

#define SECRET "5555555555555555555555555555555555555555555555555555555555555555"
#define CODE   "66666666666666666666666666666666"
#define HOUR   INT64_C(3600000)

struct fixture {
    char dir[256];
    char file[300];
    struct db *db;
    struct account ann;
    struct product lamp;
    struct product fan;
};

static void add_product(struct fixture *f, struct product *p, const char *name, char digit)
{
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    (void)snprintf(p->layout, sizeof p->layout, "esp32c3_default");
    memset(p->token, digit, ALOFT_TOKEN_CHARS);
    memset(p->token_tls, digit, ALOFT_TOKEN_CHARS);
    assert_err(products_add(f->db, p, NULL), ALOFT_ERR_OK);
}

static struct account make(const char *name, enum role role)
{
    struct account a = {.role = role, .is_active = true, .created_ms = 1};

    (void)snprintf(a.name, sizeof a.name, "%s", name);
    (void)snprintf(a.password, sizeof a.password, "hash of %s", name);
    return a;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    if (!f || store_world_open(f->dir, &f->db) != 0) {
        return -1;
    }
    (void)snprintf(f->file, sizeof f->file, "%s/setup-code", f->dir);
    f->ann = make("ann", ROLE_VIEWER);
    assert_err(accounts_add(f->db, &f->ann, NULL), ALOFT_ERR_OK);
    add_product(f, &f->lamp, "lamp", '1');
    add_product(f, &f->fan, "fan", '2');
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    store_world_close(f->dir, f->db);
    free(f);
    return 0;
}

static int64_t count(struct fixture *f, const char *sql)
{
    int64_t n = -1;

    assert_err(db_query_int(f->db, sql, NULL, &n, NULL), ALOFT_ERR_OK);
    return n;
}

/* -- accounts ---------------------------------------------------------------------------------- */

static void account__is_kept_as_it_was_added_and_changed(void **state)
{
    struct fixture *f = *state;
    struct account again = make("ann", ROLE_NONE);
    struct account a;

    assert_err(accounts_add(f->db, &again, NULL), ALOFT_ERR_DUPLICATE);
    f->ann.role = ROLE_OPERATOR;
    f->ann.is_active = false;
    assert_err(accounts_update(f->db, &f->ann, NULL), ALOFT_ERR_OK);
    assert_err(accounts_note_sign_in(f->db, f->ann.id, 7, NULL), ALOFT_ERR_OK);
    assert_err(accounts_get(f->db, "ann", &a, NULL), ALOFT_ERR_OK);
    assert_int_equal(a.role, ROLE_OPERATOR);
    assert_false(a.is_active);
    assert_int_equal(a.revision, 2);
    assert_int_equal(a.signed_in_ms, 7);
    assert_string_equal(a.password, "hash of ann");
    assert_err(accounts_get(f->db, "Ann", &a, NULL), ALOFT_ERR_NOT_FOUND);
}

static void admins__are_counted_while_they_are_active(void **state)
{
    struct fixture *f = *state;
    struct account root = make("root", ROLE_ADMIN);
    int64_t n = -1;

    assert_err(accounts_count_admins(f->db, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 0);
    assert_err(accounts_add(f->db, &root, NULL), ALOFT_ERR_OK);
    assert_err(accounts_count_admins(f->db, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 1);
    root.is_active = false;
    assert_err(accounts_update(f->db, &root, NULL), ALOFT_ERR_OK);
    assert_err(accounts_count_admins(f->db, &n, NULL), ALOFT_ERR_OK);
    assert_int_equal(n, 0);
}

static void account__takes_along_what_is_its_own_when_it_is_removed(void **state)
{
    struct fixture *f = *state;
    const struct session session = {.account_id = f->ann.id, .created_ms = 1, .expires_ms = HOUR};
    const struct api_token token = {.account_id = f->ann.id, .name = "ci", .role = ROLE_VIEWER};
    int64_t id;

    assert_err(sessions_add(f->db, &session, SECRET, NULL), ALOFT_ERR_OK);
    assert_err(api_tokens_add(f->db, &token, SECRET, &id, NULL), ALOFT_ERR_OK);
    assert_err(grants_set(f->db, f->ann.id, f->lamp.id, ROLE_ADMIN, NULL), ALOFT_ERR_OK);
    assert_err(accounts_remove(f->db, f->ann.id, NULL), ALOFT_ERR_OK);
    assert_int_equal(count(f, "SELECT (SELECT count(*) FROM session) + (SELECT count(*) FROM "
                              "api_token) + (SELECT count(*) FROM product_grant)"),
                     0);
    struct account again = make("ann", ROLE_NONE);
    assert_err(accounts_add(f->db, &again, NULL), ALOFT_ERR_OK);
    assert_true(again.id > f->ann.id);
}

/* -- roles ------------------------------------------------------------------------------------- */

static void assert_role(struct fixture *f, const struct principal *p, const struct product *product,
                        enum role wanted)
{
    enum role role;

    assert_err(principal_role(f->db, p, product->id, &role, NULL), ALOFT_ERR_OK);
    assert_int_equal(role, wanted);
}

static void role__is_the_greater_of_the_accounts_and_the_grant_within_the_scope(void **state)
{
    struct fixture *f = *state;
    struct principal p = {.account_id = f->ann.id, .role = ROLE_VIEWER, .cap = ROLE_ADMIN};

    assert_err(grants_set(f->db, f->ann.id, f->lamp.id, ROLE_OPERATOR, NULL), ALOFT_ERR_OK);
    assert_role(f, &p, &f->lamp, ROLE_OPERATOR);
    assert_role(f, &p, &f->fan, ROLE_VIEWER);
    p.cap = ROLE_DEVELOPER;
    assert_role(f, &p, &f->lamp, ROLE_DEVELOPER);
    p.only_product = f->fan.id;
    assert_role(f, &p, &f->lamp, ROLE_NONE);
    assert_role(f, &p, &f->fan, ROLE_VIEWER);
    assert_err(grants_remove(f->db, f->ann.id, f->lamp.id, NULL), ALOFT_ERR_OK);
    assert_err(grants_remove(f->db, f->ann.id, f->lamp.id, NULL), ALOFT_ERR_NOT_FOUND);
}

/* -- sessions ---------------------------------------------------------------------------------- */

static void session__is_known_by_its_secret_until_it_ends(void **state)
{
    struct fixture *f = *state;
    const struct session session = {
        .account_id = f->ann.id, .csrf = "c", .created_ms = 1, .expires_ms = HOUR};
    struct principal p;

    assert_err(sessions_add(f->db, &session, SECRET, NULL), ALOFT_ERR_OK);
    assert_err(principal_by_session(f->db, SECRET, 2, HOUR, &p, NULL), ALOFT_ERR_OK);
    assert_int_equal(p.kind, PRINCIPAL_SESSION);
    assert_string_equal(p.name, "ann");
    assert_string_equal(p.csrf, "c");
    assert_int_equal(p.role, ROLE_VIEWER);
    assert_err(principal_by_session(f->db, CODE, 2, HOUR, &p, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(principal_by_session(f->db, SECRET, HOUR, HOUR, &p, NULL), ALOFT_ERR_NOT_FOUND);
    assert_int_equal(count(f, "SELECT count(*) FROM session WHERE sha256 = '" SECRET "'"), 0);
}

static void session__lasts_on_while_it_is_used_noted_once_a_minute(void **state)
{
    struct fixture *f = *state;
    const struct session session = {.account_id = f->ann.id, .created_ms = 1, .expires_ms = HOUR};
    struct principal p;

    assert_err(sessions_add(f->db, &session, SECRET, NULL), ALOFT_ERR_OK);
    assert_err(principal_by_session(f->db, SECRET, 59999, HOUR, &p, NULL), ALOFT_ERR_OK);
    assert_int_equal(count(f, "SELECT expires_ms FROM session"), HOUR);
    assert_err(principal_by_session(f->db, SECRET, 60000, HOUR, &p, NULL), ALOFT_ERR_OK);
    assert_int_equal(count(f, "SELECT expires_ms FROM session"), HOUR + 60000);
}

static void session__of_an_account_that_may_not_sign_in_is_nobodys(void **state)
{
    struct fixture *f = *state;
    const struct session session = {.account_id = f->ann.id, .created_ms = 1, .expires_ms = HOUR};
    struct principal p;

    assert_err(sessions_add(f->db, &session, SECRET, NULL), ALOFT_ERR_OK);
    f->ann.is_active = false;
    assert_err(accounts_update(f->db, &f->ann, NULL), ALOFT_ERR_OK);
    assert_err(principal_by_session(f->db, SECRET, 2, HOUR, &p, NULL), ALOFT_ERR_NOT_FOUND);
}

static void sessions__that_are_over_are_forgotten_by_the_next_one(void **state)
{
    struct fixture *f = *state;
    const struct session old = {.account_id = f->ann.id, .created_ms = 1, .expires_ms = HOUR};
    const struct session fresh = {
        .account_id = f->ann.id, .created_ms = HOUR, .expires_ms = 2 * HOUR};

    assert_err(sessions_add(f->db, &old, SECRET, NULL), ALOFT_ERR_OK);
    assert_err(sessions_add(f->db, &fresh, CODE, NULL), ALOFT_ERR_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM session"), 1);
    assert_err(sessions_remove(f->db, CODE, NULL), ALOFT_ERR_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM session"), 0);
}

/* -- invitations ------------------------------------------------------------------------------- */

static void invitation__is_good_once_and_until_it_ends(void **state)
{
    struct fixture *f = *state;
    struct invitation i = {
        .role = ROLE_OPERATOR, .product_id = f->lamp.id, .created_ms = 1, .expires_ms = HOUR};
    struct invitation found;

    assert_err(invitations_add(f->db, &i, CODE, NULL), ALOFT_ERR_OK);
    assert_err(invitations_find(f->db, CODE, HOUR - 1, &found, NULL), ALOFT_ERR_OK);
    assert_int_equal(found.id, i.id);
    assert_int_equal(found.role, ROLE_OPERATOR);
    assert_string_equal(found.product_name, "lamp");
    assert_err(invitations_find(f->db, CODE, HOUR, &found, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(invitations_remove(f->db, i.id, NULL), ALOFT_ERR_OK);
    assert_err(invitations_remove(f->db, i.id, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(invitations_find(f->db, CODE, 2, &found, NULL), ALOFT_ERR_NOT_FOUND);
}

/* -- set-up ------------------------------------------------------------------------------------ */

static void setup__gives_the_same_code_at_each_start_until_there_is_an_account(void **state)
{
    struct fixture *f = *state;
    char first[JOIN_CODE_CHARS + 1];
    char code[JOIN_CODE_CHARS + 1];
    struct stat st;

    assert_err(accounts_remove(f->db, f->ann.id, NULL), ALOFT_ERR_OK);
    assert_err(setup_prepare(f->db, f->file, first, NULL), ALOFT_ERR_OK);
    assert_true(is_join_code(first));
    assert_int_equal(stat(f->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_err(setup_prepare(f->db, f->file, code, NULL), ALOFT_ERR_OK);
    assert_string_equal(code, first);
    assert_err(setup_check(f->db, first, NULL), ALOFT_ERR_OK);
    assert_err(setup_check(f->db, CODE, NULL), ALOFT_ERR_NOT_FOUND);
    assert_int_equal(unlink(f->file), 0);
    assert_err(setup_prepare(f->db, f->file, code, NULL), ALOFT_ERR_OK);
    assert_string_not_equal(code, first);
    assert_err(setup_check(f->db, first, NULL), ALOFT_ERR_NOT_FOUND);

    struct account root = make("root", ROLE_ADMIN);
    assert_err(accounts_add(f->db, &root, NULL), ALOFT_ERR_OK);
    assert_err(setup_finish(f->db, NULL), ALOFT_ERR_OK);
    assert_err(setup_check(f->db, code, NULL), ALOFT_ERR_NOT_FOUND);
    assert_err(setup_prepare(f->db, f->file, code, NULL), ALOFT_ERR_OK);
    assert_string_equal(code, "");
    assert_int_equal(access(f->file, F_OK), -1);
}

/* -- passwords --------------------------------------------------------------------------------- */

static void password__matches_its_own_hash_only(void **state)
{
    struct passwords *p = passwords_new(NULL);
    char one[ACCOUNT_PASSWORD_BYTES];
    char two[ACCOUNT_PASSWORD_BYTES];

    (void)state;
    assert_non_null(p);
    assert_err(passwords_hash(p, "p\xC3\xA4sswort", one, NULL), ALOFT_ERR_OK);
    assert_err(passwords_hash(p, "p\xC3\xA4sswort", two, NULL), ALOFT_ERR_OK);
    assert_int_equal(strncmp(one, "$argon2id$v=19$m=65536,t=2,p=1$", 31), 0);
    assert_string_not_equal(one, two);
    assert_true(passwords_match(p, one, "p\xC3\xA4sswort"));
    assert_false(passwords_match(p, one, "passwort"));
    assert_false(passwords_match(p, one, ""));
    assert_false(passwords_match(p, "", "passwort"));
    assert_false(passwords_match(p, NULL, "passwort"));
    assert_false(passwords_match(p, NULL, "of nobody"));
    passwords_free(p);
}

static void password__has_8_to_256_bytes(void **state)
{
    char text[PASSWORD_MAX + 2];

    (void)state;
    memset(text, 'x', sizeof text);
    text[PASSWORD_MAX + 1] = '\0';
    assert_err(password_check(text, NULL), ALOFT_ERR_ARG);
    text[PASSWORD_MAX] = '\0';
    assert_err(password_check(text, NULL), ALOFT_ERR_OK);
    text[PASSWORD_MIN] = '\0';
    assert_err(password_check(text, NULL), ALOFT_ERR_OK);
    text[PASSWORD_MIN - 1] = '\0';
    assert_err(password_check(text, NULL), ALOFT_ERR_ARG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(account__is_kept_as_it_was_added_and_changed),
        TEST(admins__are_counted_while_they_are_active),
        TEST(account__takes_along_what_is_its_own_when_it_is_removed),
        TEST(role__is_the_greater_of_the_accounts_and_the_grant_within_the_scope),
        TEST(session__is_known_by_its_secret_until_it_ends),
        TEST(session__lasts_on_while_it_is_used_noted_once_a_minute),
        TEST(session__of_an_account_that_may_not_sign_in_is_nobodys),
        TEST(sessions__that_are_over_are_forgotten_by_the_next_one),
        TEST(invitation__is_good_once_and_until_it_ends),
        TEST(setup__gives_the_same_code_at_each_start_until_there_is_an_account),
        cmocka_unit_test(password__matches_its_own_hash_only),
        cmocka_unit_test(password__has_8_to_256_bytes),
    };

    return STORE_RUN(tests);
}

# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every operation of openapi.yaml by everybody, on a product of theirs and on another. What is expected
comes from the document's x-access alone. Bodies are empty and other names unknown, so what passes fails later, otherwise."""

import http.client
import json
import re
import time

import pytest

from account_story import cookie_of
from api import call
from document import DOCUMENT, methods_of
from server import ADMIN, DEADLINE_S, PASSWORD, Server, wait_until

ROLES = ["none", "viewer", "developer", "operator", "admin"]
GREATER = ROLES[1:]
MINE, OTHER = "mine", "other"
PRODUCT_PATH = "/api/v1/products/{product}"
NO_PRODUCT = "there is no product of this name"
OPERATIONS = [(method, path, DOCUMENT["paths"][path][method.lower()]) for path in DOCUMENT["paths"]
              for method in sorted(methods_of(path))]


def ask(server, method, path, operation, product, headers):
    """(status, problem) of an operation with nothing in it; of a stream only the head is read."""
    target = re.sub(r"\{\w+\}", "0", path.replace("{product}", product))
    content = content_of(operation)
    fields = dict(headers) | {"If-Match": '"0"'} | ({"Content-Type": content} if content else {})
    connection = http.client.HTTPConnection("127.0.0.1", server.console_port, timeout=DEADLINE_S)
    try:
        connection.request(method, target, {"application/json": b"{}"}.get(content, b"x") if content else None, fields)
        answer = connection.getresponse()
        body = answer.read() if answer.status >= 400 else b""
        is_problem = answer.getheader("Content-Type") == "application/problem+json"
        return answer.status, json.loads(body) if is_problem else {}
    finally:
        connection.close()


def content_of(operation):
    """Content-Type of its body; None = it takes none."""
    return next(iter(operation["requestBody"]["content"])) if "requestBody" in operation else None


class Somebody:
    """Who asks: what they show, and the role this gives them, in general and for each of the two products."""

    def __init__(self, name, show, role="none", is_known=True, **products):
        self.name, self.show, self.is_known, self.role = name, show, is_known, role
        self.products = {product: products.get(product, role) for product in (MINE, OTHER)}

    def role_for(self, path, product):
        return self.products[product] if path.startswith(PRODUCT_PATH) else self.role


class World:
    """A server with both products, and everybody there can be."""

    def __init__(self, server):
        self.server, self.sessions = server, {}
        self.password_file = server.folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        for product in (MINE, OTHER):
            self.add_product(product)
        self.everybody = [Somebody("nobody", dict, is_known=False)]
        for role in ROLES:
            if role != ADMIN:  # who is there already
                self.add_account(role, role)
            self.everybody.append(Somebody(role, self.session(role), role))
        for role in GREATER:
            self.add_account(f"granted-{role}", "none")
        for role in GREATER:
            self.everybody.append(Somebody(f"granted {role}", self.session(f"granted-{role}"), mine=role))
            self.everybody.append(Somebody(f"admin's token as {role}", self.token({"role": role}), role))
            self.everybody.append(Somebody(f"granted admin's token as {role}", self.token({"role": role}, "granted-admin"),
                                           mine=role))
        self.everybody.append(Somebody("viewer's token", self.token({"role": "viewer"}, "viewer"), "viewer"))
        for role in ("viewer", "admin"):
            self.everybody.append(Somebody(f"admin's token for mine as {role}", self.token({"role": role, "product": MINE}),
                                           mine=role))
            self.everybody.append(Somebody(f"admin's token for another as {role}",
                                           self.token({"role": role, "product": OTHER}), other=role))
        self.everybody += self.gone()

    def gone(self):
        """Those who were somebody."""
        self.add_account("inactive", "admin")
        session, token = self.session("inactive"), self.token({"role": "admin"}, "inactive")
        assert session() and call(self.server, "PATCH", "/api/v1/accounts/inactive", {"is_active": False}).status == 200
        over = self.token({"role": "admin", "expires_ms": int(time.time() * 1000) + 5000})
        wait_until("the end of the token",
                   lambda: call(self.server, "GET", "/api/v1/session", token="", headers=over()).status == 401)
        stranger = {"Authorization": "Bearer " + "0" * 64}
        return [Somebody("inactive account", session, is_known=False),
                Somebody("its token", token, is_known=False),
                Somebody("token that is over", over, is_known=False),
                Somebody("unknown token", lambda: stranger, is_known=False),
                Somebody("unknown cookie", lambda: {"Cookie": "aloft_session=" + "0" * 64}, is_known=False)]

    def add_product(self, name):
        assert call(self.server, "POST", "/api/v1/products", {"name": name, "layout": "esp32c3_default"}).status == 201

    def add_account(self, name, role):
        self.server.cli("account", "add", name, "--role", role, "--password-file", str(self.password_file), "--data",
                        str(self.server.data))
        if name.startswith("granted-"):
            self.grant(name)

    def grant(self, name):
        body = {"role": name.removeprefix("granted-")}
        assert call(self.server, "PUT", f"/api/v1/accounts/{name}/grants/{MINE}", body).status == 200

    def session(self, name):
        """Gives the headers of a session, which is begun again after its end."""
        def show():
            if name not in self.sessions:
                answer = call(self.server, "POST", "/api/v1/session", {"name": name, "password": PASSWORD}, token="")
                assert answer.status == 201, answer.body
                self.sessions[name] = {"Cookie": cookie_of(answer), "Aloft-Csrf": answer.json["csrf"]}
            return self.sessions[name]
        return show

    def token(self, body, account=None):
        headers = self.session(account)() if account else {}
        answer = call(self.server, "POST", "/api/v1/api-tokens", {"name": "t"} | body, token="" if account else None,
                      headers=headers)
        assert answer.status == 201, answer.body
        shown = {"Authorization": f"Bearer {answer.json['secret']}"}
        return lambda: shown

    def repair(self):
        """Some of what is allowed goes through: sign again in who signed out, add again what was removed."""
        for name in list(self.sessions):
            if name != "inactive" and call(self.server, "GET", "/api/v1/session", token="",
                                           headers=self.sessions[name]).status == 401:
                del self.sessions[name]
        for product in (MINE, OTHER):
            if call(self.server, "GET", f"/api/v1/products/{product}").status == 404:
                raise AssertionError("an operation with If-Match: \"0\" removed a product")


@pytest.fixture(scope="module")
def world(aloft, tmp_path_factory):
    with Server(aloft, tmp_path_factory.mktemp("authorization")) as server:
        yield World(server)


def judge(who, path, access, product, status, problem):
    """What is wrong with the answer; None = nothing."""
    detail = problem.get("detail", "")
    if access == "open":
        return "refused" if status in (401, 403) else None
    if not who.is_known:
        return None if status == 401 else "not 401"
    if status == 401:
        return "401"
    if access == "signed-in":
        return None
    role, need = who.role_for(path, product), access
    if path.startswith(PRODUCT_PATH) and role == "none":
        return None if status == 404 and detail == NO_PRODUCT else "sees a product it may not see"
    if ROLES.index(role) < ROLES.index(need):
        return None if status == 403 else f"may do what {need} may"
    return "refused" if status == 403 or detail == NO_PRODUCT and path.startswith(PRODUCT_PATH) else None


def test_everybody_may_do_what_the_document_says_and_nothing_else(world):
    n, wrong = 0, []
    for method, path, operation in OPERATIONS:
        for who in world.everybody:
            for product in (MINE, OTHER) if "{product}" in path else (MINE,):
                status, problem = ask(world.server, method, path, operation, product, who.show())
                access = operation.get("x-judges", operation["x-access"])
                why = judge(who, path, access, product, status, problem)
                n += 1
                if why:
                    wrong.append(f"{who.name}: {method} {path} ({product}): {status} {problem.get('detail')}: {why}")
        if method != "GET":
            world.repair()
    print(f"authorization: {n} answers of {len(OPERATIONS)} operations to {len(world.everybody)} kinds of people: "
          f"{len(wrong)} wrong")
    assert not wrong, "\n".join(wrong)


def test_no_change_in_a_session_goes_without_its_csrf_token(world):
    cookie = {"Cookie": world.session("admin")()["Cookie"]}
    n = 0
    for method, path, operation in OPERATIONS:
        if method == "GET" or operation["x-access"] == "open":
            continue
        for wrong in ({}, {"Aloft-Csrf": ""}, {"Aloft-Csrf": "0" * 64}):
            status, problem = ask(world.server, method, path, operation, MINE, cookie | wrong)
            assert (status, problem["code"]) == (403, "csrf"), f"{method} {path}"
            n += 1
    print(f"csrf: {n} changes without the token refused")


def test_an_api_token_beside_a_cookie_is_what_counts(world):
    viewer = world.token({"role": "viewer"})()
    both = world.session("admin")() | viewer
    assert call(world.server, "GET", "/api/v1/session", token="", headers=both).json["role"] == "viewer"
    none = world.session("admin")() | {"Authorization": "Bearer " + "0" * 64}
    assert call(world.server, "GET", "/api/v1/session", token="", headers=none).status == 401


def test_lists_show_only_what_one_may_see(world):
    def seen(who):
        answer = call(world.server, "GET", "/api/v1/products", token="", headers=who.show())
        return [product["name"] for product in answer.json["products"]]

    for who in world.everybody:
        if who.is_known:
            assert seen(who) == [product for product in (MINE, OTHER) if who.products[product] != "none"], who.name

# SPDX-License-Identifier: Apache-2.0
"""Every answer of the operations on accounts, for test_openapi.py."""

from api import call
from server import ADMIN, PASSWORD, Server

JOIN, SESSION, TOKENS = "/api/v1/join", "/api/v1/session", "/api/v1/api-tokens"


def cookie_of(answer):
    return answer.headers["Set-Cookie"].split(";")[0]


def sign_in(server, name=ADMIN, password=PASSWORD):
    """The headers of a new session, for changes too."""
    answer = call(server, "POST", SESSION, {"name": name, "password": password}, token="")
    assert answer.status == 201, answer.body
    return {"Cookie": cookie_of(answer), "Aloft-Csrf": answer.json["csrf"]}


def play_accounts(check, server):
    """`check(method, path, target, status, answer=None, **arguments of call)` holds answers to the document."""
    admin = {"name": ADMIN, "password": PASSWORD}
    session = check("POST", SESSION, SESSION, 201, body=admin, token="")
    headers = {"Cookie": cookie_of(session), "Aloft-Csrf": session.json["csrf"]}
    check("POST", SESSION, SESSION, 400, body={}, token="")
    check("GET", SESSION, SESSION, 200)
    check("GET", SESSION, SESSION, 200, token="", headers=headers)
    check("DELETE", SESSION, SESSION, 409)
    check("DELETE", SESSION, SESSION, 204, token="", headers=headers)

    token = check("POST", TOKENS, TOKENS, 201, body={"name": "ci", "role": "viewer", "days": 1}).json
    wider = check("POST", TOKENS, TOKENS, 201, body={"name": "deploy", "role": "operator"}).json
    check("POST", TOKENS, TOKENS, 400, body={"name": "ci", "role": "king"})
    check("POST", TOKENS, TOKENS, 404, body={"name": "ci", "role": "viewer", "product": "unknown"})
    check("POST", TOKENS, TOKENS, 403, body={"name": "ci", "role": "admin"}, token=token["secret"])
    check("GET", TOKENS, TOKENS, 200)
    check("GET", TOKENS, TOKENS + "?limit=0", 400)
    one = TOKENS + "/{id}"
    check("DELETE", one, f"{TOKENS}/{wider['id']}", 403, token=token["secret"])
    check("DELETE", one, f"{TOKENS}/{wider['id']}", 204)
    check("DELETE", one, f"{TOKENS}/{token['id']}", 204)

    with Server(server.aloft, server.folder / "open", "--join", "open") as everybodys:
        new = {"name": "eve", "password": PASSWORD}
        check("POST", JOIN, JOIN, 201, call(everybodys, "POST", JOIN, new, token=""))
        check("POST", JOIN, JOIN, 409, call(everybodys, "POST", JOIN, new, token=""))

    # The last: from here on this address has to wait.
    check("POST", JOIN, JOIN, 400, body=new | {"password": "short"}, token="")
    check("POST", JOIN, JOIN, 403, body=new | {"code": "0" * 32}, token="")
    while (answer := call(server, "POST", SESSION, {"name": "eve", "password": "wrong"}, token="")).status == 401:
        check("POST", SESSION, SESSION, 401, answer)
    check("POST", SESSION, SESSION, 429, answer)
    check("POST", JOIN, JOIN, 429, body=new, token="")

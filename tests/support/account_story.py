# SPDX-License-Identifier: Apache-2.0
"""Every answer of the operations on accounts, for test_schema.py."""

from api import call
from server import ADMIN, PASSWORD, Server

JOIN, SESSION, TOKENS, ACCOUNTS, INVITATIONS, AUDIT = (
    "/api/v1/" + word for word in ("join", "session", "api-tokens", "accounts", "invitations", "audit"))
PRODUCT = "lamp"


def cookie_of(answer):
    return answer.headers["Set-Cookie"].split(";")[0]


def sign_in(server, name=ADMIN, password=PASSWORD):
    """The headers of a new session, for changes too."""
    answer = call(server, "POST", SESSION, {"name": name, "password": password}, token="")
    assert answer.status == 201, answer.body
    return {"Cookie": cookie_of(answer), "Aloft-Csrf": answer.json["csrf"]}


def play_others(check, server):
    """What an admin does with accounts of others."""
    root, one, grant = ACCOUNTS, ACCOUNTS + "/{name}", ACCOUNTS + "/{name}/grants/{product}"
    invitation = {"role": "viewer", "note": "for Bob", "days": 2}
    code = check("POST", INVITATIONS, INVITATIONS, 201, body=invitation).json["code"]
    other = check("POST", INVITATIONS, INVITATIONS, 201, body={"role": "none"}).json
    check("POST", INVITATIONS, INVITATIONS, 400, body={"role": "none", "product": PRODUCT})
    check("POST", INVITATIONS, INVITATIONS, 404, body=invitation | {"product": "unknown"})
    check("GET", INVITATIONS, INVITATIONS, 200)
    check("GET", INVITATIONS, INVITATIONS + "?cursor=!", 400)
    for status in (204, 404):
        check("DELETE", INVITATIONS + "/{id}", f"{INVITATIONS}/{other['id']}", status)
    check("POST", JOIN, JOIN, 201, body={"name": "bob", "password": PASSWORD, "code": code}, token="")
    check("GET", root, root, 200)
    check("GET", root, root + "?limit=x", 400)
    tag = check("GET", one, root + "/bob", 200).headers["ETag"]
    check("PATCH", one, root + "/bob", 200, body={"role": "developer"}, headers={"If-Match": tag})
    old = {"If-Match": tag}
    check("PATCH", one, root + "/bob", 412, body={}, headers=old)
    check("PATCH", one, root + "/bob", 400, body={"role": "king"})
    check("PATCH", one, root + "/unknown", 404, body={})
    check("PATCH", one, f"{root}/{ADMIN}", 409, body={"role": "none"})
    check("DELETE", one, f"{root}/{ADMIN}", 409)
    check("PUT", grant, f"{root}/bob/grants/{PRODUCT}", 200, body={"role": "operator"})
    check("PUT", grant, f"{root}/bob/grants/{PRODUCT}", 400, body={})
    check("PUT", grant, f"{root}/bob/grants/{PRODUCT}", 412, body={"role": "viewer"}, headers=old)
    check("PUT", grant, f"{root}/bob/grants/unknown", 404, body={"role": "viewer"})
    check("DELETE", grant, f"{root}/bob/grants/{PRODUCT}", 412, headers=old)
    for status in (200, 404):
        check("DELETE", grant, f"{root}/bob/grants/{PRODUCT}", status)
    bob = sign_in(server, "bob")
    password = SESSION + "/password"
    new = {"password": PASSWORD, "new_password": "another battery"}
    check("POST", password, password, 400, body={}, token="", headers=bob)
    check("POST", password, password, 403, body=new | {"password": "wrong"}, token="", headers=bob)
    check("POST", password, password, 204, body=new, token="", headers=bob)
    check("DELETE", one, root + "/bob", 412, headers=old)
    for status in (204, 404):
        check("DELETE", one, root + "/bob", status)
    check("GET", AUDIT, AUDIT, 200)
    check("GET", AUDIT, AUDIT + "?since_ms=-1", 400)
    check("GET", AUDIT + "/verify", AUDIT + "/verify", 200)


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
    for method, path in (("GET", ACCOUNTS), ("GET", INVITATIONS), ("GET", AUDIT), ("GET", AUDIT + "/verify")):
        check(method, path, path, 403, token=token["secret"])
    check("POST", INVITATIONS, INVITATIONS, 403, body={}, token=token["secret"])
    check("DELETE", INVITATIONS + "/{id}", INVITATIONS + "/1", 403, token=token["secret"])
    for method in ("GET", "PATCH", "DELETE"):
        check(method, ACCOUNTS + "/{name}", ACCOUNTS + "/x", 403, token=token["secret"],
              **({"body": {}} if method == "PATCH" else {}))
    for method in ("PUT", "DELETE"):
        check(method, ACCOUNTS + "/{name}/grants/{product}", ACCOUNTS + "/x/grants/x", 403, token=token["secret"],
              **({"body": {}} if method == "PUT" else {}))
    check("GET", AUDIT, AUDIT + "?product=unknown", 404, token=token["secret"])
    one = TOKENS + "/{id}"
    check("DELETE", one, f"{TOKENS}/{wider['id']}", 403, token=token["secret"])
    check("DELETE", one, f"{TOKENS}/{wider['id']}", 204)
    check("DELETE", one, f"{TOKENS}/{token['id']}", 204)

    play_others(check, server)
    with Server(server.aloft, server.folder / "open", "--join", "open") as everybodys:
        new = {"name": "eve", "password": PASSWORD}
        check("POST", JOIN, JOIN, 201, call(everybodys, "POST", JOIN, new, token=""))
        check("POST", JOIN, JOIN, 409, call(everybodys, "POST", JOIN, new, token=""))

    # The last: from here on this address has to wait.
    check("POST", JOIN, JOIN, 400, body=new | {"password": "short"}, token="")
    check("POST", JOIN, JOIN, 403, body=new | {"code": "0" * 32}, token="")
    while True:  # until the pause is long enough for what follows, on a slow machine too
        answer = call(server, "POST", SESSION, {"name": "eve", "password": "wrong"}, token="")
        if answer.status == 429 and int(answer.headers["Retry-After"]) >= 4:
            break
        check("POST", SESSION, SESSION, answer.status, answer)
    check("POST", SESSION, SESSION, 429, answer)
    check("POST", JOIN, JOIN, 429, body=new, token="")
    password = SESSION + "/password"
    check("POST", password, password, 429, body={"password": PASSWORD, "new_password": PASSWORD})

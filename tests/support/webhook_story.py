# SPDX-License-Identifier: Apache-2.0
"""Every answer of the operations on webhooks, for the test of the API's document."""

from api import call
from server import wait_until

HOOKS = "/api/v1/webhooks"
ONE, TEST, DELIVERIES, RETRY = (HOOKS + "/{id}" + end for end in ("", "/test", "/deliveries", "/deliveries/{delivery}/retry"))


def play_webhooks(check, server):
    """`check(method, path, target, status, answer=None, **arguments of call)` holds answers to the document."""
    new = {"url": "http://127.0.0.1:9/", "kinds": ["webhook.test"]}
    check("POST", HOOKS, HOOKS, 400, body=new | {"url": "http://example.com/"})
    check("POST", HOOKS, HOOKS, 404, body=new | {"product": "unknown"})
    made = check("POST", HOOKS, HOOKS, 201, body=new).json
    call(server, "POST", HOOKS, new)
    assert check("GET", HOOKS, HOOKS + "?limit=1", 200).json["next"]
    check("GET", HOOKS, HOOKS + "?limit=0", 400)
    one = f"{HOOKS}/{made['id']}"
    check("GET", ONE, one, 200)
    check("PATCH", ONE, one, 400, body={"kinds": []})
    check("PATCH", ONE, one, 412, body={"kinds": ["*"]}, headers={"If-Match": '"9"'})
    check("PATCH", ONE, one, 200, body={"kinds": ["webhook.test"]})

    number = check("POST", TEST, f"{one}/test", 202).json["id"]
    wait_until("the try", lambda: check("GET", DELIVERIES, f"{one}/deliveries", 200).json["deliveries"][0]["error"])
    check("GET", DELIVERIES, f"{one}/deliveries?limit=0", 400)
    check("POST", RETRY, f"{one}/deliveries/{number}/retry", 202)
    check("POST", RETRY, f"{one}/deliveries/9999/retry", 404)
    check("PATCH", ONE, one, 200, body={"is_active": False})
    check("POST", TEST, f"{one}/test", 409)
    check("POST", RETRY, f"{one}/deliveries/{number}/retry", 409)

    others = call(server, "POST", "/api/v1/api-tokens", {"name": "others", "role": "viewer"}).json["secret"]
    check("POST", HOOKS, HOOKS, 403, body=new, token=others)
    for method, path, target, body in (("GET", ONE, one, None), ("PATCH", ONE, one, {}), ("DELETE", ONE, one, None),
                                       ("POST", TEST, f"{one}/test", None), ("GET", DELIVERIES, f"{one}/deliveries", None),
                                       ("POST", RETRY, f"{one}/deliveries/{number}/retry", None)):
        check(method, path, target, 403, body=body, token=others)
    check("DELETE", ONE, one, 412, headers={"If-Match": '"9"'})
    check("DELETE", ONE, one, 204)
    for method, path, target, body in (("GET", ONE, one, None), ("PATCH", ONE, one, {}), ("DELETE", ONE, one, None),
                                       ("POST", TEST, f"{one}/test", None), ("GET", DELIVERIES, f"{one}/deliveries", None)):
        check(method, path, target, 404, body=body)
    while check("POST", HOOKS, HOOKS, *fill(server, new)).status == 201:
        pass


def fill(server, new):
    """(status, answer) of one more webhook."""
    answer = call(server, "POST", HOOKS, new)
    return answer.status, answer

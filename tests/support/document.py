# SPDX-License-Identifier: Apache-2.0
"""server/api/openapi.yaml, and a caller that holds every answer of a server to it."""

import json
import pathlib
import re

import yaml

import schema
from api import call

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
JSON, PROBLEM = "application/json", "application/problem+json"
# Response headers that mean something to a client: there exactly if documented. Retry-After and the
# cookie are told of in the descriptions too.
HEADERS = {"ETag"}


class Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, of which yaml would take the last."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        assert len(keys) == len(set(keys)), f"{node.start_mark}: a key is there twice"
        return super().construct_mapping(node, deep)


DOCUMENT = yaml.load((ROOT / "server/api/openapi.yaml").read_text(), Loader)


def methods_of(path):
    return METHODS & {key.upper() for key in DOCUMENT["paths"][path]}


def operations():
    """(method, path, operation) of all."""
    return [(method, path, DOCUMENT["paths"][path][method.lower()])
            for path in DOCUMENT["paths"] for method in sorted(methods_of(path))]


def parameters_of(path, operation):
    """{(in, name): parameter} with those of the path."""
    found = [schema.resolve(DOCUMENT, one)
             for one in DOCUMENT["paths"][path].get("parameters", []) + operation.get("parameters", [])]
    return {(one["in"], one["name"]): one for one in found}


def body_type(operation):
    """Content-Type of its body; None = it takes none."""
    return next(iter(operation["requestBody"]["content"])) if "requestBody" in operation else None


class Checked:
    """Calls the server and holds each answer to the document. The first time an operation is to succeed, it is called
    wrongly in every way there is right before: then nothing else can be the reason of the refusal."""

    def __init__(self, server):
        self.server, self.seen, self.n_calls, self.n_keys = server, set(), 0, 0

    def __call__(self, method, path, target, status, answer=None, **arguments):
        operation = DOCUMENT["paths"][path][method.lower()]
        if answer is None and status < 300 and not self.has_succeeded(method, path):
            self.call_wrongly(method, path, target, operation, arguments)
            answer = self.call_under_a_key(method, path, target, operation, arguments)
        answer = answer or call(self.server, method, target, **arguments)
        assert answer.status == status, f"{method} {target}: {answer.status} {answer.body!r}"
        self.judge(method, path, target, operation, answer)
        if status < 300 and body_type(operation) == JSON and isinstance(arguments.get("body"), dict):
            content = operation["requestBody"]["content"][JSON]["schema"]
            schema.check(DOCUMENT, content, arguments["body"], f"body of {method} {target}")
        return answer

    def has_succeeded(self, method, path):
        return any(one[:2] == (method, path) and one[2] < "300" for one in self.seen)

    def judge(self, method, path, target, operation, answer):
        where = f"{method} {target}: {answer.status}"
        assert str(answer.status) in operation["responses"], f"{where} is not documented: {answer.body!r}"
        response = schema.resolve(DOCUMENT, operation["responses"][str(answer.status)])
        if "content" in response:
            kind, content = next(iter(response["content"].items()))
            assert answer.headers["Content-Type"] == kind, f"{where}: {answer.headers['Content-Type']}"
            if "schema" in content:
                value = answer.json if kind.endswith("json") else answer.body.decode()
                schema.check(DOCUMENT, content["schema"], value, where)
            if kind == PROBLEM:
                assert answer.json["status"] == answer.status
        else:
            assert answer.body == b"" and answer.headers["Content-Type"] is None, where
        documented = set(response.get("headers", {})) & HEADERS
        assert {name for name in HEADERS if name in answer.headers} == documented, f"{where}: ETag"
        self.seen.add((method, path, str(answer.status)))
        self.n_calls += 1

    def refused(self, status, method, path, target, operation, arguments):
        answer = call(self.server, method, target, **arguments)
        assert answer.status == status, f"{method} {target} with {arguments}: {answer.status} {answer.body!r}"
        self.judge(method, path, target, operation, answer)

    def call_wrongly(self, method, path, target, operation, arguments):
        def refused(status, target=target, **others):
            self.refused(status, method, path, target, operation, arguments | others)

        body, headers = arguments.get("body"), arguments.get("headers", {})
        refused(400, target + ("&" if "?" in target else "?") + "no_such_parameter=1")
        if operation.get("security") != [] and operation.get("x-access") != "open":
            refused(401, token="", headers={})
        if ("header", "If-Match") in parameters_of(path, operation):
            refused(412, headers=headers | {"If-Match": '"999999"'})
        if body_type(operation):
            refused(415, content_type="text/plain")
        if body_type(operation) == JSON and isinstance(body, dict):
            refused(400, body=body | {"no_such_member": 1})
            refused(400, body=json.dumps(body)[:-1])
            refused(400, body=[body])
            for name in members_of(operation, "required"):
                refused(400, body={key: value for key, value in body.items() if key != name})
            for name in body:
                refused(400, body=body | {name: {"of": "no type that is asked for"}})

    def call_under_a_key(self, method, path, target, operation, arguments):
        """A POST with an Idempotency-Key: the same again gives the same answer, another one is refused."""
        if ("header", "Idempotency-Key") not in parameters_of(path, operation):
            return None
        self.n_keys += 1
        arguments = arguments | {"headers": arguments.get("headers", {}) | {"Idempotency-Key": f"key-{self.n_keys}"}}
        first = call(self.server, method, target, **arguments)
        again = call(self.server, method, target, **arguments)
        if first.status < 300:
            is_kept = (again.status, again.body) == (first.status, first.body)
            assert is_kept or (again.status, again.code) == (409, "done_before"), f"{method} {target}: {again.body!r}"
            if not is_kept:
                self.judge(method, path, target, operation, again)
        if body_type(operation) == JSON:
            other = call(self.server, method, target, **(arguments | {"body": "{}"}))
            assert (other.status, other.code) == (422, "key_reused"), f"{method} {target}: {other.body!r}"
            self.n_calls += 1
            if operation["responses"]["422"].get("$ref", "").endswith("KeyReused"):  # else it has one of its own
                self.judge(method, path, target, operation, other)
        elif self.n_keys > 1:  # that of the first POST
            self.refused(422, method, path, target, operation,
                         arguments | {"headers": arguments["headers"] | {"Idempotency-Key": "key-1"}})
        return first


def members_of(operation, keyword):
    content = operation["requestBody"]["content"][JSON]["schema"]
    return schema.resolve(DOCUMENT, content).get(keyword, [])


def print_counts(check):
    """What the test has seen, for the record."""
    n_operations = len({one[:2] for one in check.seen})
    print(f"schema: {n_operations} of {len(operations())} operations, {len(check.seen)} answers by operation and status, "
          f"{check.n_calls} calls, {check.n_keys} idempotency keys")


def routes_of_the_source():
    """(method, path with {} for parameters, x-access) of the server's own tables."""
    product = re.search(r'#define API_PRODUCT\s+"([^"]+)"', (ROOT / "server/src/api/request.h").read_text()).group(1)
    found = set()
    route = r'\{"([A-Z]+)",\s*((?:API_PRODUCT\s*)?(?:"[^"]*")?),\s*API_BODY_\w+,\s*API_(\w+),'
    for source in (ROOT / "server/src/api").glob("ops_*.c"):
        for table in re.findall(r"_routes\[\] = \{(.*?)API_ROUTES_END", source.read_text(), re.S):
            for method, path, access in re.findall(route, table):
                path = path.replace("API_PRODUCT", product, 1).replace('"', "").replace(" ", "")
                found.add((method, path, access.lower().replace("_", "-")))
    return found

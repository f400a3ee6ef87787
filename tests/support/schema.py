# SPDX-License-Identifier: Apache-2.0
"""The part of JSON Schema that server/api/openapi.yaml uses. A keyword not known here is an error, not ignored."""

import re

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
NOTES = {"description", "default"}


def _is_of(value, names):
    names = [names] if isinstance(names, str) else names
    return any(isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool)) for name in names)


def check(document, schema, value, where="answer"):
    """AssertionError that names the place where `value` does not follow `schema`."""
    if "$ref" in schema:
        schema = resolve(document, schema)
    for keyword, wanted in schema.items():
        if keyword == "type":
            assert _is_of(value, wanted), f"{where}: {value!r} is no {wanted}"
        elif keyword == "enum":
            assert value in wanted, f"{where}: {value!r} is none of {wanted}"
        elif keyword == "pattern":
            assert value is None or re.search(wanted, value), f"{where}: {value!r} does not match {wanted}"
        elif keyword == "minimum":
            assert value is None or value >= wanted, f"{where}: {value} is less than {wanted}"
        elif keyword == "maximum":
            assert value is None or value <= wanted, f"{where}: {value} is more than {wanted}"
        elif keyword == "maxLength":
            assert len(value) <= wanted, f"{where}: {value!r} is too long"
        elif keyword == "minLength":
            assert len(value) >= wanted, f"{where}: {value!r} is too short"
        elif keyword in ("minItems", "maxItems"):
            assert len(value) >= wanted if keyword == "minItems" else len(value) <= wanted, f"{where}: {len(value)} items"
        elif keyword == "items":
            for i, item in enumerate(value):
                check(document, wanted, item, f"{where}[{i}]")
        elif keyword == "required":
            assert set(wanted) <= set(value), f"{where}: lacks {set(wanted) - set(value)}"
        elif keyword == "properties":
            for name in wanted.keys() & value.keys():
                check(document, wanted[name], value[name], f"{where}.{name}")
        elif keyword == "additionalProperties":
            assert set(value) <= set(schema["properties"]), f"{where}: {set(value) - set(schema['properties'])} is unknown"
        else:
            assert keyword in NOTES, f"schema keyword {keyword} is not known"


def resolve(document, node):
    """The node itself, or what its $ref names."""
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node

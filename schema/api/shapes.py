#!/usr/bin/env python3
"""Makes answers.json out of answers that were read.

    CHIPBRIDGE_RECORD_ANSWERS=seen.jsonl deploy/test --filter EndToEnd
    curl -s http://127.0.0.1:8080/v1/openapi.json >openapi.json
    python3 schema/api/shapes.py openapi.json seen.jsonl... >answers.json

What several answers of an operation have in common is required; what was null once may be null; objects with an id are one
schema by the id's prefix. What no answer shows is kept as answers.json says it, and so is what answers.json says closer of a
member and no answer contradicts: a vocabulary of the code, null that was not met, elements of lists that were empty. Review
the difference before it is committed.
"""

import collections
import json
import os
import re
import sys

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "answers.json")


class Seen:
    """What the values at one place were."""

    def __init__(self):
        self.count = 0
        self.types = collections.Counter()
        self.formats = collections.Counter()
        self.refs = collections.Counter()
        self.members = {}
        self.present = collections.Counter()
        self.items = None

    def add(self, value, shapes):
        self.count += 1
        if value is None:
            self.types["null"] += 1
        elif isinstance(value, bool):
            self.types["boolean"] += 1
        elif isinstance(value, int):
            self.types["integer"] += 1
        elif isinstance(value, float):
            self.types["number"] += 1
        elif isinstance(value, str):
            self.types["string"] += 1
            self.formats[format_of(value)] += 1
        elif isinstance(value, list):
            self.types["array"] += 1
            self.items = self.items or Seen()
            for item in value:
                self.items.add(item, shapes)
        else:
            self.types["object"] += 1
            name = shapes.name_of(value)
            self.refs[name] += 1
            if name and name != "Money":
                shapes.known.setdefault(name, Seen()).fill(value, shapes)
            elif not name:
                self.fill(value, shapes)

    def fill(self, value, shapes):
        self.present[None] += 1
        for name, inner in value.items():
            self.present[name] += 1
            self.members.setdefault(name, Seen()).add(inner, shapes)


def format_of(text):
    found = re.fullmatch("([a-z]+)_" + UUID, text)
    if found:
        return "id:" + found[1]
    for name, pattern in (
        ("Date", r"\d{4}-\d\d-\d\d"),
        ("Instant", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
        ("Digest", "[0-9a-f]{64}"),
    ):
        if re.fullmatch(pattern, text):
            return name
    return "text"


class Shapes:
    def __init__(self, kept):
        self.known = {}
        self.kept = kept
        # The names that are published stay: a prefix is found by the schema of its id.
        self.names = {}
        for name, schema in kept["schemas"].items():
            found = re.match(r"\^([a-z]+)_\[", schema.get("pattern", ""))
            if found and name.endswith("Id"):
                self.names[found[1]] = name[:-2]

    def name_of(self, value):
        if set(value) == {"amount", "currency"} and isinstance(value["amount"], int):
            return "Money"
        if "maker_id" in value and "checker_id" in value:
            return "Approval"
        found = re.fullmatch("([a-z]+)_" + UUID, str(value.get("id", "")))
        return self.names.setdefault(found[1], found[1].capitalize()) if found and len(value) >= 4 else ""

    def schema(self, seen):
        choices = []
        for kind in ("object", "array", "string", "integer", "number", "boolean"):
            if not seen.types[kind]:
                continue
            if kind == "object":
                for name in sorted(seen.refs):
                    choices.append({"$ref": "#/components/schemas/" + name} if name else self.object(seen))
            elif kind == "array":
                items = self.schema(seen.items) if seen.items and seen.items.count else None
                choices.append({"type": "array", "items": items} if items else {"type": "array"})
            elif kind == "string":
                choices.append(self.text(seen))
            else:
                choices.append({"type": kind})
        if seen.types["null"]:
            choices.append({"type": "null"})
        if not choices:
            return {}
        if len(choices) == 1:
            return choices[0]
        if all(set(choice) == {"type"} for choice in choices):
            return {"type": [choice["type"] for choice in choices]}
        if len(choices) == 2 and seen.types["null"] and choices[0].get("type") in ("array", "object"):
            return {**choices[0], "type": [choices[0]["type"], "null"]}
        return {"anyOf": choices}

    def text(self, seen):
        if len(seen.formats) != 1:
            return {"type": "string"}
        name = next(iter(seen.formats))
        if name.startswith("id:"):
            name = self.names.setdefault(name[3:], name[3:].capitalize()) + "Id"
        return {"type": "string"} if name == "text" else {"$ref": "#/components/schemas/" + name}

    def object(self, seen):
        names = list(seen.members)
        shape = {"type": "object"}
        required = [name for name in names if seen.present[name] == seen.present[None]]
        if required:
            shape["required"] = required
        shape["properties"] = {name: self.schema(seen.members[name]) for name in names}
        if "next_cursor" in shape["properties"]:
            shape["properties"]["next_cursor"] = {"type": ["string", "null"]}
        return shape


def operations(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            parts = path.strip("/").split("/")
            yield sum(part.startswith("{") for part in parts), method.upper(), parts, operation["operationId"]


def plain(schema, schemas):
    """The types that a schema takes, and the object or list among them."""
    if "$ref" in schema:
        return plain(schemas.get(schema["$ref"].rsplit("/", 1)[1], {"type": "string"}), schemas)
    if "anyOf" in schema:
        found = [plain(choice, schemas) for choice in schema["anyOf"]]
        return set().union(*(types for types, _ in found)), next((inner for _, inner in found if inner), None)
    types = schema.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    return types, schema if types & {"object", "array"} else None


def closer(kept, seen, schemas):
    """What is kept of a schema, where what was seen does not contradict it."""
    if kept == seen or "$ref" in seen and "$ref" in kept:
        return seen
    (old, inside), (new, within) = plain(kept, schemas), plain(seen, schemas)
    if not new <= old:
        return seen
    if "$ref" in kept or "anyOf" in kept or not inside or not within:
        return kept
    out = dict(within, type=kept["type"])
    if "properties" in inside and "properties" in within:
        out["properties"] = {
            name: closer(inside["properties"][name], inner, schemas) if name in inside["properties"] else inner
            for name, inner in within["properties"].items()
        }
    if "items" in inside:
        out["items"] = closer(inside["items"], within["items"], schemas) if "items" in within else inside["items"]
    return out


def main():
    with open(sys.argv[1]) as file:
        known = sorted(operations(json.load(file)))
    with open(KEPT) as file:
        kept = json.load(file)
    shapes = Shapes(kept)
    answers, requests = {}, {}

    def operation(method, path):
        asked = path.strip("/").split("/")
        for _, its, parts, name in known:
            if its == method and len(parts) == len(asked):
                if all(part.startswith("{") or part == word for part, word in zip(parts, asked)):
                    return name
        return None

    for path in sys.argv[2:]:
        with open(path) as file:
            for line in file:
                read = json.loads(line)
                name = operation(read["method"], read["target"].split("?")[0])
                kind = read["type"].split(";")[0]
                if not name or not 200 <= read["status"] < 300 or not read["target"].startswith("/v1/"):
                    continue
                if kind == "text/event-stream":
                    continue
                seen = answers.setdefault(name, {}).setdefault((str(read["status"]), kind), Seen())
                if kind == "application/json":
                    seen.add(json.loads(read["body"]), shapes)
                    if read["method"] == "POST" and len(read["sent"]) > 2 and read["sent"].startswith("{"):
                        requests.setdefault(name, json.loads(read["sent"]))
    out = {"schemas": dict(kept["schemas"]), "answers": dict(kept["answers"]), "requests": dict(kept["requests"])}
    for name, seen in shapes.known.items():
        out["schemas"][name] = shapes.object(seen)
    for name, found in answers.items():
        out["answers"][name] = [
            {"status": status, "type": kind, "schema": shapes.schema(seen) if seen.count else {"type": "string"}}
            for (status, kind), seen in sorted(found.items())
        ]
    schemas = dict(kept["schemas"])
    for name, schema in out["schemas"].items():
        if name in kept["schemas"]:
            out["schemas"][name] = closer(kept["schemas"][name], schema, schemas)
    for name, found in out["answers"].items():
        for answer in found:
            for old in kept["answers"].get(name, []):
                if (old["status"], old["type"]) == (answer["status"], answer["type"]):
                    answer["schema"] = closer(old["schema"], answer["schema"], schemas)
    for name, request in requests.items():
        out["requests"].setdefault(name, request)
    for prefix, name in shapes.names.items():
        out["schemas"].setdefault(name + "Id", {"type": "string", "pattern": f"^{prefix}_{UUID}$"})
    print("{")
    for index, (section, members) in enumerate(out.items()):
        lines = [f"  {json.dumps(name)}: {json.dumps(members[name], ensure_ascii=False)}" for name in sorted(members)]
        print(f'{json.dumps(section)}: {{\n' + ",\n".join(lines) + "\n}" + ("," if index < 2 else ""))
    print("}")


if __name__ == "__main__":
    main()

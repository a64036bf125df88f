"""Reads `platform.yaml` and reports everything that is wrong with it in the terms of the file."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from constructs_lib.errors import Mistake, PlatformError
from constructs_lib.platform._positions import BrokenYamlError, Document, KeyPath, Place, read

M = TypeVar("M", bound=BaseModel)
_VALUE_LENGTH = 80
_RULES = {
    "string_type": "must be text",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("tuple_type", "list_type"), "must be a list"),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "must be a mapping"),
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
"""The rule that each of pydantic's own error types stands for."""
_RENAMED: Mapping[KeyPath, str] = {("quota", "guests"): "headroomPods"}
"""New names of keys that earlier versions accepted, by section and old key."""
_OPPOSITES: Mapping[str, str] = {"ingress": "egress", "egress": "ingress"}
"""Keys that look alike and mean opposite things: neither is suggested for the other."""
_WHOLE = "must be a mapping with apiVersion, platform and tenants"


def load(model: type[M], path: Path, folder: Path) -> M:
    """Read `path` as a `model`.

    Args:
        model: the model of the whole file.
        path: the file.
        folder: the folder that paths in the file are relative to.

    Raises:
        PlatformError: it cannot be read or breaks a rule.
    """
    document = _read(path)
    mistakes = [_repeated(document, key, place) for key, place in document.repeated]
    try:
        platform = model.model_validate(document.data, by_alias=True, by_name=False, context={"folder": folder})
    except ValidationError as error:
        schema = model.model_json_schema()
        details = error.errors(include_url=False)
        mistakes += _unique([_mistake(document, schema, detail) for detail in details])
        raise PlatformError(path, mistakes) from None
    if mistakes:
        raise PlatformError(path, mistakes)
    return platform


def _read(path: Path) -> Document:
    try:
        document = read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _whole(
            path, (1, 1), "must exist", "create it with 'tenantry init', or name another file with --file"
        ) from None
    except UnicodeDecodeError as error:
        raise _whole(path, (1, 1), f"must be UTF-8 text ({error.reason})", "save it as UTF-8") from None
    except OSError as error:
        raise _whole(path, (1, 1), f"must be readable ({error.strerror})", "name another file with --file") from None
    except BrokenYamlError as error:
        raise _whole(path, error.place, f"must be a single YAML document ({error})", "correct the syntax") from None
    if document.data is None:
        raise _whole(path, (1, 1), f"{_WHOLE}; this file is empty", "create it with 'tenantry init'") from None
    if not isinstance(document.data, dict):
        raise _whole(path, (1, 1), _WHOLE, "create it with 'tenantry init'") from None
    return document


def _whole(path: Path, place: Place, rule: str, fix: str) -> PlatformError:
    return PlatformError(path, [Mistake(line=place[0], column=place[1], field="", value="", rule=rule, fix=fix)])


def _repeated(document: Document, path: KeyPath, place: Place) -> Mistake:
    first = document.keys[path][0]
    return Mistake(
        line=place[0],
        column=place[1],
        field=_field(path),
        value="",
        rule=f"must appear only once, but line {first} sets it too",
        fix="remove one of them",
    )


def _unique(found: list[tuple[Mistake, str]]) -> list[Mistake]:
    """Each mistake once.

    One in `defaults` is reported by every tenant that inherits it; if only tenants report it, it names the tenant.
    """
    own = [mistake for mistake, inheriting in found if not inheriting]
    reported = {(mistake.field, mistake.rule) for mistake in own}
    inherited = [
        replace(mistake, rule=f"{mistake.rule} (in {inheriting})")
        for mistake, inheriting in found
        if inheriting and (mistake.field, mistake.rule) not in reported
    ]
    return own + inherited


def _mistake(document: Document, schema: dict[str, Any], error: ErrorDetails) -> tuple[Mistake, str]:
    """Translate an error of pydantic into a mistake: its place in the file, the rule and the fix.

    Returns:
        The mistake, and the tenant that inherits the value if it is set in `defaults` or in `platform`; else "".
    """
    context = error.get("ctx", {})
    path = _without_tags(document.data, (*error["loc"], *context.get("at", ())))
    written = _written(document, path)
    value, found = _value(document.data, written)
    kind = error["type"]
    if kind in {"extra_forbidden", "missing"}:
        line, column = document.keys.get(written) or document.values[_existing(document, written)]
    else:
        line, column = document.values[_existing(document, written)]
    rule, fix = _rule_and_fix(schema, document.data, path, error)
    text = "" if kind == "extra_forbidden" or not found else _shown(value)
    inheriting = "" if written == path else _field(path[:2])
    return Mistake(line=line, column=column, field=_field(written), value=text, rule=rule, fix=fix), inheriting


def _rule_and_fix(schema: dict[str, Any], data: Any, path: KeyPath, error: ErrorDetails) -> tuple[str, str]:
    context = error.get("ctx", {})
    if "rule" in context:
        return context["rule"], context["fix"]
    if error["type"] == "extra_forbidden":
        if (new := _RENAMED.get(path[-2:])) is not None:
            return f"is now called '{new}'", f"rename '{path[-1]}' to '{new}'"
        known = sorted(_properties(schema, data, path[:-1]))
        similar = [name for name in known if name != _OPPOSITES.get(str(path[-1]))]
        close = difflib.get_close_matches(str(path[-1]), similar, n=1, cutoff=0.6)
        fix = f"did you mean '{close[0]}'?" if close else f"remove it; the known keys are {', '.join(known)}"
        return "must be a known key", fix
    about = _properties(schema, data, path[:-1]).get(str(path[-1]), {}).get("description", "") if path else ""
    about = " ".join(str(about).split()).rstrip(".")
    if error["type"] == "missing":
        return "is required", f"add '{path[-1]}': {about}" if about else f"add '{path[-1]}'"
    if error["type"].startswith("union_tag"):
        tags = context.get("expected_tags", "webhook, slack, pagerduty, msteams, opsgenie, email")
        return f"must have a 'type': one of {tags}", "add or correct it"
    rule = _RULES.get(error["type"], "").format(**context) or error["msg"].removeprefix("Value error, ")
    return rule, f"correct it ({about})" if about else "correct it"


def _properties(schema: dict[str, Any], data: Any, path: KeyPath) -> dict[str, Any]:
    """The schema's properties of the mapping at `path`."""
    node = schema
    for key in (*path, None):
        node = _resolved(schema, node, _value(data, path)[0])
        if key is None:
            return dict(node.get("properties", {}))
        node = node.get("items", {}) if isinstance(key, int) else node.get("properties", {}).get(key, {})
    return {}


def _resolved(schema: dict[str, Any], node: dict[str, Any], value: Any) -> dict[str, Any]:
    """Resolve references and alternatives: the alternative that `type` names, else the first that is not null."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif "discriminator" in node:
            mapping = node["discriminator"]["mapping"]
            tag = value.get("type") if isinstance(value, Mapping) else None
            node = {"$ref": mapping[tag]} if tag in mapping else {}
        elif "anyOf" in node:
            node = next((each for each in node["anyOf"] if each.get("type") != "null"), {})
        elif len(node.get("allOf", ())) == 1:
            node = node["allOf"][0]
        else:
            return node


def _without_tags(data: Any, path: KeyPath) -> KeyPath:
    """A path of pydantic's without the discriminator values that pydantic inserts."""
    result: list[str | int] = []
    for key in path:
        here, _ = _value(data, _fallback(data, tuple(result)))
        if isinstance(here, Mapping) and key not in here and key == here.get("type"):
            continue
        result.append(key)
    return tuple(result)


def _fallback(data: Any, path: KeyPath) -> KeyPath:
    """Where a tenant's effective value is set: its own entry, `defaults`, or the platform's image."""
    if _value(data, path)[1] or len(path) < 3 or path[0] != "tenants":  # noqa: PLR2004 - tenants, index, key
        return path
    other: KeyPath = ("platform", "image") if path[2] == "image" else ("defaults", *path[2:])
    return other if _value(data, other)[1] else path


def _written(document: Document, path: KeyPath) -> KeyPath:
    return _fallback(document.data, path)


def _existing(document: Document, path: KeyPath) -> KeyPath:
    """The longest prefix of a path that exists in the file."""
    while path not in document.values:
        path = path[:-1]
    return path


def _value(data: Any, path: KeyPath) -> tuple[Any, bool]:
    """The value at a path, and whether the path exists."""
    for key in path:
        there = (
            0 <= int(key) < len(data)
            if isinstance(data, list) and isinstance(key, int)
            else isinstance(data, Mapping) and key in data
        )
        if not there:
            return None, False
        data = data[key]
    return data, True


def _shown(value: Any) -> str:
    """The value as text, shortened, and without the credentials of an address."""
    text = re.sub(r"://[^/@\s\"]*@", "://***@", json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _VALUE_LENGTH else f"{text[:_VALUE_LENGTH]}..."


def _field(path: KeyPath) -> str:
    return "".join(_steps(path))


def _steps(path: KeyPath) -> Iterator[str]:
    for index, key in enumerate(path):
        if isinstance(key, int):
            yield f"[{key}]"
        else:
            yield f".{key}" if index else key

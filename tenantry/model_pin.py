"""Which model a tenant serves: the one line of platform.yaml that commands change for their user."""

import tempfile
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from constructs_lib.platform import Platform, Tenant
from inference.model_uri import ModelUri
from tenantry.errors import InputError


def find_tenant(file: Path, name: str) -> Tenant:
    """The tenant of that name, with its effective values.

    Raises:
        PlatformError: the file is wrong.
        InputError: it has no such tenant.
    """
    tenants = Platform.load(file).tenants
    for tenant in tenants:
        if tenant.name == name:
            return tenant
    raise InputError(f"{file} has no tenant '{name}'; it has {', '.join(tenant.name for tenant in tenants)}")


def pin(file: Path, tenant: str, uri: ModelUri) -> bool:
    """Write `uri` as the model of `tenant` and leave every other byte of the file as it was.

    Returns:
        Whether the file said something else before.

    Raises:
        PlatformError: the file would be wrong afterwards; it is left as it was.
        InputError: there is no such tenant, or its model does not stand in its own entry.
    """
    text = file.read_text(encoding="utf-8")
    node = _model_node(text, tenant)
    if node is None:
        raise InputError(f"{file}: tenant '{tenant}' has no line 'model:' of its own to change; add one")
    start, end = node.start_mark.index, node.end_mark.index
    end = start + len(text[start:end].rstrip())  # a block's end is the next line's beginning
    edited = text[:start] + str(uri) + text[end:]
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as directory:
        checked = Path(directory, file.name)
        checked.write_text(edited, encoding="utf-8")
        checked.chmod(file.stat().st_mode)
        Platform.load(checked)
        checked.replace(file)
    return edited != text


def _model_node(text: str, tenant: str) -> ScalarNode | None:
    for entry in _items(_value(YAML().compose(text), "tenants")):
        name = _value(entry, "name")
        model = _value(entry, "model")
        if isinstance(name, ScalarNode) and name.value == tenant and isinstance(model, ScalarNode):
            return model
    return None


def _items(node: Node | None) -> list[Node]:
    return list(node.value) if isinstance(node, SequenceNode) else []


def _value(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)

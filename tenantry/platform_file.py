"""What commands read from platform.yaml, and the lines of it that they change: a tenant's model and the images."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from constructs_lib.platform import Platform, Tenant
from inference.address import ModelUri
from tenantry.errors import InputError


def find_tenant(file: Path, name: str) -> Tenant:
    """The tenant of that name, with its effective values.

    Raises:
        PlatformError: the file is wrong.
        InputError: the file has no such tenant.
    """
    tenants = Platform.load(file).tenants
    for tenant in tenants:
        if tenant.name == name:
            return tenant
    raise InputError(f"{file} has no tenant '{name}'; it has {', '.join(tenant.name for tenant in tenants)}")


def find_tenants(file: Path, only: Sequence[str] = ()) -> tuple[Tenant, ...]:
    """The file's tenants, in its order: all of them, or only those that `only` names.

    Raises:
        PlatformError: the file is wrong.
        InputError: `only` names a tenant that the file does not have.
    """
    tenants = Platform.load(file).tenants
    names = [tenant.name for tenant in tenants]
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise InputError(f"{file} has no tenant '{unknown[0]}'; it has {', '.join(names)}")
    return tuple(tenant for tenant in tenants if tenant.name in only or not only)


def tenant_names(file: Path, only: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of `find_tenants`."""
    return tuple(tenant.name for tenant in find_tenants(file, only))


def require_model_line(file: Path, tenant: str) -> None:
    """Raise InputError unless `set_model` has a line to change for `tenant`."""
    _model_line(file, tenant)


def set_model(file: Path, tenant: str, uri: ModelUri) -> bool:
    """Write `uri` as the model of `tenant` and leave every other byte of the file as it was.

    Returns:
        Whether the file changed.

    Raises:
        PlatformError: the file would be wrong afterwards; it is left as it was.
        InputError: there is no such tenant, or it has no `model` line of its own.
    """
    return _replace(file, _model_line(file, tenant), str(uri))


def set_image(file: Path, image: str, onnx_image: str | None = None) -> bool:
    """Write the platform's images and leave every other byte of the file as it was.

    Args:
        file: platform.yaml.
        image: the platform's image.
        onnx_image: the image for tenants with runtime `onnx`. Its line is added below that of `image` if there is
            none; None leaves the file's.

    Returns:
        Whether the file changed.

    Raises:
        PlatformError: the file would be wrong afterwards; it is left as it was.
        InputError: there is no line `image:` to change.
    """
    with restored_on_error(file):
        # First, because tenants with runtime `onnx` need it as soon as `image` has a digest.
        changed = onnx_image is not None and _set_onnx_image(file, onnx_image)
        return _replace(file, _image_line(file), image) or changed


@contextmanager
def restored_on_error(file: Path) -> Iterator[None]:
    """Put the file back as it was if the block fails, whatever the reason."""
    before = file.read_bytes() if file.is_file() else None
    try:
        yield
    except BaseException:
        if before is not None:
            file.write_bytes(before)
        raise


def _model_line(file: Path, tenant: str) -> ScalarNode:
    for entry in _items(_value(_root(file), "tenants")):
        name, model = _value(entry, "name"), _value(entry, "model")
        if isinstance(name, ScalarNode) and name.value == tenant and isinstance(model, ScalarNode):
            return model
    raise InputError(f"{file}: tenant '{tenant}' has no line 'model:' of its own to change; add one")


def _image_line(file: Path) -> ScalarNode:
    node = _value(_value(_root(file), "platform"), "image")
    if not isinstance(node, ScalarNode):
        raise InputError(f"{file}: there is no line 'image:' under 'platform:' to change; add one")
    return node


def _set_onnx_image(file: Path, image: str) -> bool:
    above = _image_line(file)
    platform = _value(_root(file), "platform")
    present = _value(platform, "onnxImage")
    if isinstance(present, ScalarNode):
        return _replace(file, present, image)
    text = file.read_text(encoding="utf-8")
    end = _end(text, above)
    if isinstance(platform, MappingNode) and platform.flow_style:
        return _edit(file, end, end, f", onnxImage: {image}")
    line_end = text.find("\n", end)
    end = len(text) if line_end < 0 else line_end  # behind a comment on the line of `image`
    indent = " " * platform.start_mark.column if platform else ""
    return _edit(file, end, end, f"\n{indent}onnxImage: {image}")


def _replace(file: Path, node: ScalarNode, value: str) -> bool:
    text = file.read_text(encoding="utf-8")
    return _edit(file, node.start_mark.index, _end(text, node), value)


def _end(text: str, node: ScalarNode) -> int:
    start, end = node.start_mark.index, node.end_mark.index
    return int(start + len(text[start:end].rstrip()))  # a block's end is the next line's beginning


def _edit(file: Path, start: int, end: int, value: str) -> bool:
    """Replace a part of the file if the result is right; return whether that changes it."""
    text = file.read_text(encoding="utf-8")
    edited = text[:start] + value + text[end:]
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as directory:
        checked = Path(directory, file.name)
        checked.write_text(edited, encoding="utf-8")
        checked.chmod(file.stat().st_mode)
        Platform.load(checked)
        checked.replace(file)
    return edited != text


def _root(file: Path) -> Node | None:
    root: Node | None = YAML().compose(file.read_text(encoding="utf-8"))
    return root


def _items(node: Node | None) -> list[Node]:
    return list(node.value) if isinstance(node, SequenceNode) else []


def _value(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)

"""What commands read from platform.yaml, and the lines of it that they change."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from constructs_lib.platform import Platform, Tenant
from inference.address import ModelUri
from tenantry import yaml_edits
from tenantry.clusters import part_of
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


def find_tenants(file: Path, only: Sequence[str] = (), cluster: str | None = None) -> tuple[Tenant, ...]:
    """The file's tenants, in its order: all of them, those of one cluster, or only those that `only` names.

    Raises:
        PlatformError: the file is wrong.
        InputError: `only` names a tenant that the file or the cluster does not have, or the file does not list the
            cluster.
    """
    tenants = part_of(Platform.load(file), cluster).tenants
    names = [tenant.name for tenant in tenants]
    unknown = sorted(set(only) - set(names))
    if unknown:
        where = f" on cluster {cluster}" if cluster else ""
        raise InputError(f"{file} has no tenant '{unknown[0]}'{where}; it has {', '.join(names)}")
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


def set_values(file: Path, values: Mapping[tuple[str, ...], Any]) -> bool:
    """Write the values of keys, all or none of them, and leave every other byte of the file as it was.

    Args:
        file: platform.yaml.
        values: by the path of the key, as in `("platform", "dns", "port")`.

    Returns:
        Whether the file changed.

    Raises:
        PlatformError: the file would be wrong afterwards; it is left as it was.
    """
    text = file.read_text(encoding="utf-8")
    for path, value in values.items():
        text = yaml_edits.with_value(text, path, value)
    return _write(file, text)


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
    for entry in yaml_edits.items(yaml_edits.value(_root(file), "tenants")):
        name, model = yaml_edits.value(entry, "name"), yaml_edits.value(entry, "model")
        if isinstance(name, ScalarNode) and name.value == tenant and isinstance(model, ScalarNode):
            return model
    raise InputError(f"{file}: tenant '{tenant}' has no line 'model:' of its own to change; add one")


def _image_line(file: Path) -> ScalarNode:
    node = yaml_edits.value(yaml_edits.value(_root(file), "platform"), "image")
    if not isinstance(node, ScalarNode):
        raise InputError(f"{file}: there is no line 'image:' under 'platform:' to change; add one")
    return node


def _set_onnx_image(file: Path, image: str) -> bool:
    above = _image_line(file)
    platform = yaml_edits.value(_root(file), "platform")
    present = yaml_edits.value(platform, "onnxImage")
    if isinstance(present, ScalarNode):
        return _replace(file, present, image)
    text = file.read_text(encoding="utf-8")
    end = yaml_edits.end(text, above)
    if isinstance(platform, MappingNode) and platform.flow_style:
        return _edit(file, end, end, f", onnxImage: {image}")
    line_end = text.find("\n", end)
    end = len(text) if line_end < 0 else line_end  # behind a comment on the line of `image`
    indent = " " * platform.start_mark.column if platform else ""
    return _edit(file, end, end, f"\n{indent}onnxImage: {image}")


def _replace(file: Path, node: ScalarNode, value: str) -> bool:
    text = file.read_text(encoding="utf-8")
    return _edit(file, node.start_mark.index, yaml_edits.end(text, node), value)


def _edit(file: Path, start: int, end: int, value: str) -> bool:
    """Replace a part of the file if the result is right; return whether that changes it."""
    text = file.read_text(encoding="utf-8")
    return _write(file, text[:start] + value + text[end:])


def _write(file: Path, edited: str) -> bool:
    """Replace the file's text if the new one is right; return whether that changes it."""
    text = file.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as directory:
        checked = Path(directory, file.name)
        checked.write_text(edited, encoding="utf-8")
        checked.chmod(file.stat().st_mode)
        Platform.load(checked, folder=file.parent)
        checked.replace(file)
    return edited != text


def _root(file: Path) -> Node | None:
    return yaml_edits.root(file.read_text(encoding="utf-8"))

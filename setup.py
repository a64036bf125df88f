"""The compiled core, and how the repository's folders become one installed package.

The compiled modules are optional: without a C compiler, pure Python gives the same answers.

In the repository, `constructs_lib`, `inference` and the other folders are top-level packages. A wheel has one top-level
package, `tenantry`, and the others are inside it, so that they never collide with a project's own `imports/` or with
another distribution (docs/adr/0020). So a wheel's build renames `from inference import x` to
`from tenantry.inference import x`. A build in place and an editable install keep the repository's names.
"""

import os
import re
import sys
import tarfile
from pathlib import Path

from setuptools import Extension, find_namespace_packages, setup
from setuptools.command.build_py import build_py

# Fused multiply-add would make the last digit of an answer depend on the processor.
FLAGS = [] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]
WHEEL = "bdist_wheel" in sys.argv
PURE = os.environ.get("TENANTRY_PURE") == "1"
"""Leaves out the compiled modules: a wheel for every platform."""
MOVED = ("audit", "conformance", "constructs_lib", "imports", "inference")
IMPORT = re.compile(rf"^(\s*from )({'|'.join(MOVED)})(?=[. ])", re.MULTILINE)
COMPILED = ("model._linear", "model._ngrams", "model._scorer", "serving._bounds", "serving._distribution")
DATA = {
    "audit.permissions": ["*.json"],
    "imports": ["crds/*.yaml"],
    "imports.com.coreos.monitoring": ["_jsii/*"],
    "imports.io.k8s.networking.gateway": ["_jsii/*"],
    "inference.serving": ["page/*", "viewer/*"],
    "tenantry": ["template/*", "template/*/*"],
    "tenantry.local": ["*.html"],
}
"""Files beside modules; setuptools adds `py.typed` and `*.pyi`. A test compares the files of the wheel."""
SHIPPED = ("package.json", "package-lock.json")
"""Files that commands need in an installed package: copied to tenantry/shipped."""
LOCKS = ("requirements-build.lock", "requirements-serving.lock", "requirements-onnx.lock")
IMAGE = ("Dockerfile", ".dockerignore", *LOCKS, "setup.py")
"""With inference/: what `tenantry image` builds from."""


def installed(name: str) -> str:
    """The name of a package or module in what is built."""
    return f"tenantry.{name}" if WHEEL and name.partition(".")[0] in MOVED else name


def renamed(text: str) -> str:
    """A module's text with the installed names of the packages."""
    return IMPORT.sub(r"\1tenantry.\2", text)


def source(name: str) -> str:
    """The file that a compiled module is made from."""
    original = Path("inference", *name.split(".")).with_suffix(".pyx")
    if not WHEEL:
        return str(original)
    copy = Path("build", "renamed", original)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(renamed(original.read_text(encoding="utf-8")), encoding="utf-8")
    return str(copy)


class Build(build_py):
    """Renames imports and adds what commands need beside Python modules."""

    def run(self) -> None:
        """Build as setuptools does, then change the result."""
        super().run()
        if not WHEEL:
            return
        library = Path(self.build_lib, "tenantry")
        for path in [*library.rglob("*.py"), *library.rglob("*.pyi")]:
            if "template" not in path.relative_to(library).parts:
                path.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")
        shipped = library / "shipped"
        shipped.mkdir(exist_ok=True)
        for name in SHIPPED:
            self.copy_file(name, str(shipped / name))
        for path in _tracked(Path("terraform")):
            target = shipped / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self.copy_file(str(path), str(target))
        _pack(shipped / "image.tar")


def _tracked(folder: Path) -> list[Path]:
    """A folder's own files: not what Terraform downloads or writes there."""
    left_out = {".terraform", ".terraform.lock.hcl", "__pycache__", "tests"}
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not left_out & set(path.parts) and ".tfstate" not in path.name
    )


def _pack(archive: Path) -> None:
    """The image's build context, with the service's modules under their own names."""
    suffixes = {".py", ".pyx", ".pyi", ".html", ".css", ".js", ".svg", ".md", ".json", ".txt", ".gz"}
    sources = [path for path in _tracked(Path("inference")) if path.suffix in suffixes and "training" not in path.parts]
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in [*map(Path, IMAGE), *sources]:
            entry = tar.gettarinfo(path)
            entry.mtime, entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0o644, 0, 0, "", ""
            with path.open("rb") as content:
                tar.addfile(entry, content)


# imports/com and imports/io have no __init__.py: `cdk8s import` writes namespace packages.
PACKAGES = [
    name
    for name in find_namespace_packages(include=["tenantry*", *(f"{name}*" for name in MOVED)])
    if not {"template", "crds", "page", "viewer"} & set(name.split("."))
]

setup(
    packages=[installed(name) for name in PACKAGES],
    package_dir={installed(name): name for name in MOVED} if WHEEL else {},
    include_package_data=False,  # DATA lists the files; MANIFEST.in has more, for the image's archive
    package_data={installed(name): files for name, files in DATA.items()},
    cmdclass={"build_py": Build},
    ext_modules=[
        Extension(installed(f"inference.{name}"), [source(name)], extra_compile_args=FLAGS, optional=True)
        for name in COMPILED
        if not PURE
    ],
)

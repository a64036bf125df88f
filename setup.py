"""The compiled core, optional extensions: without a C compiler, pure Python gives the same answers."""

import sys

from setuptools import Extension, setup

# Fused multiply-add would make the last digit of an answer depend on the processor.
FLAGS = [] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]

setup(
    ext_modules=[
        Extension(
            f"inference.{name}", [f"inference/{name.replace('.', '/')}.pyx"], extra_compile_args=FLAGS, optional=True
        )
        for name in ("model._scorer", "serving._distribution")
    ]
)

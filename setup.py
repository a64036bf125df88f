"""The compiled scorer, an optional extension: where no C compiler is, the pure Python one gives the same answers."""

import sys

from setuptools import Extension, setup

# Fused multiply-add would make the last digit of an answer depend on the processor.
FLAGS = [] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"]

setup(ext_modules=[Extension("inference._scorer", ["inference/_scorer.pyx"], extra_compile_args=FLAGS, optional=True)])

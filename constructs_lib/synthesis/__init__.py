"""From a platform to manifests: what has not changed comes from a cache, the rest from several processes."""

from constructs_lib.synthesis.files import synth_file
from constructs_lib.synthesis.manifests import synth

__all__ = ["synth", "synth_file"]

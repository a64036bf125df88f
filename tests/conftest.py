"""Hypothesis without clocks: a busy machine is not a defect of the code. No cache of manifests: tests change code."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("tenantry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tenantry")

# A test that replaces a function in this process would store its manifests for a later one.
os.environ["TENANTRY_CACHE"] = "off"

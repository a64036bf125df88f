"""Hypothesis without clocks: a busy machine is no mistake of the code's."""

from hypothesis import HealthCheck, settings

settings.register_profile("tenantry", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tenantry")

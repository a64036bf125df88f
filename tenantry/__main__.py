"""`python -m tenantry`: the command, without its script on PATH."""

from tenantry.cli import app

app(prog_name="tenantry")

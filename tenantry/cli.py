"""The command's entry: it only registers the verbs."""

import typer

app = typer.Typer(
    name="tenantry",
    help="Isolated, monitored model serving for many tenants, from one file: platform.yaml.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

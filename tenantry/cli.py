"""The entry point: it registers the commands and turns errors into messages and exit codes.

A command is one function of the module with its name. `tenantry --help` shows the first line of its docstring; the last
paragraph is an example. It imports heavy modules (jsii, scikit-learn, a client) inside the function, so that
`--help` answers at once, and raises an error of `tenantry.errors` when it cannot do its work.
"""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from constructs_lib import __name__ as CONSTRUCTS  # noqa: N812 - names of modules
from inference import __name__ as SERVICE  # noqa: N812
from tenantry.commands import (
    apply,
    audit,
    bump,
    conformance,
    delivery,
    demo,
    down,
    e2e,
    image,
    import_model,
    init,
    keys,
    load,
    models,
    monitor,
    plan,
    preflight,
    publish,
    rollback,
    serve,
    silence,
    smoke,
    synth,
    train,
    up,
    usage,
    validate,
)
from tenantry.errors import CommandError
from tenantry.extras import missing_extra


class _Commands(TyperGroup):
    """Prints an expected error as one message instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            code = _exit_code(error)
            if code is None:
                raise
            typer.echo(f"{typer.style('error:', fg='red', bold=True)} {_message(error)}", err=True)
            raise typer.Exit(code) from error


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return missing_extra(error) or str(error)


def _exit_code(error: Exception) -> int | None:
    """The exit code that an expected error stands for, or None for a defect."""
    if isinstance(error, CommandError):
        return error.exit_code
    # An error of a module that was never imported cannot have been raised.
    for module, name, code in (
        (f"{CONSTRUCTS}.errors", "PlatformError", 2),
        (f"{CONSTRUCTS}.errors", "PropsError", 2),
        (f"{SERVICE}.errors", "InferenceError", 1),
    ):
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            return code
    # A package that an extra installs, or a file of the user's that cannot be read or written.
    expected = missing_extra(error) or (isinstance(error, OSError) and error.filename is not None)
    return 1 if expected else None


app = typer.Typer(
    cls=_Commands,
    name="tenantry",
    help="Isolated, monitored model serving for many tenants, from one file: platform.yaml.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong input.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

START, WRITE, CHECK, MODELS, CLUSTER = "Start here", "Write", "Check", "Models", "On a cluster"
"""The panels of `tenantry --help`."""

app.command("init", rich_help_panel=START)(init.init)
app.command("demo", rich_help_panel=START)(demo.demo)
app.command("serve", rich_help_panel=START)(serve.serve)
app.command("monitor", rich_help_panel=START)(monitor.monitor)
app.command("synth", rich_help_panel=WRITE)(synth.synth)
app.command("plan", rich_help_panel=WRITE)(plan.plan)
app.command("delivery", rich_help_panel=WRITE)(delivery.delivery)
app.command("bump", rich_help_panel=WRITE)(bump.bump)
app.add_typer(audit.audit, name="audit", rich_help_panel=CHECK)
app.command("train", rich_help_panel=MODELS)(train.train)
app.command("import", rich_help_panel=MODELS)(import_model.import_model)
app.command("publish", rich_help_panel=MODELS)(publish.publish)
app.command("models", rich_help_panel=MODELS)(models.models)
app.command("rollback", rich_help_panel=MODELS)(rollback.rollback)
app.command("conformance", rich_help_panel=MODELS)(conformance.conformance)
app.command("preflight", rich_help_panel=CLUSTER)(preflight.preflight)
app.command("up", rich_help_panel=CLUSTER)(up.up)
app.command("image", rich_help_panel=WRITE)(image.image)
app.command("smoke", rich_help_panel=CLUSTER)(smoke.smoke)
app.command("load", rich_help_panel=CLUSTER)(load.load)
app.command("down", rich_help_panel=CLUSTER)(down.down)
app.command("silence", rich_help_panel=CLUSTER)(silence.silence)
app.add_typer(keys.keys, name="keys", rich_help_panel=CLUSTER)
app.command("usage", rich_help_panel=CLUSTER)(usage.usage)
app.command("apply", rich_help_panel=CLUSTER)(apply.apply)
app.command("validate", rich_help_panel=CLUSTER)(validate.validate)
app.command("e2e", rich_help_panel=CLUSTER)(e2e.e2e)

"""How a command ends: 0 when it did what was asked, 1 when it failed, 2 when what it was given is wrong.

A verb raises one of these, PlatformError of `constructs_lib` or InferenceError of `inference`; `tenantry.cli` prints
the message on standard error and ends with the code. Anything else is a defect of ours and shows its traceback.
"""


class CommandError(Exception):
    """The command could not do its work; the message names the thing, what happened and what to do."""

    exit_code: int = 1


class InputError(CommandError):
    """What the user gave is wrong: an argument, a file, a variable. Nothing was changed."""

    exit_code = 2


class InterruptedByUserError(CommandError):
    """The user stopped the command before its work was done."""

    exit_code = 130  # as a shell reports SIGINT

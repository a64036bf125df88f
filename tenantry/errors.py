"""The exit codes of commands: 0 for success, 1 for a failure, 2 for wrong input.

A command raises one of these errors, PlatformError or PropsError of `constructs_lib`, or InferenceError of `inference`.
`tenantry.cli` prints the message on standard error and exits with the code. Any other error is a defect of this project
and shows its traceback.
"""


class CommandError(Exception):
    """The command failed; the message names the object, what happened and what to do."""

    exit_code: int = 1


class InputError(CommandError):
    """An argument, a file or a variable is wrong. Nothing was changed."""

    exit_code = 2


class InterruptedByUserError(CommandError):
    """The user stopped the command before it was done."""

    exit_code = 130  # as a shell reports SIGINT

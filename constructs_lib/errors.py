"""What a construct refuses."""


class PropsError(ValueError):
    """A construct was given something that it cannot build; the message names the prop, its value, the rule and the fix."""

"""The images that a tenant's pods may use."""

import json
from collections.abc import Iterable
from typing import Final

from constructs_lib.guard.policy import Policy, Rule

_CONTAINERS: Final = "containers", "initContainers", "ephemeralContainers"


def image_policy(repositories: Iterable[str], own: Iterable[str]) -> Policy:
    """The policy for an allow-list of repositories.

    Args:
        repositories: repositories, or folders of repositories.
        own: complete images, whose repositories are allowed, too.
    """
    listed, names = json.dumps(sorted(set(repositories))), json.dumps(sorted({_repository(image) for image in own}))
    # "registry.example" must not allow "registry.example:5000/service", which is another registry.
    same = "(i == a || ((i.startsWith(a + ':') || i.startsWith(a + '@')) && !i.substring(size(a)).contains('/')))"
    is_allowed = f"({listed}.exists(a, i.startsWith(a + '/') || {same}) || {names}.exists(a, {same}))"
    return Policy(
        name="images",
        resources={"": ("pods", "pods/ephemeralcontainers")},
        variables={
            "images": _images("object.spec"),
            # Controllers update pods that are older than the guard.
            "before": f"oldObject == null ? [] : {_images('oldObject.spec')}",
            "refused": f"variables.images.filter(i, !(i in variables.before) && !{is_allowed})",
        },
        rules=(
            Rule(
                holds="size(variables.refused) == 0",
                otherwise="the image is not from an allowed repository (platform.guard.images)",
                details=(
                    "'image ' + variables.refused.join(', ') + ' is not from an allowed repository "
                    "(platform.guard.images): ' + " + f"({listed} + {names}).join(', ')"
                ),
            ),
        ),
        restricts_controllers=True,
    )


def _images(spec: str) -> str:
    lists = [f"{spec}.?{each}.orValue([]).map(c, c.?image.orValue(''))" for each in _CONTAINERS]
    volumes = f"{spec}.?volumes.orValue([]).filter(v, has(v.image)).map(v, v.image.?reference.orValue(''))"
    return " + ".join([*lists, volumes])


def _repository(image: str) -> str:
    """An image's name without tag and digest."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"

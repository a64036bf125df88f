"""On drawn roles and bindings, the audit decides every request as the reference does."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from audit import read
from audit.permissions import Permissions
from tests.audit.api.requests import request_of
from tests.audit.drawing import Draw
from tests.audit.drawing.roles import draw_ask, draw_roles
from tests.audit.reference.rbac import allowed


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_decides_every_request_as_the_reference_does(random: Random) -> None:
    draw = Draw(random)
    objects = draw_roles(draw)
    permissions = Permissions(read.objects(objects, details=True).inventory)
    for _ in range(25):
        ask = draw_ask(draw, objects)
        # The defaults of a cluster are not part of the drawn objects.
        grants = [each for each in permissions.of(ask.user, ask.groups) if not each.default]
        said = any(each.allows(request_of(ask.review)) for each in grants)
        assert said == allowed(objects, ask.user, ask.groups, ask.review), ask

"""What a change does: what becomes possible and impossible, and which objects and values change.

`facts` says what an input makes possible, one statement at a time; `compare` subtracts the statements of two inputs;
`values` compares objects field by field, so that no change is silent.
"""

from audit.changes.change import Area, Change, Effect
from audit.changes.compare import changes

__all__ = ["Area", "Change", "Effect", "changes"]

"""Commands of people who need nobody's agreement: no policy holds them back."""

from functools import partial

from mdm.hub import steward
from mdm.hub.steward import NO_POLICY

decide = partial(steward.decide, policy=NO_POLICY)
undo_last = partial(steward.undo_last, policy=NO_POLICY)

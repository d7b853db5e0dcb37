"""Errors on two axes: would trying again help, and whose move is it?

`PoisonError` is about the input: never retried, the message becomes a dead letter. `TransientError` is about the
surroundings: retried, never skipped. `OperatorError` is about how the hub was set up or called: it stops the command
with a sentence that says what to do. Each leaf carries a stable `code`; HTTP statuses live in `api.errors` only.
"""

from datetime import datetime
from typing import ClassVar


class MdmError(Exception):
    """The base of every error the hub raises on purpose."""

    code: ClassVar[str] = "MDM"
    #: What the person who sees this should do.
    action: ClassVar[str] = ""

    def __init__(self, message: str, *, action: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = action if action is not None else self.action


class PoisonError(MdmError):
    """This message can never be processed as it is. It becomes a dead letter; other messages go on."""

    code = "POISON"

    def __init__(self, message: str, *, code: str | None = None, action: str | None = None) -> None:
        super().__init__(message, action=action)
        self.poison_code = code or self.code


class TransientError(MdmError):
    """The surroundings failed (database, broker). Trying again may help; nothing is skipped."""

    code = "TRANSIENT"


class OperatorError(MdmError):
    """The hub was set up or called in a way that cannot work. The message says what to change."""

    code = "OPERATOR"


class ConfigurationInvalid(OperatorError):
    """A setting, contract, mapping, model or rule set is wrong. Names the file and the line or key to fix."""

    code = "CONFIGURATION_INVALID"
    action = "Correct what the message names and start again."


class TrainingDisagrees(OperatorError):
    """Training without labels has found something else than the weights before: families of products, say, and not
    products. Nothing was written. Give more records or labels, or keep the weights that there are."""

    code = "TRAINING_DISAGREES"
    action = (
        "Leave out --afresh, give more records, or labels (--labels, --labelled), or keep the weights that there are: "
        "those that ship need no training. If you have seen that the new ones are right, add --accept-disagreement."
    )


class InvariantViolated(MdmError):
    """A unit of work would have written a state that must not exist. Nothing was written; this is a defect."""

    code = "INVARIANT_VIOLATED"


class NotFound(MdmError):
    """There is nothing under this name."""

    code = "NOT_FOUND"


class Gone(NotFound):
    """What was under this name has ended: its last source row is gone, or it was erased. The id stays spent."""

    code = "GONE"

    def __init__(self, message: str, *, name: str, since: datetime, erased: bool) -> None:
        super().__init__(message)
        self.name = name
        self.since = since
        self.erased = erased


class RowDeleted(NotFound):
    """The source row of this name was deleted in its platform. `last_entity` is the golden record it belonged to."""

    code = "ROW_DELETED"

    def __init__(self, message: str, *, last_entity: str, action: str | None = None) -> None:
        super().__init__(message, action=action)
        self.last_entity = last_entity


class Conflict(MdmError):
    """Somebody else changed what this command is about. Read it again and decide anew."""

    code = "CONFLICT"


class Stale(Conflict):
    """What the caller looked at has changed meanwhile. Look again; nothing was written."""

    code = "STALE"


class AnswerWaits(Conflict):
    """The question has an answer that waits for a second person. Approve or reject it; its author can withdraw it."""

    code = "ANSWER_WAITS"

    def __init__(self, proposal_id: int, author: str) -> None:
        super().__init__(
            f"{author} has proposed an answer to this question: proposal {proposal_id} waits for a second person.",
            action="Approve or reject that proposal; its author can withdraw it.",
        )
        self.proposal_id = proposal_id


class ParityUnproven(Conflict):
    """A matching model was seen to weigh pairs otherwise than Splink does, or nobody has looked: it may not decide.
    Simulate the release again, or keep the model in force and report the difference with the model's documents."""

    code = "PARITY_UNPROVEN"
    action = (
        "Keep the model in force. `mdm releases check matching DOMAIN FILE` shows the difference without a hub; report "
        "it with the documents. Where a package was upgraded, install the versions that the hub names (requirements/)."
    )


class Refused(MdmError):
    """This person may not do this: the role, a policy or the rule of two persons stands against it."""

    code = "REFUSED"


class Invalid(MdmError):
    """The command does not make sense as it was given. Says which part and what would."""

    code = "INVALID"

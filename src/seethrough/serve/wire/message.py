"""What all messages have in common, and the one that says what went wrong."""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Frozen; an unknown field is an error, in both directions."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- errors


class ErrorMessage(Message):
    """What every refused request answers."""

    what: str
    why: str
    fix: str

"""What a caller inside the server says about a move that a client may not say."""

from dataclasses import dataclass

CONTEXT_KEY = "opportunity_stage_move"


@dataclass(frozen=True)
class StageMove:
    """How the stage of an opportunity comes to change. Travels in the context of the records.

    Only an instance of this class is believed, and an object cannot arrive by RPC: a client that
    sends the key sends text or numbers, which count as nothing.

    :param trigger: ``trigger`` of the visits that the move opens.
    :param reason: kept on those visits.
    :param bookkeeping: the write stores what was derived from a move; nothing is gated or logged again.
    """

    trigger: str = "manual"
    reason: str | None = None
    bookkeeping: bool = False

    @classmethod
    def of(cls, records):
        """The move announced by the context of the records, or an ordinary one."""
        move = records.env.context.get(CONTEXT_KEY)
        return move if isinstance(move, cls) else cls()

    def on(self, records):
        """The same records, carrying this move."""
        return records.with_context(**{CONTEXT_KEY: self})

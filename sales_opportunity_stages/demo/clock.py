import threading
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo import fields


@contextmanager
def at(env, moment):
    """Let what this thread does in the transaction happen at a moment of the past, and be dated so.

    The clocks of the models and of the transaction are put back; other threads of the server keep theirs. What waits
    for the commit, such as the chatter's notes of what was tracked, is done before the clock goes on.

    :param datetime moment: in UTC, without microseconds
    """
    cr, real_now = env.cr, env.cr._now
    env.flush_all()
    with ExitStack() as clocks:
        for owner, name, told in (
            (fields.Datetime, "now", lambda: moment),
            (fields.Date, "today", moment.date),
            (fields.Date, "context_today", lambda: moment.date()),
        ):
            clocks.enter_context(patch.object(owner, name, staticmethod(_in_this_thread(told, getattr(owner, name)))))
        cr._now = moment
        try:
            yield
            cr.flush()
        finally:
            cr._now = real_now


def _in_this_thread(told, real):
    """What tells another time in the thread that asks for it, and the real one in all others."""
    here = threading.get_ident()
    return lambda *args, **kwargs: told() if threading.get_ident() == here else real(*args, **kwargs)

"""What the races share: people in processes of their own, each step at the same moment, each in its own transaction."""

import argparse
import multiprocessing
from contextlib import contextmanager

from psycopg2 import OperationalError

import odoo
from odoo.api import SUPERUSER_ID, Environment
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying


def make_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--trials", type=int, default=50)
    return parser


def parse_arguments(description):
    return make_parser(description).parse_args()


@contextmanager
def environment(arguments):
    """A superuser's environment on the database, committed at the end."""
    odoo.tools.config.parse_config(["-c", arguments.config, "-d", arguments.database, "--log-level=critical"])
    with Registry(arguments.database).cursor() as cr:
        yield Environment(cr, SUPERUSER_ID, {})


def _take_part(arguments, step, items, barrier, results):
    odoo.tools.config.parse_config(["-c", arguments.config, "-d", arguments.database, "--log-level=critical"])
    registry = Registry(arguments.database)
    for item in items:
        barrier.wait()
        with registry.cursor() as cr:
            env = Environment(cr, SUPERUSER_ID, {})
            try:
                results.append((item, retrying(lambda env=env, item=item: step(env, item), env)))
            except (UserError, OperationalError) as refusal:
                cr.rollback()
                results.append((item, str(refusal)))


def compete(arguments, contestants):
    """Let people work through their items, step by step at the same moment.

    :param contestants: pairs of a function ``step(env, item)``, defined at the top of a module, and its items
    :returns: for each of them ``{item: what the step returned, or why it was refused}``
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(contestants))
    with context.Manager() as manager:
        results = [manager.list() for _contestant in contestants]
        people = [
            context.Process(target=_take_part, args=(arguments, step, items, barrier, result))
            for (step, items), result in zip(contestants, results, strict=True)
        ]
        for person in people:
            person.start()
        for person in people:
            person.join()
        return [dict(result) for result in results]

"""Tests of a database of the previous release that was upgraded: ``./test --with upgrade`` runs them."""

from . import test_upgrade

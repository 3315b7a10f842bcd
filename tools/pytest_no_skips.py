"""A pytest plugin: a skipped test has not passed, so a run that skips one fails and says which."""

import pytest

skipped = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[skipped] = []


class _Collector:
    def __init__(self, found):
        self.found = found

    def pytest_runtest_logreport(self, report):
        """Note a test that was skipped; an expected failure is reported in the same way but did run."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.found.append((report.nodeid, report.longrepr))

    def pytest_collectreport(self, report):
        """Note a whole file that skipped itself."""
        if report.skipped:
            self.found.append((report.nodeid, report.longrepr))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    session.config.pluginmanager.register(_Collector(session.config.stash[skipped]))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if session.config.stash[skipped] and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if config.stash[skipped]:
        terminalreporter.section("skipped tests, which count as failures", red=True)
        for nodeid, reason in config.stash[skipped]:
            terminalreporter.write_line(f"{nodeid}: {reason[2] if isinstance(reason, tuple) else reason}")

"""Tests with apps that the add-on does not depend on: each file names the one that has to be installed.

They are not imported with the other tests. Run them on a database that has the apps: ``SALES_APPS=1`` lets pytest
collect them.
"""

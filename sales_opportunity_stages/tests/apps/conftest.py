"""Leave the tests of this folder out of a run, unless its database has the apps that they need."""

import os

collect_ignore_glob = [] if os.environ.get("SALES_APPS") else ["*"]

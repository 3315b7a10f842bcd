"""Set-up, start and tests of the add-ons, with nothing but Python's standard library.

`run`, `test` and `lint` are the commands; every other module knows one thing: where Odoo, the Python environment,
PostgreSQL or the browser comes from, how databases are made and copied, what is printed.
"""

"""PostgreSQL and Valkey as child processes, used where the environment names none.

Everything here knows only a directory, *home*, and imports neither Django nor the rest of the
project: ``smarketing.env`` asks it for addresses, ``manage.py`` and the tests for running servers.
"""

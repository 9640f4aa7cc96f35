"""The store: tables, repositories, migrations and the vault. No network and no Qt.

A repository is a module of functions over one `Connection`; `Store.read` and `Store.write` (see
`store.py`) run them in a transaction on the right thread. Repositories return contract values and
the records of `records.py`, never rows.
"""

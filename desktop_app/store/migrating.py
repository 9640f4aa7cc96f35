"""Runs the migration scripts. The only module that imports Alembic outside of the scripts."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migration_config(scripts: Path) -> Config:
    """Return Alembic's settings for the scripts in a folder."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return config


def run_migrations(connection: Connection, scripts: Path) -> None:
    """Bring the database to the newest revision, in the connection's transaction."""
    config = migration_config(scripts)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

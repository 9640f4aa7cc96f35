"""One index of the ledger for an account's steps and for an item's: every step is written once."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_ledger_step_item_id"), table_name="ledger_step")
    op.drop_index(op.f("ix_ledger_step_account_id_at"), table_name="ledger_step")
    op.create_index(
        op.f("ix_ledger_step_account_id_at_item_id"),
        "ledger_step",
        ["account_id", "at", "item_id"],
    )

"""Which account a name belongs to for good, and which agents had an item before."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_name",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("platform_url", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "platform_url", "username", name=op.f("pk_account_name")
        ),
    )
    # Two accounts may differ in the case of their platform's address only: the older one is kept.
    op.execute(
        "INSERT INTO account_name (platform, platform_url, username, account_id, fence) "
        "SELECT platform, lower(platform_url), lower(username), min(id), max(fence) FROM account "
        "GROUP BY platform, lower(platform_url), lower(username)"
    )
    op.create_table(
        "former_holder",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "agent_id", name=op.f("pk_former_holder")),
    )
    # An earlier release did not note who had an item: nobody is ruled out for what is not settled.
    op.execute(
        "INSERT INTO former_holder (item_id, agent_id) "
        "SELECT DISTINCT item_id, '' FROM publish_intent WHERE state <> 'confirmed'"
    )

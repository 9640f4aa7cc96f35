"""Attention cards, what settles a doubt, agents that drain or are compared, accounts that move."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account") as batch_op:
        batch_op.add_column(sa.Column("moving_to", sa.String(), nullable=True))
    _upgrade_agents()
    _upgrade_items()
    with op.batch_alter_table("publish_intent") as batch_op:
        batch_op.add_column(sa.Column("baseline", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("sent_at", sa.Float(), nullable=True))
        batch_op.add_column(
            sa.Column("must_look", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with op.batch_alter_table("ledger_step") as batch_op:
        batch_op.add_column(sa.Column("baseline", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("sighted", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("by", sa.String(), server_default="", nullable=False))
        batch_op.create_index(batch_op.f("ix_ledger_step_account_id_at"), ["account_id", "at"])
    _create_cards()


def _upgrade_agents() -> None:
    with op.batch_alter_table("agent") as batch_op:
        batch_op.add_column(sa.Column("cursor_at", sa.Float(), nullable=True))
        batch_op.add_column(
            sa.Column("generation", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column(
                "foreign_items", sa.JSON(none_as_null=True), server_default="[]", nullable=False
            )
        )
        batch_op.add_column(
            sa.Column("is_draining", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    # What was compared under the old release counts: nothing has to wait.
    op.execute(
        "UPDATE agent SET generation = "
        "COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'generation'), 0)"
    )


def _upgrade_items() -> None:
    with op.batch_alter_table("item") as batch_op:
        batch_op.add_column(sa.Column("offered_at", sa.Float(), nullable=True))
    # The old release did not note what it had sent: any of these may be at its agent.
    op.execute(
        "UPDATE item SET offered_at = changed_at "
        "WHERE state = 'queued' AND accepted_at IS NULL AND agent_id IS NOT NULL"
    )


def _create_cards() -> None:
    op.create_table(
        "attention_card",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("action_id", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("sighted", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("looked_at", sa.Float(), nullable=True),
        sa.Column("opened_at", sa.Float(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answer_remote_id", sa.String(), nullable=False),
        sa.Column("answer_url", sa.String(), nullable=False),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("told_at", sa.Float(), nullable=True),
        sa.Column("resolved_at", sa.Float(), nullable=True),
        sa.Column("resolution", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attention_card")),
    )
    with op.batch_alter_table("attention_card", schema=None) as batch_op:
        for column in ("account_id", "item_id", "resolved_at"):
            batch_op.create_index(batch_op.f(f"ix_attention_card_{column}"), [column])
        batch_op.create_index(
            "uq_attention_card_action_id",
            ["action_id"],
            unique=True,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        )
    # Doubts of the old release waited for a person without a card: each gets its card now.
    op.execute(
        "INSERT INTO attention_card (id, kind, account_id, run_id, item_id, action_id, note, "
        "sighted, looked_at, opened_at, answer, answer_remote_id, answer_url, answered_at, "
        "answered_by, told_at, resolved_at, resolution) "
        "SELECT item.id, 'unresolved_publish', item.account_id, item.run_id, item.id, "
        "publish_intent.id, '', '[]', NULL, item.changed_at, NULL, '', '', NULL, '', NULL, NULL, "
        "'' "
        "FROM publish_intent JOIN item ON item.id = publish_intent.item_id "
        "WHERE publish_intent.state = 'unresolved' AND item.state = 'needs_operator'"
    )

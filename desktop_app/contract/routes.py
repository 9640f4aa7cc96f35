"""The paths of the local API, and the file that tells clients where the core listens."""

from common.access import WireSecret
from desktop_app.contract.base import Value

ENDPOINT_FILE = "core.json"
"""In the store's data folder, readable by its owner only; an `Endpoint`."""

LOCK_HELD_STATUS = 3
"""Exit status of a core that found another one serving the same store."""

HEALTH = "/v1/health"
OVERVIEW = "/v1/overview"
ACCOUNTS = "/v1/accounts"
ACCOUNTS_IMPORT = "/v1/accounts/import"
ACCOUNTS_EDIT = "/v1/accounts/edit"
ACCOUNTS_HOLD = "/v1/accounts/hold"
ACCOUNTS_DELETE = "/v1/accounts/delete"
PROXIES = "/v1/proxies"
AGENTS = "/v1/agents"
AGENTS_PAIR = "/v1/agents/pair"
AGENTS_FORGET = "/v1/agents/forget"
MEDIA = "/v1/media"
MEDIA_IMPORT = "/v1/media/import"
MEDIA_DELETE = "/v1/media/delete"
MEDIA_THUMBNAIL = "/v1/media/{sha256}/thumbnail"
RUNS = "/v1/runs"
RUN = "/v1/runs/{run_id}"
RUN_ITEMS = "/v1/runs/{run_id}/items"
RUN_CONTROL = "/v1/runs/{run_id}/control"
RUN_LOG = "/v1/runs/{run_id}/log"
ITEM_LEDGER = "/v1/items/{item_id}/ledger"
ACCOUNT_LEDGER = "/v1/accounts/{account_id}/ledger"
ACCOUNTS_MOVE = "/v1/accounts/move"
WORK_CONTROL = "/v1/work/control"
AGENTS_DRAIN = "/v1/agents/drain"
CARDS = "/v1/cards"
CARD_ACT = "/v1/cards/{card_id}/act"
TASK_TYPES = "/v1/task-types"
SHUTDOWN = "/v1/shutdown"
CHANGES = "/v1/changes"
SCREENS = "/v1/screens"


class Endpoint(Value):
    """Where the core of a store listens, and the token to show."""

    url: str
    token: WireSecret
    pid: int
    app: str
    """Release, so that a client can tell an older core."""


class TaskTypeRow(Value):
    """One task type, with the JSON schema of its parameters."""

    kind: str
    number: int
    title: str
    summary: str
    icon: str
    parameters: dict[str, object]

"""`flotilla tasks run KIND …`: one command per task type, with flags made from its parameters.

Parameters that are no single value or list of texts are given in a JSON file, which the flags of
the same command override.
"""

import json
import types
from collections.abc import Iterable
from enum import Enum
from typing import Any, Union, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from common.errors import InputError
from common.tasks.catalogue import TASK_TYPES
from common.tasks.task_type import TaskType
from desktop_app.client.core_client import CoreClient
from desktop_app.commands.runs import print_watch
from desktop_app.commands.session import (
    EXIT_FAILED,
    Session,
    pass_session,
    print_table,
    read_text,
)
from desktop_app.contract.runs import Preflight, RunStarted, RunTask, Targets

_SHOWN_ITEMS = 20


@click.group()
def tasks() -> None:
    """Tasks: start a run."""


@tasks.group()
def run() -> None:
    """Judge a batch as a whole, then start it."""


def _command(task: TaskType) -> click.Command:
    options = [
        click.Option(
            ["--target", "targets"],
            multiple=True,
            help="tag:NAME, user:NAME or id:ACCOUNT; may be repeated.",
        ),
        click.Option(["--parameters"], help="JSON file with parameters; - for standard input."),
        click.Option(["--name"], default="", help="Name of the run."),
        click.Option(["--dry-run"], is_flag=True, help="Only judge; start nothing."),
        click.Option(["--watch"], is_flag=True, help="Stay until the run has ended."),
        *_flags(task),
    ]

    @pass_session
    def callback(session: Session, /, **given: Any) -> None:
        _run(session, task, given)

    return click.Command(
        task.kind.replace("_", "-"), params=list(options), callback=callback, help=task.summary
    )


def _run(session: Session, task: TaskType, given: dict[str, Any]) -> None:
    command = RunTask(
        task=task.kind,
        parameters=_parameters(task, given),
        targets=read_targets(given["targets"]),
        name=given["name"],
        dry_run=given["dry_run"],
    )

    if command.targets == Targets():
        raise InputError(
            "No account was named.",
            field="target",
            advice="Name accounts with --target tag:NAME, user:NAME or id:ACCOUNT.",
        )

    async def work(client: CoreClient) -> tuple[RunStarted, bool]:
        started = await client.run_task(command)
        session.show(started, lambda: _print_started(started))
        if started.run_id is None or not given["watch"]:
            return started, True
        return started, await print_watch(session, client, started.run_id)

    started, went_well = session.run(work)
    if not started.preflight.may_start or not went_well:
        raise SystemExit(EXIT_FAILED)


def read_targets(texts: Iterable[str]) -> Targets:
    """Read targets as the command line writes them; raises InputError for one that fits nowhere."""
    found: dict[str, list[str]] = {"tag": [], "user": [], "id": []}
    for text in texts:
        kind, _, value = text.partition(":")
        if kind not in found or not value:
            raise InputError(
                f"The target {text!r} cannot be read.",
                field="target",
                advice="Write tag:NAME, user:NAME or id:ACCOUNT.",
            )
        found[kind].append(value)
    return Targets(tags=found["tag"], usernames=found["user"], account_ids=found["id"])


def _parameters(task: TaskType, given: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    if given["parameters"]:
        parameters = _read_json(given["parameters"])
    for name in task.parameters.model_fields:
        value = given.get(name)
        if value is not None and value != ():
            parameters[name] = list(value) if isinstance(value, tuple) else value
    return parameters


def _read_json(name: str) -> dict[str, Any]:
    try:
        found = json.loads(read_text(name))
    except json.JSONDecodeError as problem:
        raise InputError(
            f"{name} is no JSON: {problem.msg}.", subject=name, line=problem.lineno
        ) from None
    if not isinstance(found, dict):
        raise InputError(f"{name} holds no JSON object.", subject=name)
    return found


def _flags(task: TaskType) -> Iterable[click.Option]:
    for name, field in task.parameters.model_fields.items():
        option = _flag(name, field)
        if option is not None:
            yield option


def _flag(name: str, field: FieldInfo) -> click.Option | None:
    """Make an option of a parameter; None where it is too rich for one."""
    kind, is_list = _simple_type(field.annotation)
    if kind is None:
        return None
    flag = f"--{name.replace('_', '-')}"
    text = _help(field)
    if kind is bool:
        both = f"{flag}/--no-{name.replace('_', '-')}"
        return click.Option([both, name], default=None, help=text)
    shown = kind
    if isinstance(kind, type) and issubclass(kind, Enum):
        shown = click.Choice([member.value for member in kind])
    return click.Option([flag, name], type=shown, multiple=is_list, default=None, help=text)


def _help(field: FieldInfo) -> str:
    """Return what a parameter is, and what it is where nothing is said."""
    default = field.get_default(call_default_factory=True)
    given = default.value if isinstance(default, Enum) else default
    if isinstance(given, bool):
        given = "yes" if given else "no"
    is_shown = not field.is_required() and given not in (None, "", [], {})
    return f"{field.description or ''} {f'[default: {given}]' if is_shown else ''}".strip()


def _simple_type(annotation: Any) -> tuple[Any, bool]:
    """Return the type of one value, and whether several are taken; None for anything richer."""
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _simple_type(kinds[0]) if len(kinds) == 1 else (None, False)
    if get_origin(annotation) is list:
        kind, is_list = _simple_type(get_args(annotation)[0])
        return (kind, True) if kind in {str, int} and not is_list else (None, False)
    if annotation in {bool, int, float, str}:
        return annotation, False
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation, False
    return None, False


def _print_started(started: RunStarted) -> None:
    _print_preflight(started.preflight)
    if started.run_id:
        click.echo(f"Started run {started.run_id} with {len(started.preflight.items)} items.")
    elif not started.preflight.may_start:
        click.echo("Nothing was started.")


def _print_preflight(preflight: Preflight) -> None:
    for problem in preflight.problems:
        where = " ".join(
            part
            for part in (f"@{problem.username}" if problem.username else "", _post(problem.post))
            if part
        )
        click.echo(f"{problem.severity}: {where + ': ' if where else ''}{problem.message}")
    print_table(
        ("Account", "What", "Driver", "Agent"),
        (
            (item.username, item.title, item.driver, item.agent)
            for item in preflight.items[:_SHOWN_ITEMS]
        ),
    )
    if len(preflight.items) > _SHOWN_ITEMS:
        click.echo(f"… and {len(preflight.items) - _SHOWN_ITEMS} more")


def _post(number: int | None) -> str:
    return f"post {number}" if number else ""


for _task in TASK_TYPES:
    run.add_command(_command(_task))

"""The agent's figures in Prometheus text, read from their owners when asked for."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.server.context import AgentContext


class _AgentCollector(Collector):
    def __init__(self, context: AgentContext) -> None:
        self._context = context

    def collect(self) -> Iterable[Metric]:
        """Return every metric, as of now."""
        health = self._context.health()
        yield _gauge("items_running", "Items that run now.", health.running)
        yield _gauge("items_waiting", "Items that wait for their turn.", health.waiting)
        yield _gauge(
            "outbox_events", "Events that wait for an acknowledgement.", health.unacknowledged
        )
        yield _gauge("links", "Control links that are open.", health.links)
        yield _gauge("loop_lag_seconds", "How late the event loop is.", health.loop_lag)
        yield _gauge("disk_free_bytes", "Bytes free where the data lies.", health.disk_free)
        yield _gauge(
            "disk_full", "1 while nothing new starts for want of room.", health.is_disk_full
        )
        yield _gauge("blob_bytes", "Bytes of media kept.", self._context.blobs.stored_bytes)
        yield from self._counters()

    def _counters(self) -> Iterable[Metric]:
        tally = self._context.supervisor.tally
        ended = CounterMetricFamily(
            "flotilla_agent_items_settled", "Items that left a runner.", labels=["state"]
        )
        for state, count in tally.ended.items():
            ended.add_metric([state.value], count)
        yield ended
        steps = CounterMetricFamily(
            "flotilla_agent_action_steps", "Steps of external effects.", labels=["state"]
        )
        for step, count in tally.steps.items():
            steps.add_metric([step.value], count)
        yield steps
        yield CounterMetricFamily(
            "flotilla_agent_runners_lost",
            "Runner processes that ended unasked.",
            value=tally.runners_lost,
        )


class Metrics:
    """The metrics of one agent, in a registry of their own."""

    def __init__(self, context: AgentContext) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_AgentCollector(context))

    def text(self) -> bytes:
        """Return them in Prometheus' text format."""
        return generate_latest(self._registry)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"flotilla_agent_{name}", text, value=value)

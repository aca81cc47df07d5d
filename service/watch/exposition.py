"""What Prometheus reads: everything that `overall` knows, in its text format or in OpenMetrics, as it asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from service.config import Config
from service.watch.caps import Used
from service.watch.freshness import TARGET
from service.watch.meters import Reading
from service.watch.overall import Overall
from service.watch.presence import ROLES
from service.watch.states import BY_PROVIDER, CONDITIONS, STEPS, States
from service.watch.zeros import Series


def render(
    found: Overall, capped: Sequence[Used], expected: Iterable[Series], config: Config, accept: str
) -> tuple[bytes, str]:
    """The page and its content type, for what the request says that it accepts. What is `expected` stands there as 0 until it was
    counted."""
    registry = CollectorRegistry()
    registry.register(_Page(found, capped, expected, config))
    encode, content_type = choose_encoder(accept)
    page: bytes = encode(registry)
    return page, content_type


class _Page(Collector):
    def __init__(self, found: Overall, capped: Sequence[Used], expected: Iterable[Series], config: Config) -> None:
        self.found, self.capped, self.expected, self.config = found, capped, expected, config

    def describe(self) -> Sequence[Metric]:
        return ()  # so that registering it collects nothing

    def collect(self) -> Iterator[Metric]:
        found = self.found
        yield _gauge("warmline_build_info", "The version that answers.", ("version",), [((version("warmline"),), 1)])
        yield _gauge(
            "warmline_part_up",
            "Whether a part could be read: 1, or 0.",
            ("part",),
            [
                (("database",), found.database_up),
                (("states",), found.states is not None),
                (("queue",), found.queue_up),
            ],
        )
        yield _gauge("warmline_scrape_seconds", "How long it took to read all of this.", (), [((), found.took)])
        if found.states is not None:
            yield from _states(found.states)
        yield from _caps(self.capped)
        if found.queue is not None:
            yield from _queue(found)
        if found.database_up:
            yield from _freshness(found, self.config)
        if found.readings is not None:  # a 0 for what could not be read would look like a restart
            yield from _read(_with_zeros(found.readings, self.expected))


# --- states ---------------------------------------------------------------------------------------------------


def _states(found: States) -> Iterator[Metric]:
    due = {(each.step, each.provider): each for each in found.backlog}
    # A step without a backlog says 0: what is not there raises no alarm, and is none.
    places = sorted({*due, *((step, "") for step in STEPS if step not in BY_PROVIDER), *_places(found)})
    yield _gauge("warmline_due", "Rows that are due and that nobody works on.", ("step", "provider"),
                 [(place, due[place].rows if place in due else 0) for place in places])  # fmt: skip
    yield _gauge("warmline_lag_seconds", "Since when the oldest of them is due.", ("step", "provider"),
                 [(place, due[place].lag if place in due else 0) for place in places])  # fmt: skip
    yield _gauge("warmline_pulls_under_way", "Streams that a worker holds.", (), [((), found.under_way)])
    yield _gauge("warmline_connections", "Connections by how they are.", ("provider", "condition"),
                 [(place, number) for place, number in sorted(_whole(found).items())])  # fmt: skip
    parked = {provider: 0 for provider, _ in found.connections} | dict(found.parked)
    yield _gauge("warmline_parked_tasks", "Tasks that the CRM refuses.", ("provider",),
                 [((provider,), number) for provider, number in sorted(parked.items())])  # fmt: skip
    unread = {provider: 0 for provider, _ in found.connections} | dict(found.unread)
    yield _gauge("warmline_unread_streams", "Streams that were not read for much longer than they may be left alone, and need somebody.", ("provider",),
                 [((provider,), number) for provider, number in sorted(unread.items())])  # fmt: skip
    yield _gauge("warmline_spend_month_dollars", "What reading has cost all workspaces in this month (UTC), by the price lists.", (),
                 [((), found.spent / 1_000_000)])  # fmt: skip


def _places(found: States) -> Iterator[tuple[str, str]]:
    """Where something could be due: every step that goes by provider, at every provider that somebody has connected."""
    for provider, _ in found.connections:
        yield from ((step, provider) for step in BY_PROVIDER)


def _whole(found: States) -> Counter[tuple[str, str]]:
    """Every condition at every provider, those of nobody with 0: an alarm that is over has to see that."""
    whole = Counter({(provider, condition): 0 for provider, _ in found.connections for condition in CONDITIONS})
    whole.update(found.connections)
    return whole


def _caps(capped: Sequence[Used]) -> Iterator[Metric]:
    labels = ("provider", "price")
    yield _gauge("warmline_capped_reads", "What all workspaces have read in this month (UTC) of what the provider caps.", labels,
                 [((each.provider, each.cap.name), each.reads) for each in capped])  # fmt: skip
    yield _gauge("warmline_capped_reads_most", "The most that the provider lets this installation read of it in a month.", labels,
                 [((each.provider, each.cap.name), each.cap.most) for each in capped])  # fmt: skip


# --- queue and processes --------------------------------------------------------------------------------------


def _queue(found: Overall) -> Iterator[Metric]:
    assert found.queue is not None
    yield _gauge("warmline_queue_jobs", "Jobs that wait in the queue.", (), [((), found.queue.waiting)])
    yield _gauge("warmline_failed_jobs", "Jobs that ended by an error of ours within a day.", (), [((), found.queue.failed)])  # fmt: skip
    yield _gauge("warmline_broken_off_jobs", "Jobs that ended as the queue or their worker did within a day.", (), [((), found.queue.broken_off)])  # fmt: skip
    yield _gauge("warmline_processes", "Processes at work.", ("role",), [((role,), len(found.alive(role))) for role in ROLES])  # fmt: skip
    yield _gauge("warmline_silent_processes", "Processes that fell silent without a goodbye within an hour.", ("role",),
                 [((role,), len(found.silent(role))) for role in ROLES])  # fmt: skip
    pooled = [each for role in ROLES for each in found.alive(role) if each.pool_size]
    yield _gauge("warmline_database_connections", "Connections to PostgreSQL in use at most, of all processes of a role.", ("role",),
                 [((role,), sum(each.pool_used for each in pooled if each.role == role)) for role in ROLES])  # fmt: skip
    yield _gauge("warmline_database_pool_fullest_ratio", "How full the fullest pool of one process is.", ("role",),
                 [((role,), max((each.pool_used / each.pool_size for each in pooled if each.role == role), default=0)) for role in ROLES])  # fmt: skip
    yield _gauge("warmline_clock_skew_seconds", "How far the clock that is off most is from the database's.", (),
                 [((), max(map(abs, found.skews.values()), default=0.0))])  # fmt: skip
    if found.housekeeping_age is not None:
        yield _gauge("warmline_housekeeping_age_seconds", "Since when nothing was tidied up.", (), [((), found.housekeeping_age)])  # fmt: skip


# --- the objective --------------------------------------------------------------------------------------------


def _freshness(found: Overall, config: Config) -> Iterator[Metric]:
    windows = found.windows
    yield _gauge("warmline_freshness_burn_rate", "How fast the objective's allowance is used up: at 1 it lasts for its period.", ("window",),
                 [((name,), window.burn) for name, window in windows.items()])  # fmt: skip
    each = [((kind, name), window) for kind, of_kind in found.kinds.items() for name, window in of_kind.items()]
    yield _gauge("warmline_freshness_tasks", "Tasks that came to stand in a CRM.", ("kind", "window"), [(labels, window.tasks) for labels, window in each])  # fmt: skip
    yield _gauge("warmline_freshness_late_tasks", "Those of them that came late.", ("kind", "window"), [(labels, window.late) for labels, window in each])  # fmt: skip
    yield _gauge("warmline_freshness_objective_ratio", "The share of tasks that should come in time.", (), [((), TARGET)])  # fmt: skip
    yield _gauge("warmline_freshness_within_seconds", "What in time means.", (), [((), config.freshness.total_seconds())])  # fmt: skip


# --- what was counted -----------------------------------------------------------------------------------------


def _with_zeros(readings: Sequence[Reading], expected: Iterable[Series]) -> Iterator[Reading]:
    counted = {(each.meter, each.labels) for each in readings}
    yield from readings
    yield from (Reading(*series) for series in expected if series not in counted)


def _read(readings: Iterable[Reading]) -> Iterator[Metric]:
    families: dict[str, CounterMetricFamily | HistogramMetricFamily] = {}
    for each in readings:
        meter = each.meter
        kind = HistogramMetricFamily if meter.buckets else CounterMetricFamily
        family = families.setdefault(meter.name, kind(meter.name, meter.about, labels=meter.labels))
        if isinstance(family, HistogramMetricFamily):
            bounds = [*(f"{bound:g}" for bound in meter.buckets), "+Inf"]
            counted = list(zip(bounds, accumulate(each.buckets), strict=True))
            family.add_metric(each.labels, counted, sum_value=each.seconds)
        else:
            family.add_metric(each.labels, each.count)
    yield from families.values()


def _gauge(
    name: str, about: str, labels: tuple[str, ...], values: Sequence[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=labels)
    for chosen, value in values:
        family.add_metric(chosen, float(value))
    return family

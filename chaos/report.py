"""What came of a run, for people."""

from __future__ import annotations

from chaos import compare
from chaos.episode import NORMAL_WITHIN
from chaos.record import Episode


def words(episode: Episode) -> str:
    """A few lines; the seed first, since it makes the plan again."""
    size, counts = episode.size, episode.differences.counts()
    begun_with = f"--seed {size.seed} --faults {size.faults} --posts {size.posts}"
    kept = "keeps our key unique" if size.unique else "does not keep our key unique"
    met = f"{episode.injected.total():,} faults, up to {episode.at_once} going on at once, and {episode.posts:,} posts"
    lines = [
        f"Seed {size.seed} (the same plan of faults: {begun_with})",
        f"{met} in {episode.seconds:,.0f} s; {episode.tasks:,} tasks were made in a CRM that {kept}",
        "",
        *(f"  {number:6}  {name}" for name, number in counts.items()),
        f"  {_normal(episode):>6}  back to normal after the last fault (within {NORMAL_WITHIN:.0f} s)",
        "",
        "Faults: " + ", ".join(f"{number} × {kind}" for kind, number in sorted(episode.injected.items())),
    ]
    if episode.missed:
        lines.append(
            "Planned, but nothing was there to strike: "
            + ", ".join(f"{number} × {kind}" for kind, number in sorted(episode.missed.items()))
        )
    lines.append("Programs begun: " + ", ".join(f"{name} {number}" for name, number in sorted(episode.starts.items())))
    if episode.reconnected:
        number = episode.reconnected.total()
        lines.append(
            f"Consents that ended because the answer to a renewal was lost, and were given again: {number}. The token in it was good for one use."
        )
    if not size.unique:
        lines.append(_window(episode))
    lines += [f"Not here: {why}." for why in episode.unavailable.values()]
    for name, rows in episode.differences.found.items():
        lines += [f"  {name}: {row}" for row in rows[: compare.EXAMPLES]]
    lines += [f"  with us: {row}" for row in episode.rows]
    if episode.stopped:
        lines.append(f"Stopped: {episode.stopped}.")
    lines.append("All as it should be." if episode.well else "Not as it should be.")
    return "\n".join(lines)


def _normal(episode: Episode) -> str:
    if episode.back_to_normal is not None:
        return f"{episode.back_to_normal:.0f} s"
    return "not" if episode.late is None else f"{episode.late:.0f} s, late:"


def _window(episode: Episode) -> str:
    """What remains where nothing but Warmline keeps the key unique."""
    twice = episode.differences.counts()[compare.TWICE]
    share = 10_000 * twice / max(1, episode.tasks)
    widest = f", the second up to {episode.apart[-1]:.1f} s after the first" if episode.apart else ""
    return f"The window that remains without a unique key: {twice} of {episode.tasks:,} tasks twice ({share:.1f} in 10,000){widest}."

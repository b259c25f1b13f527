"""What is asked before anything is uploaded: whether the repository can take it, and whether its owner agrees."""

from collections.abc import Iterator

from datasets_card.gates import Rows
from datasets_card.publication import Staged
from datasets_card.remote import Plan, Remote
from datasets_card.settings import PublishSettings
from mcot.core.errors import UserError
from mcot.core.languages import LANGUAGES

__all__ = ["STAYS_PRIVATE", "check_tag", "check_visibility", "list_preview"]

#: What to say where everybody is to see a repository that only its owners see.
STAYS_PRIVATE = "it stays private; make it public on its page"


def check_visibility(remote: Remote, settings: PublishSettings) -> None:
    """Check that nobody is shown what only the owners were to see.

    Raises:
        UserError: the repository is public, and this publication is not said to be.
    """
    if remote.exists and not remote.private and settings.private:
        raise UserError(
            f"{settings.repo_id} is public, so everybody would see what is uploaded; give --public if they may, or "
            "another --repo-id"
        )


def check_tag(remote: Remote, plan: Plan, repo_id: str, tag: str, *, move_tag: bool) -> None:
    """Check that a tag is free, at this very state, or may be moved.

    Raises:
        UserError: it is at another state, which somebody may have cited.
    """
    at = remote.tags.get(tag)
    if at is not None and not move_tag and not (plan.empty and at == remote.head):
        raise UserError(
            f"tag {tag!r} of {repo_id} is at what was published before, which is not the same; give this state a name "
            "of its own with --tag, or --move-tag"
        )


def list_preview(
    address: str, remote: Remote, plan: Plan, staged: Staged, rows: Rows, settings: PublishSettings
) -> list[str]:
    """What would be done, line by line.

    Args:
        address: the repository's page.
        remote: what it holds.
        plan: what it lacks.
        staged: what is to be published.
        rows: that are published.
        settings: with the tag and the licence worked out.
    """
    private = remote.private if remote.exists else settings.private
    kind = f"{'private' if private else 'public'}, {'there already' if remote.exists else 'new'}"
    counts = ", ".join(f"{config.name} {sum(config.rows.values()):,}" for config in staged.configs)
    sources = ", ".join(f"{source}: {license}" for source, license in rows.licenses.items())
    changes = f"{len(plan.new)} new, {len(plan.changed)} changed, {plan.unchanged} unchanged"
    return [
        f"repository: {address} ({kind})",
        f"rows by config: {counts}",
        f"files: {changes}, {len(plan.removed)} removed; {_show_bytes(plan.bytes)} to send",
        f"tag: {settings.tag}",
        f"licence: {settings.license} ({sources})",
        *_list_warnings(remote, plan, rows, settings),
    ]


def _list_warnings(remote: Remote, plan: Plan, rows: Rows, settings: PublishSettings) -> Iterator[str]:
    if remote.exists and not settings.private and remote.private:
        yield STAYS_PRIVATE
    if remote.files.keys() & plan.changed.keys() and not remote.record:
        yield f"not made by this program, and replaced: {', '.join(plan.changed)}"
    if rows.unchecked:
        yield f"not looked for in the benchmarks: {rows.unchecked:,} rows"
    lacking = [code for code in LANGUAGES if code not in rows.languages]
    if lacking and settings.languages is not None:
        yield f"left out: {', '.join(lacking)}"


def _show_bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"

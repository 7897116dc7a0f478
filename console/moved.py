"""Modules under the names that they had in 0.5.0, for code of others that imports them as the documentation of then said. They go with 2.0."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "access": "auth.access",
    "accounts": "auth.accounts",
    "channels": "messaging.channels",
    "effects": "steps.effects",
    "errors": "core.errors",
    "hooks": "records.hooks",
    "integrations": "infra.outbound",
    "messages": "messaging.messages",
    "queue": "infra.jobs",
    "reports": "monitoring.reports",
    "runs.rows": "runs.store",
    "settings": "infra.settings",
    "upkeep": "operations",
}
"""Package or module of `console` → where it is now."""


class MovedModules(MetaPathFinder, Loader):
    """Finds a moved module by its former name: the very module, not a second one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to import it, None for any other name."""
        del path, target
        name = f"{fullname.removeprefix('console.')}."
        former = next((former for former in MOVED if name.startswith(f"{former}.")), None)
        if former is None or not fullname.startswith("console."):
            return None
        now = f"console.{MOVED[former]}.{name[len(former) + 1 :]}".rstrip(".")
        return importlib.util.spec_from_loader(fullname, self, origin=now) if _exists(now) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module itself."""
        module = importlib.import_module(str(spec.origin))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has been executed under its own name, which it keeps."""
        former = module.__spec__
        if former is not None:
            module.__spec__ = former.loader_state


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def install() -> None:
    """Let former names be imported in this process."""
    sys.meta_path.insert(0, MovedModules())

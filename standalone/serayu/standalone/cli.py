"""The command ``serayu``: sub-commands are imported when they are called, so that a Pi never imports FastAPI."""

from serayu.models.lazy_commands import lazy_app

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
    "vision": ("serayu.vision.cli", "Survei drone · Drone surveys"),
}

app = lazy_app(
    COMMANDS,
    help_text="Serayu: pemantauan infrastruktur kabupaten · monitoring of a regency's infrastructure",
)


def main() -> None:
    """Run the command line."""
    app()

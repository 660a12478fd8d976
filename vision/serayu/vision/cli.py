"""``serayu vision``: sub-commands are imported when they are called, so that none pays for another's libraries."""

from serayu.models.lazy_commands import lazy_app

COMMANDS: dict[str, tuple[str, str]] = {
    "card": ("serayu.vision.training.card_cli", "Tulis kartu model · Write a model card"),
    "change": ("serayu.vision.change.change_cli", "Perubahan antara dua survei · Change between two surveys"),
    "detect": ("serayu.vision.runtime.detect_cli", "Cari kerusakan pada gambar · Find defects in pictures"),
    "eval": ("serayu.vision.evaluate.eval_cli", "Nilai bobot pada gambar berlabel · Evaluate weights"),
    "export": ("serayu.vision.export.export_cli", "Jadikan bobot dari .pt · Make weights of a checkpoint"),
    "publish": ("serayu.vision.survey.publish_cli", "Terbitkan survei · Publish a survey"),
    "withdraw": ("serayu.vision.survey.publish_withdraw", "Tarik survei · Withdraw a survey"),
    "render": ("serayu.vision.flight.render_cli", "Buat penerbangan tiruan · Render a made-up flight"),
    "survey": (
        "serayu.vision.survey.survey_cli",
        "Survei: foto menjadi temuan · Survey photos into findings",
    ),
    "train": ("serayu.vision.training.train_cli", "Latih detektor dari satu TOML · Train a detector"),
}

app = lazy_app(
    COMMANDS, help_text="Survei drone: kerusakan jalan dan longsor · Drone surveys of roads and slides"
)

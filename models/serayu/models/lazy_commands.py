"""Typer apps whose sub-commands are imported when they are called, so that a Pi never imports FastAPI or OpenCV.

Nothing that decides imports this module: it is for the programs' Typer apps.
"""

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

__all__ = ["lazy_app"]


def lazy_app(commands: Mapping[str, tuple[str, str]], *, help_text: str) -> typer.Typer:
    """Return a Typer app that imports nothing until one of its sub-commands is called.

    Parameters
    ----------
    commands
        Name → place (``module`` with an attribute `app`, or ``module:command`` where a module has several) and
        one line of help, Indonesian first.
    help_text
        What the whole is for.
    """

    class LazyGroup(TyperGroup):
        """A group whose sub-commands are imported only when needed."""

        @override
        def list_commands(self, ctx: Any) -> list[str]:
            """Return the names of all sub-commands."""
            return list(commands)

        @override
        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            """Import a sub-command."""
            if cmd_name not in commands:
                return None
            place, _ = commands[cmd_name]
            module, _, attribute = place.partition(":")
            command = typer.main.get_command(getattr(importlib.import_module(module), attribute or "app"))
            command.name = cmd_name
            return command

        @override
        def format_commands(self, ctx: Any, formatter: Any) -> None:
            """List the sub-commands without importing them."""
            with formatter.section("Perintah · Commands"):
                formatter.write_dl([(name, line) for name, (_, line) in commands.items()])

    app = typer.Typer(
        cls=LazyGroup,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help=help_text,
    )

    @app.callback(help=help_text)
    def _group() -> None:
        """Hold the group together: without a callback Typer runs a lone sub-command by itself."""

    return app

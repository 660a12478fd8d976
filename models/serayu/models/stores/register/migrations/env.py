"""Run by Alembic: migrates the connection that `serayu.models.stores.register.migrate` hands over."""

from alembic import context

from serayu.models.stores.register.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things of a table in place
)
with context.begin_transaction():
    context.run_migrations()

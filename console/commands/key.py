"""`console key`: the key that signs the log."""

import click

from console.activity import sequencing

key = click.Group("key", help="The key that signs the log's checkpoints (`console apikey`: keys of the API).")


@key.command("change", epilog="Example: console key change > double-signed-checkpoint.txt")
@click.option(
    "--lost",
    is_flag=True,
    help="The former key is gone: the new one signs alone, and auditors have to be told in another way.",
)
def change(lost: bool) -> None:
    """Give the log another signing key and print the checkpoint that both keys have signed: for auditors to keep.

    Where the data folder keeps the key, a new one is drawn and put there. Otherwise give the new one as CONSOLE_NEW_SIGNING_KEY or …_FILE
    beside the present one; afterwards it becomes CONSOLE_SIGNING_KEY.
    """
    done = sequencing.change_key(lost=lost)
    click.echo(done.note, nl=False)
    click.echo(
        f"The log's verifier key was {done.former or 'none'}\nand is now {done.key}. Give it to your auditors, with this checkpoint.",
        err=True,
    )
    if not done.kept:
        click.echo(
            "Now set CONSOLE_SIGNING_KEY to the new key and start the workers again: until then nothing is signed.",
            err=True,
        )


commands: list[click.Command] = [key]

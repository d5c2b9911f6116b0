"""Where every command begins: `rapport`, or `python -m core`."""

import gc


def main() -> None:
    """Run the command that the words on the command line name."""
    # All that a start makes stays. Looking through it for garbage again and again finds
    # none and takes a third of the start; `create_app` lets it be looked for again.
    gc.disable()
    from core.cli import main as run

    run()


if __name__ == "__main__":
    main()

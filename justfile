# Commands for daily work, for `just`. Without it, run the command or the script of the recipe.

# Lists the recipes.
default:
    @just --list

# Runs a pipeline with the real worker on this machine; takes the demo's options.
demo *options:
    cargo run --locked --example demo -- {{ options }}

# Runs the format check, clippy and the tests that take seconds: all but models, seeds, kills, every-n and the memory peak.
quick:
    .ci/quick

# Runs every check, as before a merge.
full:
    .ci/run

# Fuzzes each target for so many seconds, or only the targets that are named.
fuzz seconds="60" *targets:
    .ci/fuzz {{ seconds }} {{ targets }}

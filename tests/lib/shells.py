# SPDX-License-Identifier: BSD-2-Clause
"""What a shell offers for a line that is typed: the completions of this project, as bash, zsh and
fish themselves run them."""

import re
import subprocess
import tempfile
from pathlib import Path

COMPLETIONS = Path(__file__).resolve().parents[2] / "completions"

DEADLINE_S = 20


def bash_complete(program, line, environment):
    """Runs what `complete` has registered, as bash does: with the words and the breaks."""
    script = r"""
        source "$1"
        registered=$(complete -p "$3")
        [[ $registered =~ -F\ ([^ ]+) ]]
        COMP_LINE=$2 COMP_POINT=${#2}
        mapfile -t COMP_WORDS < <(sed -E 's/=/\n=\n/g; s/ +/\n/g' <<<"$2" | sed '/^$/d')
        [[ $2 != *' ' ]] || COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        "${BASH_REMATCH[1]}" "$3" "${COMP_WORDS[COMP_CWORD]}"
        printf '%s\n' "${COMPREPLY[@]}"
    """
    return subprocess.run(
        ["bash", "-uc", script, "bash", COMPLETIONS / "bash" / program, line, program],
        env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=True)


def fish_complete(program, line, environment):
    """Each candidate is a line, its description behind a tab."""
    script = 'source $argv[1]; complete -C "$argv[2]"'
    return subprocess.run(
        ["fish", "--no-config", "-c", script, COMPLETIONS / "fish" / f"{program}.fish", line],
        env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=True)


# Of the several hundred functions that compinit looks through: the first shell writes it, which takes
# most of a second, and the others of this run read it.
_zsh_state = tempfile.TemporaryDirectory(prefix="slirpd-zsh.")

# compadd is how any completion of zsh hands over candidates: -O gives them as they match.
ZSH_SCRIPT = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "fpath=(${(q)1} \$fpath); PS1=; autoload -Uz compinit; compinit -u -C -d ${(q)3}"
zpty -w shell "zstyle ':completion:*' verbose no; zstyle ':completion:*' menu no"
zpty -w shell 'compadd() {
    local -a found
    [[ " $* " == *" -"[OAD]" "* ]] || {
        builtin compadd -O found "$@"
        (($#found)) && print -rl -- "candidate: "${^found}
    }
    builtin compadd "$@"
}'
zpty -w shell 'finish() { print -r -- "that is"" all" }; zle -N finish'
zpty -w shell "bindkey '^I' complete-word; bindkey '^X^F' finish; setopt no_auto_list"
zpty -w shell 'print -r -- "set"" up"'
zpty -r shell output $'*set up\r\n*'
zpty -n -w shell "$2"$'\t\x18\x06'
zpty -r shell output $'*that is all*'
print -r -- "$output"
zpty -d shell
"""


def zsh_complete(_program, line, environment):
    """Types the line and a tab into an interactive zsh."""
    return subprocess.run(
        ["zsh", "-f", "-c", ZSH_SCRIPT, "zsh", COMPLETIONS / "zsh", line,
         f"{_zsh_state.name}/dump"],
        env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=True)


SHELLS = {"bash": bash_complete, "zsh": zsh_complete, "fish": fish_complete}


def complete(shell, program, line, environment):
    """The words that are offered; a file without its folder."""
    result = SHELLS[shell](program, line, environment)
    assert result.stderr == ""
    found = result.stdout
    if shell == "zsh":
        found = "\n".join(re.findall(r"candidate: ([^\r\n]*)", found))
    words = {word.partition("\t")[0] for word in found.splitlines() if word}
    # A file is offered with its folder, or what stands before it.
    return {word.rpartition("/")[2] if "/" in word else word for word in words}

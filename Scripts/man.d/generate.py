"""Writes one man(7) page per command from the JSON tree that
`hotglue --experimental-dump-help` prints.

usage: generate.py HELP.json FOLDER

The pages carry no date and no version, so that they change only when a command does.
"""

import json
import pathlib
import re
import sys

SEE_ALSO_7 = ["hotglue-contract", "hotglue-context"]
SEE_ALSO_7_OF = {
    "doctor": ["hotglue-crash"],
    "effect": ["hotglue-effects"],
    "log": ["hotglue-guards"],
    "open": ["hotglue-guards"],
    "workspace": ["hotglue-guards"],
}

# The one command that may act in several workspaces.
WORKER = ["hotglue", "job", "work"]


def text(string):
    """Makes a string safe in running text: nothing in it is taken for a request."""
    string = string.replace("\\", "\\e").replace("-", "\\-")
    string = string.replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha")
    return string.replace("~", "\\(ti")


def paragraphs(string):
    """Running text with blank lines between paragraphs; indented lines stay as they are."""
    lines = []
    for number, block in enumerate(re.split(r"\n\s*\n", string.strip("\n"))):
        if number:
            lines.append(".PP")
        heading, _, rest = block.partition("\n")
        if heading == "EXAMPLES":
            lines.append(".B EXAMPLES")
            block = rest
        if all(line.startswith("  ") for line in block.splitlines()):
            lines.append(".RS 4\n.nf")
            lines += [guard(text(line[2:])) for line in block.splitlines()]
            lines.append(".fi\n.RE")
        else:
            lines += [guard(text(line.strip())) for line in block.splitlines()]
    return lines


def guard(line):
    """A line that begins with a full stop or an apostrophe would be a request."""
    return "\\&" + line if line.startswith((".", "\\(aq")) else line


def spelling(name):
    return ("-" if name["kind"] != "long" else "--") + name["name"]


def spellings(argument):
    """Short names first, as getopt programs list them."""
    return sorted((spelling(n) for n in argument.get("names", [])), key=lambda s: s.startswith("--"))


def visible(items):
    return [item for item in items if item.get("shouldDisplay", True)]


def subcommands(command):
    return [c for c in visible(command.get("subcommands", [])) if c["commandName"] != "help"]


def placeholder(argument):
    return "\\fI" + text(argument.get("valueName", "value")).upper() + "\\fR"


def synopsis(path, command):
    words = ["\\fB" + text(" ".join(path)) + "\\fR"]
    if subcommands(command):
        words.append("\\fICOMMAND\\fR")
        return " ".join(words)
    arguments = visible(command.get("arguments", []))
    if any(a["kind"] != "positional" for a in arguments):
        words.append("[\\fIOPTIONS\\fR]")
    for argument in arguments:
        if argument["kind"] != "positional":
            continue
        word = placeholder(argument)
        if argument.get("isRepeating"):
            word += "\\&..."
        if argument.get("parsingStrategy") == "postTerminator":
            word = "\\fB\\-\\-\\fR " + word
        words.append("[" + word + "]" if argument.get("isOptional") else word)
    return " ".join(words)


def definition(argument, shared, repeats_workspace):
    """One entry of an option list: how it is written, what it does, what it may hold."""
    if argument["kind"] == "positional":
        head = placeholder(argument)
    else:
        head = ", ".join("\\fB" + text(s) + "\\fR" for s in spellings(argument))
        if argument["kind"] == "option":
            head += " " + placeholder(argument)
    lines = [".TP", head]
    body = paragraphs(argument.get("abstract", "")) if argument.get("abstract") else []
    facts = []
    if argument.get("allValues"):
        facts.append("One of " + ", ".join(argument["allValues"]) + ".")
    if argument.get("defaultValue") and argument["kind"] != "flag":
        facts.append("Default: " + argument["defaultValue"] + ".")
    if argument.get("isRepeating") and argument["kind"] == "option":
        # -w is read as a list everywhere, so that a second one can be refused by name.
        said = "repeated" in argument.get("abstract", "")
        if not said and (key(argument) not in shared or repeats_workspace):
            facts.append("May be given more than once.")
    body += [guard(text(fact)) for fact in facts]
    if argument.get("discussion"):
        body += [".IP"] + paragraphs(argument["discussion"])
    return lines + (body or ["\\&"])


def key(argument):
    return tuple(spellings(argument))


def shared_options(command):
    """The options that every command takes: what all leaves of the tree have in common."""
    children = subcommands(command)
    if not children:
        return {key(a) for a in visible(command.get("arguments", [])) if a.get("names")}
    return set.intersection(*(shared_options(child) for child in children))


def sections(command, shared):
    """Arguments by section title, in the order in which the titles first appear. Positional
    arguments come first, and what every command takes comes last; --help and --version are on the
    top page alone."""
    groups = {}
    for argument in visible(command.get("arguments", [])):
        names = [n["name"] for n in argument.get("names", [])]
        if command.get("superCommands") and set(names) & {"help", "version"}:
            continue
        if argument["kind"] == "positional":
            title = argument.get("sectionTitle") or "Arguments"
        elif key(argument) in shared:
            title = "Global options"
        else:
            title = argument.get("sectionTitle") or "Options"
        groups.setdefault(title, []).append(argument)
    order = {"Arguments": 0, "Options": 1}
    last = {"Global options": 1}
    return sorted(groups.items(), key=lambda g: (last.get(g[0], 0), order.get(g[0], 2)))


def page(path, command, shared):
    name = "-".join(path)
    lines = [
        ".\\\" Generated by Scripts/man from the command definitions; do not edit.",
        f'.TH {text(name).upper()} 1 "" "hotglue" "hotglue manual"',
        ".SH NAME",
        f"{text(name)} \\- {text(command.get('abstract', '').rstrip('.'))}",
        ".SH SYNOPSIS",
        synopsis(path, command),
    ]
    if command.get("aliases"):
        others = ", ".join(" ".join(path[:-1] + [alias]) for alias in command["aliases"])
        lines += [".PP", "Also spelled " + text(others) + "."]
    if command.get("discussion"):
        lines += [".SH DESCRIPTION"] + paragraphs(command["discussion"])
    children = subcommands(command)
    if children:
        lines.append(".SH COMMANDS")
        for child in children:
            lines += [".TP", "\\fB" + text(child["commandName"]) + "\\fR"]
            lines.append(guard(text(child.get("abstract", "")) or "\\&"))
    for title, arguments in sections(command, shared):
        lines.append(".SH " + text(title).upper())
        for argument in arguments:
            lines += definition(argument, shared, path == WORKER)
    noun = path[1] if len(path) > 1 else ""
    related = [(n, 7) for n in SEE_ALSO_7 + SEE_ALSO_7_OF.get(noun, [])]
    related += [("-".join(path + [c["commandName"]]), 1) for c in children]
    if len(path) > 1:
        related.append(("-".join(path[:-1]), 1))
    related.sort(key=lambda r: (r[1], r[0]))
    lines.append(".SH SEE ALSO")
    lines += [f".BR {text(n)} ({s})," for n, s in related[:-1]]
    lines += [f".BR {text(n)} ({s})" for n, s in related[-1:]]
    return name, "\n".join(lines) + "\n"


def pages(path, command, shared):
    yield page(path, command, shared)
    for child in subcommands(command):
        yield from pages(path + [child["commandName"]], child, shared)


def main(source, folder):
    try:
        tree = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))["command"]
    except (ValueError, KeyError) as error:
        sys.exit(f"{source} does not describe commands: {error}")
    for name, content in pages([tree["commandName"]], tree, shared_options(tree)):
        pathlib.Path(folder, name + ".1").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: generate.py HELP.json FOLDER")
    main(sys.argv[1], sys.argv[2])

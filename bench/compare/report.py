"""Medians, ratios of pairs, and what is made of them: a Markdown table, and sections of a README."""

import pathlib
import re
import statistics

from .contenders import TAIPAN

HEADER = ["work", "by", "wall s", "taipan's / this", "CPU s", "taipan's / this", "peak MB"]


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def paired_ratio(ours, theirs, key):
    """The median of the ratios of each turn; None when there is nothing to divide by."""
    pairs = [(a[key], b[key]) for a, b in zip(ours, theirs)]
    return statistics.median(a / b for a, b in pairs) if pairs and all(b > 0 for _, b in pairs) else None


def seconds(value):
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def ratio(value):
    return "" if value is None else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def rows(measurement):
    """One row for each contender of a work."""
    results = measurement["results"]
    ours = next(result["samples"] for result in results.values() if result["kind"] == TAIPAN)
    for index, (name, result) in enumerate(results.items()):
        samples = result["samples"]
        this = result["kind"] == TAIPAN
        yield [measurement["title"] if index == 0 else "", name,
               seconds(median(samples, "wall")), "" if this else ratio(paired_ratio(ours, samples, "wall")),
               seconds(median(samples, "cpu")), "" if this else ratio(paired_ratio(ours, samples, "cpu")),
               f"{median(samples, 'peak') / 1e6:.0f}"]


def line(cells):
    return "| " + " | ".join(cells) + " |"


def table(measurements):
    lines = [line(HEADER), line(["---"] * len(HEADER))]
    for measurement in measurements:
        lines += [line(row) for row in rows(measurement)]
    return "\n".join(lines)


def system_calls(document):
    """Lines about system calls for each file."""
    calls, survey = document.get("system_calls") or {}, document["survey"]
    lines = []
    for work, what, files in (("cold", "created", survey["extracted_files"]), ("warm", "linked", survey["linked_files"])):
        if calls.get(work):
            lines.append(f"System calls of taipan, {work}: {calls[work]['total']:,}, that is "
                         f"{calls[work]['total'] / files:.2f} for each of {files:,} {what} files.")
    return "\n".join(lines)


def description(document):
    survey, options, machine = document["survey"], document["options"], document["machine"]
    runs = f"{options['runs']} turns"
    if options["peer_runs"] < options["runs"]:
        runs += f" (peers: {options['peer_runs']})"
    return (f"{document['date']}: {survey['packages']} packages, {survey['archives_bytes'] / 1e6:.0f} MB of archives, "
            f"{survey['extracted_files']:,} files with {survey['content_bytes'] / 1e6:,.0f} MB of content; "
            f"{machine['cores']} cores, {machine['file_system']}, Linux {machine['kernel']}; "
            f"medians of {runs}, each ratio the median of the turns' ratios. "
            + "; ".join(document["versions"].values()) + "."
            + (f" The large .tar.bz2 has {survey['large_archive_bytes'] / 1e6:.1f} MB." if survey.get("large") else ""))


def titles(options):
    return {"loopback": "Loopback",
            "link": f"{options['rate']:g} Mbit/s, {options['round_trip']:g} ms round trip",
            "limited": f"The same link, {options['limit_rate']:g} MB/s for each connection"}


def by_network(document):
    """network -> its measurements, for those networks that have any."""
    found = {}
    for item in document["measurements"]:
        found.setdefault(item["network"], []).append(item)
    return found


def markdown(document, plots=""):
    """The whole section. `plots`: where the SVG files are, as seen from the reader of this text."""
    parts = [description(document)]
    for network, measurements in by_network(document).items():
        title = titles(document["options"])[network]
        if plots:
            parts.append(f"![{title}]({plots}/{document['name']}-{network}.svg)")
        parts.append(f"{title}:\n\n{table(measurements)}")
    return "\n\n".join(part for part in [*parts, system_calls(document)] if part)


def rewrite(readme, name, text):
    """Puts the text between the two marker comments of this name."""
    path = pathlib.Path(readme)
    begin, end = f"<!-- compare: {name} -->", f"<!-- end: {name} -->"
    before = path.read_text()
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.S)
    if not pattern.search(before):
        raise RuntimeError(f"{readme} has no section between {begin} and {end}")
    path.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", before, count=1))

"""Bars as SVG, written by hand: a group for each work, a bar for each contender, scaled to the longest one of its group.

Text and bars take their colours from a style sheet inside, so that they can be read on light and on dark pages.
"""

from xml.sax.saxutils import escape

from . import report

STYLE = """\
text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px } .work { font-weight: 600 } .number { fill: #59636e }
.taipan { fill: #1a7f5a } .peer { fill: #c4622d } .floor { fill: #9aa3ad } .axis { stroke: #c8ced4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .number { fill: #9da7b1 }
  .taipan { fill: #3fb98a } .peer { fill: #e08a58 } .floor { fill: #6b7480 } .axis { stroke: #464e57 }
}"""
WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 780, 230, 190, 16, 5, 44


def bar(y, name, kind, value, longest, note):
    length = max((WIDTH - LEFT - RIGHT) * value / longest, 1.5)
    middle = y + BAR - 4
    return (f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>'
            f'<text class="number" x="{LEFT + length + 8:.1f}" y="{middle}">{escape(note)}</text>')


def label(value):
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def group(measurement, y):
    """The bars of one work from y on: (lines, next y)."""
    walls = {name: (result["kind"], report.median(result["samples"], "wall"))
             for name, result in measurement["results"].items()}
    longest = max(value for _, value in walls.values())
    ours = next(value for kind, value in walls.values() if kind == "taipan")
    lines = [f'<text class="work" x="{LEFT}" y="{y + 12}">{escape(measurement["title"].replace("`", ""))}</text>']
    y += 20
    top = y
    for name, (kind, value) in walls.items():
        factor = value / ours
        note = label(value) + (f", {factor:.{int(factor < 10)}f} times taipan's" if kind == "peer" else "")
        lines.append(bar(y, name.replace("\\", ""), kind, value, longest, note))
        y += BAR + GAP
    lines.append(f'<line class="axis" x1="{LEFT}" y1="{top - 3}" x2="{LEFT}" y2="{y - GAP + 3}"/>')
    return lines, y + 14


def svg(title, measurements):
    lines, y = [f'<text class="title" x="12" y="24">{escape(title)}</text>'], TOP
    for measurement in measurements:
        more, y = group(measurement, y)
        lines += more
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">\n'
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n" + "\n".join(lines) + "\n</svg>\n")


def write(document, folder):
    folder.mkdir(parents=True, exist_ok=True)
    survey = document["survey"]
    for network, measurements in report.by_network(document).items():
        title = (f"{document['name']}: {survey['packages']} packages, {survey['extracted_files']:,} files, "
                 f"{report.titles(document['options'])[network]}. Wall time")
        (folder / f"{document['name']}-{network}.svg").write_text(svg(title, measurements))

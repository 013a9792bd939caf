"""The report in a real browser without a window: it opens from disk, sorts, filters, is read by keyboard and on a phone."""

import html

import pytest

from lib.eval import gallery
from lib.eval.compare import load_run, write_comparison
from lib.eval.report import write_report
from lib.run import read_json, write_text
from tests.fakes.browser import Browser, find_browser
from tests.fakes.evaluation import HOSTILE, make_run

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.skipif(find_browser() is None, reason="no chromium or chrome on this machine to open the report in"),
]
CONTRAST = """(() => {
  const parts = text => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => { for (; node; node = node.parentElement) { const c = parts(getComputedStyle(node).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = [];
  for (const node of document.body.querySelectorAll("*")) {
    if (!node.checkVisibility() || ![...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(parts(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(node.tagName + "." + node.className + " " + ratio.toFixed(2));
  }
  return [...new Set(poor)];
})()"""
WIDER = """[...document.querySelectorAll("body *")].filter(n => n.checkVisibility() && n.getBoundingClientRect().right > WIDTH + 1
  && !n.closest(".scroll")).map(n => n.tagName + "." + n.className + "#" + n.id)"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    contexts = ("oracle", "oracle_random", "oracle_places")
    systems = ("student", "baseline", "teacher", "run:an-earlier-one")
    run = make_run(tmp_path_factory.mktemp("runs") / "sample", n_questions=64, systems=systems, contexts=contexts, hostile=True)
    drawn, skipped = gallery.draw_figures(run.folder / "eval", run.folder / "figures")
    run.page = write_report(run.folder, manifest=read_json(run.folder / "run.json"), figures=drawn, skipped=skipped, top_k=run.top_k)
    return run


def cards(browser):
    return browser.run("[...document.querySelectorAll('.question')].map(card => card.dataset.id)")


def test_it_opens_from_disk_asks_the_network_nothing_and_runs_no_text_of_documents(browser, made):
    browser.size(1200)
    browser.open(made.page)
    assert browser.run("document.documentElement.dataset.ready") == "yes"
    assert all(url.startswith(("file:", "data:")) for url in browser.requests())
    browser.run("document.getElementById('open').click()")
    browser.run("new Promise(done => setTimeout(done, 300))")
    assert browser.run("document.title") == "sample: evaluation report"
    assert browser.run("document.querySelectorAll('script').length") == 2
    assert browser.run("document.querySelectorAll('#list img').length") == 0
    assert HOSTILE in browser.run("document.querySelector('.question').textContent")


def test_a_question_shows_passages_quotes_replies_side_by_side_verdict_and_reason(browser, made):
    row = next(
        s for s in made.scores if s["system"] == "student" and s["condition"] == "rag" and s["top_k"] == made.top_k and s["n_verbatim"] == 1
    )
    asked = next(q for q in made.questions if q["id"] == row["question_id"])
    browser.open(made.page, f"#q={asked['id']}")
    assert cards(browser) == [asked["id"]]
    assert browser.run("document.querySelector('.question').open")
    browser.run("new Promise(done => setTimeout(done, 200))")
    assert asked["evidence"] in browser.run("[...document.querySelectorAll('.passage.oracle mark')].map(m => m.textContent)")
    assert browser.run("[...document.querySelectorAll('.replies thead')][0].textContent") == "Shownstudentbaselineteacherrun:an-earlier-one"
    cells = browser.run("[...document.querySelectorAll('.replies')][0].querySelectorAll('tbody tr:last-child td').length")
    assert cells == 4
    said = browser.run("document.querySelector('.replies tbody tr:last-child td').textContent")
    assert said.startswith(row["outcome"])
    assert row["judge_reason"] in said
    replaced = browser.run("[...document.querySelectorAll('.panel')].filter(p => p.textContent.includes('value was replaced')).map(p => p.querySelector('b.swapped')?.textContent)")
    changed = next(a["replacement"] for a in made.answers if a["condition"] == "replaced" and a["question_id"] == asked["id"])
    assert replaced == [changed]


def test_questions_are_searched_and_filtered_by_outcome_system_and_difference(browser, made):
    browser.open(made.page)
    assert browser.run("document.getElementById('count').textContent") == "64 of 64 questions, the first 50 below"
    browser.run("document.getElementById('more').click()")
    assert len(cards(browser)) == 64

    def choose(name, value):
        browser.run(f"(() => {{ const c = document.getElementById('{name}'); c.type === 'checkbox' ? c.checked = {str(value).lower() if isinstance(value, bool) else 'false'} : c.value = '{value}'; c.dispatchEvent(new Event('input')); }})()")

    choose("text", made.questions[20]["question"][30:50])
    assert made.questions[20]["id"] in cards(browser)
    assert len(cards(browser)) < 64
    choose("text", "")
    choose("outcome", "refused")
    choose("who", "baseline")
    wanted = {s["question_id"] for s in made.scores if s["system"] == "baseline" and s["outcome"] == "refused"}
    assert set(cards(browser)) == wanted
    choose("outcome", "")
    choose("who", "")
    choose("where", f"top-k {made.top_k}")
    choose("differs", True)
    outcomes = {}
    for s in made.scores:
        if s["condition"] == "rag" and s["top_k"] == made.top_k:
            outcomes.setdefault(s["question_id"], set()).add(s["outcome"])
    browser.run("document.getElementById('more').hidden || document.getElementById('more').click()")
    assert set(cards(browser)) == {key for key, found in outcomes.items() if len(found) > 1}


def test_tables_sort_by_keyboard_and_say_so_and_filter_their_rows(browser, made):
    browser.open(made.page)
    browser.run("document.querySelector('table.sortable th.num:nth-child(3) button').focus()")
    ends = "[...document.querySelector('table.sortable').tBodies[0].rows].map(r => Number(r.cells[2].dataset.sort))"
    browser.press("Enter")
    down = browser.run(ends)
    assert down == sorted(down, reverse=True)
    assert browser.run("document.querySelector('table.sortable th:nth-child(3)').getAttribute('aria-sort')") == "descending"
    browser.press(" ")
    assert browser.run(ends) == sorted(down)
    assert browser.run("document.querySelector('table.sortable th:nth-child(3)').getAttribute('aria-sort')") == "ascending"
    browser.press("Tab")
    assert browser.run("document.activeElement.closest('th').cellIndex") == 3
    browser.run("(() => { const b = document.querySelector('input.rows'); b.value = 'teacher'; b.dispatchEvent(new Event('input')); })()")
    shown = browser.run("[...document.querySelector('table.sortable').tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[0].textContent)")
    assert shown == ["teacher"] * 3


def test_a_phone_needs_no_sideways_scrolling_and_every_text_stands_out(browser, made):
    for width, phone in ((390, True), (1200, False)):
        browser.size(width, phone=phone)
        browser.open(made.page, f"#q={made.questions[1]['id']}")
        browser.run("new Promise(done => setTimeout(done, 200))")
        browser.run("for (const d of document.querySelectorAll('details')) d.open = true")
        assert browser.run(WIDER.replace("WIDTH", str(width))) == []
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run(CONTRAST) == []
    assert browser.run("[...document.images].every(i => i.alt.length > 20)")
    unnamed = "[...document.querySelectorAll('input, select, button')].filter(c => !c.textContent.trim() && !c.getAttribute('aria-label') && !c.labels?.length).length"
    assert browser.run(unnamed) == 0


def test_it_prints_without_controls(browser, made):
    browser.size(1000)
    browser.open(made.page)
    browser.send("Emulation.setEmulatedMedia", media="print")
    assert browser.run("[...document.querySelectorAll('.filter, nav, input.rows, button.plain')].every(n => !n.checkVisibility())")
    assert browser.run("document.querySelector('table').checkVisibility()")
    browser.send("Emulation.setEmulatedMedia", media="")
    assert len(browser.send("Page.printToPDF", printBackground=True)["data"]) > 10_000


def test_without_scripts_tables_and_figures_read_and_a_plain_message_stands_for_the_questions(browser, made, tmp_path):
    held = html.escape(made.page.read_text(encoding="utf-8"))
    frame = f'<title>frame</title><iframe sandbox="allow-same-origin" width="1000" height="800" srcdoc="{held}"></iframe>'
    browser.open(write_text(tmp_path / "frame.html", frame))
    inside = "document.querySelector('iframe').contentDocument"
    assert "The questions are drawn by a script, which is switched off here" in browser.run(f"{inside}.body.innerText")
    assert browser.run(f"{inside}.querySelectorAll('table.sortable tbody tr').length") > 20
    assert browser.run(f"{inside}.querySelectorAll('th button').length") == 0
    assert browser.run(f"{inside}.querySelector('.filter').checkVisibility()") is False


def test_the_comparison_of_runs_opens_and_sorts_too(browser, made, tmp_path):
    other = make_run(tmp_path / "other", n_questions=64, contexts=(), hostile=True)
    page, _ = write_comparison([load_run(made.folder), load_run(other.folder)], tmp_path)
    browser.size(390, phone=True)
    browser.open(page)
    assert browser.run(WIDER.replace("WIDTH", "390")) == []
    assert browser.run(CONTRAST) == []
    browser.run("document.querySelector('table.sortable th.num button').click()")
    assert browser.run("document.querySelector('th[aria-sort]').ariaSort") == "descending"


def test_a_report_of_a_thousand_questions_and_four_systems_stays_small_and_draws_what_is_opened(browser, tmp_path):
    systems = ("student", "baseline", "teacher", "other")
    run = make_run(tmp_path / "big", n_questions=1000, systems=systems, top_k=(5,), controls=False, passage_words=140)
    page = write_report(run.folder, manifest=read_json(run.folder / "run.json"), figures=[], top_k=5)
    assert len(run.scores) == 8000
    assert page.stat().st_size < 10_000_000
    browser.size(1200)
    browser.open(page)
    assert browser.run("document.getElementById('count').textContent") == "1000 of 1000 questions, the first 50 below"
    assert browser.run("document.querySelectorAll('.passage').length") == 0


def test_a_browser_that_cannot_unpack_says_where_the_questions_stand(browser, made, tmp_path):
    text = made.page.read_text(encoding="utf-8").replace('<script id="data" type="application/octet-stream">', '<script id="data" type="application/octet-stream">!')
    browser.open(write_text(tmp_path / "broken.html", text))
    assert browser.run("document.documentElement.dataset.ready") == "failed"
    assert "They stand in eval/answers.jsonl" in browser.run("document.getElementById('list').textContent")

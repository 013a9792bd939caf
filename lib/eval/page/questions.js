// Every question, drawn from the data that the page carries when it is opened. Text only ever becomes text, never markup.
(async () => {
  const PAGE = 50, at = id => document.getElementById(id), list = at("list");
  if (!list) return;
  const make = (tag, props = {}, ...inside) => {
    const { data, ...rest } = props, made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, data);
    made.append(...inside.filter(part => part !== null && part !== ""));
    return made;
  };
  let data;
  try {
    const bytes = Uint8Array.from(atob(at("data").textContent), letter => letter.charCodeAt(0));
    data = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  } catch (error) {
    list.textContent = "This browser cannot unpack the questions (" + error.message + "). They stand in eval/answers.jsonl and eval/scores.jsonl.";
    document.documentElement.dataset.ready = "failed";
    return;
  }
  const GLYPHS = { right: "✓", "rightly refused": "✓", follows: "✓", wrong: "✕", "made up": "✕", repeats: "✕", failed: "✕", refused: "–", both: "±" };
  const slug = text => text.replace(/\W+/g, "-"), plain = shown => shown.condition === "closed_book" || shown.condition === "rag";
  const name = shown => (shown.condition === "closed_book" ? "closed book" : shown.condition === "rag" ? "top-k " + shown.top_k
    : shown.top_k + (shown.top_k === 1 ? " passage" : " passages")) + (shown.place ? ", right one at place " + shown.place : "") + (shown.repeat ? ", asking " + (shown.repeat + 1) : "");
  const badge = outcome => make("span", { className: "badge b-" + slug(outcome), textContent: outcome });
  const dot = outcome => {
    const made = make("i", { className: "dot d-" + slug(outcome), textContent: GLYPHS[outcome] ?? "·", title: outcome });
    made.setAttribute("role", "img");
    made.setAttribute("aria-label", outcome);
    return made;
  };
  const escaped = text => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  function spans(text, quotes) { // where quotes stand, whatever blanks they were written with; overlapping ones joined
    const found = [];
    for (const quote of quotes) {
      const words = quote.trim().split(/\s+/).filter(Boolean);
      if (!words.length) continue;
      for (const match of text.matchAll(new RegExp(words.map(escaped).join("\\s+"), "gu"))) found.push([match.index, match.index + match[0].length]);
    }
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const joined = [];
    for (const [start, end] of found) {
      const last = joined.at(-1);
      if (last && start <= last[1]) last[1] = Math.max(last[1], end); else joined.push([start, end]);
    }
    return joined;
  }

  function marked(text, quotes, value) {
    const out = [], underlined = part => value ? part.split(value).flatMap((piece, i) => i ? [make("b", { className: "swapped", textContent: value }), piece] : [piece]) : [part];
    let done = 0;
    for (const [start, end] of spans(text, quotes)) {
      out.push(...underlined(text.slice(done, start)), make("mark", {}, ...underlined(text.slice(start, end))));
      done = end;
    }
    return [...out, ...underlined(text.slice(done))];
  }

  const texts = (question, shown) => shown.condition === "given" ? question.context : shown.chunks.map((chunk, i) => shown.changed[i] ?? data.chunks[chunk][3]);

  function passages(question, shown, quotes) {
    const all = texts(question, shown);
    if (!all.length) return null;
    const right = shown.chunks.filter(chunk => question.oracles.includes(chunk)).length;
    const said = all.length + (all.length === 1 ? " passage" : " passages") + " shown" + (shown.condition === "rag" ? ", best first; a smaller top-k saw the first of them" : "")
      + (right ? "; " + right + (right === 1 ? " holds" : " hold") + " the answer (oracle)" : "");
    return make("details", { className: "passages", open: true }, make("summary", { textContent: said }), ...all.map((text, i) => {
      const [, source, section] = data.chunks[shown.chunks[i]] ?? ["", "", ""], oracle = question.oracles.includes(shown.chunks[i]);
      return make("div", { className: "passage" + (oracle ? " oracle" : "") },
        make("span", { className: "soft", textContent: [i + 1, source, section].filter(Boolean).join(" · ") }), oracle ? make("b", { className: "tag", textContent: " oracle" }) : null,
        make("div", {}, ...marked(text, quotes, shown.replacement)));
    }));
  }

  function reply(answer, all) { // a quote that stands in no passage shown is set off from those that do
    const parts = answer.reply.split(/##begin_quote##([\s\S]*?)##end_quote##/g);
    return make("div", { className: "reply" }, ...parts.map((part, i) => {
      if (i % 2 === 0) return part;
      const there = all.some(text => spans(text, [part]).length);
      return make("mark", { className: there ? "" : "missing", title: there ? "stands in a passage shown" : "stands in no passage shown", textContent: part });
    }));
  }

  function cell(answer, all) {
    const said = [answer.judge_reason, ...Object.entries(answer.judges ?? {}).map(([who, verdict]) => who + ": " + ({ true: "YES", false: "NO" }[verdict] ?? "no verdict")),
      answer.cut ? "cut at the longest length" : "", answer.error ?? "", answer.n_quotes ? answer.n_verbatim + " of " + answer.n_quotes + " quotes verbatim" : "",
      answer.f1 === null ? "" : "exact match " + answer.exact_match + ", F1 " + answer.f1.toFixed(2)].filter(Boolean).join(" · ");
    const short = answer.answer.length > 280 ? answer.answer.slice(0, 280) + "…" : answer.answer;
    return make("td", { data: { system: answer.system } }, badge(answer.outcome), " " + (short || "(empty)"), make("p", { className: "soft", textContent: said }),
      make("details", {}, make("summary", { textContent: "whole reply" }), reply(answer, all)));
  }

  function replies(question, cases) {
    const head = [make("th", { scope: "col", textContent: "Shown" }), ...cases[0].answers.map(answer => make("th", { scope: "col", textContent: answer.system }))];
    return make("table", { className: "replies" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...cases.map(shown =>
      make("tr", {}, make("th", { scope: "row", textContent: name(shown) }), ...shown.answers.map(answer => cell(answer, texts(question, shown)))))));
  }

  function inside(question) {
    const reference = question.answerable ? [make("strong", { textContent: "Reference: " }), question.answer] : [make("strong", { textContent: "The documents do not answer this question." })];
    const place = [question.source, question.split && question.split + " document", question.set !== "eval" && "eval set " + question.set].filter(Boolean).join(", ");
    const out = [make("p", { className: "reference" }, ...reference, place ? make("span", { className: "soft", textContent: " · " + place }) : null)];
    const quoted = cases => cases.flatMap(shown => shown.answers.flatMap(answer => answer.quotes));
    const first = question.cases.filter(plain);
    if (first.length) out.push(passages(question, first.reduce((a, b) => b.chunks.length > a.chunks.length ? b : a), quoted(first)), replies(question, first));
    for (const shown of question.cases.filter(other => !plain(other))) {
      const title = data.titles[shown.condition] + (shown.original ? ": " + shown.original + " → " + shown.replacement : "") + ", " + name(shown);
      out.push(make("details", { className: "panel", open: !first.length }, make("summary", {}, title, ...shown.answers.map(answer => badge(answer.system + ": " + answer.outcome)).map((made, i) => {
        made.className = "badge b-" + slug(shown.answers[i].outcome);
        return made;
      })), passages(question, shown, quoted([shown])), replies(question, [shown])));
    }
    return make("div", { className: "inside" }, ...out.filter(Boolean));
  }

  function card(question) {
    const strip = data.systems.map(system => [system, question.cases.filter(shown => plain(shown) && !shown.repeat).flatMap(shown => shown.answers).filter(answer => answer.system === system)]);
    const made = make("details", { className: "question", data: { id: question.id } }, make("summary", {}, question.question,
      make("span", { className: "strip" }, ...strip.filter(([, held]) => held.length).map(([system, held]) => make("span", {}, system, ...held.map(answer => dot(answer.outcome)))))));
    made.addEventListener("toggle", () => { if (made.open && made.children.length === 1) made.append(inside(question)); });
    return made;
  }

  const answersOf = question => question.cases.flatMap(shown => shown.answers);
  const differs = shown => new Set(shown.answers.map(answer => answer.outcome)).size > 1;
  const doubted = answer => answer.f1 !== null && !answer.refused && (answer.judge === true && answer.f1 === 0 || answer.judge === false && answer.exact_match === 1);
  const words = new Map();
  const searched = question => {
    if (!words.has(question)) words.set(question, [question.id, question.question, question.answer, question.source, ...answersOf(question).map(answer => answer.answer)].join("\n").toLowerCase());
    return words.get(question);
  };
  const [text, outcome, who, where, unlike, doubt] = ["text", "outcome", "who", "where", "differs", "doubted"].map(at);
  const label = shown => plain(shown) ? name({ ...shown, repeat: 0 }) : (data.titles[shown.condition] ?? shown.condition);
  for (const [control, values] of [[outcome, answersOf], [where, question => question.cases.map(label)]])
    for (const value of new Set(data.questions.flatMap(values).map(found => found.outcome ?? found))) control.append(make("option", { textContent: value }));
  for (const system of data.systems) who.append(make("option", { textContent: system }));
  let found = [], shown = 0, only = "";

  function more() {
    const next = found.slice(shown, shown + PAGE);
    list.append(...next.map(card));
    shown += next.length;
    at("more").hidden = shown >= found.length;
    at("more").textContent = `Show ${Math.min(PAGE, found.length - shown)} more`;
    at("count").textContent = found.length + " of " + data.questions.length + " questions" + (shown < found.length ? ", the first " + shown + " below" : "");
  }

  function apply() {
    const wanted = text.value.trim().toLowerCase();
    found = data.questions.filter(question => only ? question.id === only : searchedFor(question, wanted));
    list.replaceChildren();
    shown = 0;
    more();
    at("everything").hidden = !only;
  }

  function searchedFor(question, wanted) {
    if (wanted && !searched(question).includes(wanted)) return false;
    if (!outcome.value && !who.value && !where.value && !unlike.checked && !doubt.checked) return true;
    return question.cases.some(shown => (!where.value || label(shown) === where.value) && (!unlike.checked || differs(shown))
      && shown.answers.some(answer => (!who.value || answer.system === who.value) && (!outcome.value || answer.outcome === outcome.value) && (!doubt.checked || doubted(answer))));
  }

  function follow() { // links from tables: #q=ID opens one question, #differs those on which systems differ
    const asked = location.hash.startsWith("#q=") ? decodeURIComponent(location.hash.slice(3)) : "";
    if (location.hash === "#differs") unlike.checked = true;
    if (!asked && !only && location.hash !== "#differs") return;
    only = asked;
    apply();
    if (asked && list.firstChild) list.firstChild.open = true;
    at("questions").scrollIntoView();
  }

  at("more").addEventListener("click", more);
  at("everything").addEventListener("click", () => { only = ""; history.replaceState(null, "", "#questions"); apply(); });
  at("open").addEventListener("click", () => { for (const one of list.children) one.open = true; });
  for (const control of [text, outcome, who, where, unlike, doubt]) control.addEventListener("input", () => { only = ""; apply(); });
  addEventListener("hashchange", follow);
  document.querySelector(".filter").hidden = at("open").hidden = false;
  apply();
  follow();
  performance.mark("ready");
  document.documentElement.dataset.ready = "yes";
})();

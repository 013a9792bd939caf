"""Retrieve, answer, judge, measure, compare, draw, report: from a model and an eval set to a verdict with intervals.

Files of `runs/<run>/eval/` and their columns. Rates are in [0, 1]; `low` and `high` are 95 % bounds; null or an empty cell
means that there is nothing to measure. An answer is named by `system, eval_set, condition, top_k, question_id, place, repeat`.

answers.jsonl
    system          student, baseline, teacher, what the user called it, or run:NAME
    eval_set        eval (the frozen one), or the stem of a further file
    condition       closed_book, rag, given (the row's own context), no_oracle, replaced, or a name of lib.eval.contexts
    top_k           passages shown; 0: closed book
    question_id     row of the eval set
    place           where the right passage was put, from 1; 0 where the context was not built around it
    repeat          0 for the first asking; its seed where the temperature is above 0
    context_chunk_ids, prompt_sha256, reply, answer, refused (by rule), quotes, has_tag, original, replacement (a changed value)
    finish_reason, error, latency_s, prompt_tokens, completion_tokens
    cost_usd        of this answer; null where no price is known
    confidence      mean log probability of the reply's tokens; null where the endpoint gives none

scores.jsonl: the same key, then
    answerable, split, source                   of the question
    judge, judge_reason                         the first judge's verdict: true, false, null (not judged)
    judges                                      further judges' verdicts by name
    exact_match, f1, rouge1, rouge2, rougeL, bleu    0 for a refusal, null where there is no reference
    refused, refused_by_judge, failed, cut, finish_reason
    oracle_shown, oracle_position               null: source unknown, or not shown; position from 1
    n_quotes, n_verbatim, cites_oracle          quotes; verbatim in what was shown; one of them from a right passage
    value, p_blind                              replaced values: follows, repeats, both, neither, refused; what a guess among the
                                                values of the kind that are shown would follow
    outcome                                     in a word
    groundedness, relevance, coherence, fluency, similarity    1 to 5, where asked for
    latency_s, prompt_tokens, completion_tokens, cost_usd, confidence

summary.csv: a row per system and top_k of the main eval set, first askings
    n, correct, judge_score, judge_low, judge_high          answerable questions; Wilson
    n_documents, judge_cluster_low, judge_cluster_high      the same rate, whole documents resampled
    unjudged, refusals, refusals_low, refusals_high, answered, precision, precision_low, precision_high
    exact_match, f1, rouge1, rouge2, rougeL, bleu           means over n
    recall_at_k, n_known_source                             right passage shown
    n_unanswerable, refused_unanswerable, refused_unanswerable_rate, refused_unanswerable_low, refused_unanswerable_high
    abstention_precision, abstention_recall, abstention_f1  refusing as a test of having no answer
    n_oracle_shown, refused_oracle_shown, refused_oracle_shown_rate, refused_oracle_shown_low, refused_oracle_shown_high
    n_quotes, quotes_verbatim, n_cited, cites_oracle        of answers that quote with a right passage in view
    cut, failed, finish_reasons, latency_s, latency_p50_s, latency_p95_s, prompt_tokens, completion_tokens, cost_usd_per_answer
    groundedness, relevance, coherence, fluency, similarity means of the judge's scores

slices.csv: `slice, system, top_k`, the judged columns of summary.csv, then for replaced values `follows, repeats, both, neither` with
    `_rate, _low, _high`, and `blind`: the mean of p_blind
comparisons.csv: `where, top_k, first, second, n, n_clusters, difference, low, high, only_first, only_second`, `smallest` difference that
    these questions could be expected to show, exact McNemar `p`, `p_holm` over the table's rows, and the plain `word` of the latter
sets.csv: `eval_set, condition, system, top_k` and the columns of summary.csv; set_comparisons.csv: like comparisons.csv
contexts.csv: `system, context, n_distractors, place` (0: all) and the judged columns; oracle_places asks a question once a place, so
    that at place 0 only the bounds that resample documents hold
recall.csv: `k, n, found, recall, low, high, mrr, ndcg`
repeats.csv: `system, top_k, n, repeats, judge_score_mean, judge_score_sd, judge_score_min, judge_score_max, always_the_same`
risk_coverage.csv: `system, top_k, n, covered, coverage, wrong, risk, risk_low, risk_high, confidence, aurc`
agreement.csv: `what, first, second, n, agree, rate, low, high, kappa`
pairwise.jsonl: `first, second, condition, top_k, question_id, forward, backward, outcome`
wins.csv: `first, second, top_k, n, win, loss, tie, order, unjudged, win_rate, win_low, win_high`
label_sheet.csv: `key, question, reference, answer, right, note`
calibration.csv: `system, n, n_labelled, human_score, agree, agreement, kappa, false_yes, false_no, judge_score, corrected,
    corrected_low, corrected_high, usable`
perplexity.csv: `system, n_tokens, windows, tokens_scored, words_per_token, nll_per_token, perplexity_per_token,
    normalised_perplexity, normalised_low, normalised_high`
compare.csv, compare_rates.csv (of `python -m lib.eval.compare`): the columns of comparisons.csv and summary.csv, systems as `RUN: SYSTEM`
differences.jsonl: `condition, top_k, question_id, question, reference, answerable, outcomes, answers`
"""

"""Show what a study says: one offline page, which the app shows too, and one workbook.

A `Document` (`document`) is built once and shown both ways, so that the two cannot differ:

- `evidence` takes from a study the arrays that pictures need; `charts` makes of them plain option
  dicts of Apache ECharts, which know no browser; `charts_beside` those of what is compared,
  `charts_staffing` and `charts_front` those of what was searched for, `charts_onward` those of
  what would be.
- `plan_document` (with `plan_tables`, `plan_outcomes`, `plan_assumptions`), `compare_document`
  (with `differing`), `budget_document`, `staff_document`, `tune_document`, `what_if_document` and
  `forecast_document` put answer, pictures and tables in order, `provenance` what repeats the run;
  `wording` has the words of both languages (`words.json`).
- `options` are those of every command that writes a page.
- `page` writes a document as HTML with everything inlined, `workbook` as XLSX, `folder` both beside
  the JSON. `vendored/` holds the library that draws, with its licence.
"""

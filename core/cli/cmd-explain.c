/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry explain: the row of a finding, or the translation of an error that was pasted. */
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "facts/json.h"
#include "plan/explain.h"
#include "plan/rules.h"
#include "state/nearest.h"
#include "translate/translate.h"
#include <stdio.h>

struct explained {
    const char *title, *kind; /* a rule's id and severity; what a text means and where */
    const char *cause, *fix, *original;
};

static void add_part(struct text *out, const char *heading, const char *s)
{
    const size_t indent = 10;
    OWNED_TEXT safe = { 0 };

    if (!s)
        return;
    text_add_escaped(&safe, s);
    text_add(out, "%-*s", (int)indent, heading);
    explain_wrapped(out, text_of(&safe), indent, indent);
    text_add(out, "\n");
    out->failed |= safe.failed;
}

static int show(const struct cli *cli, const struct explained *e, struct error *err)
{
    OWNED_TEXT out = { 0 };

    if (cli->is_json) {
        OWNED_JSON j = json_object();

        if (!j || json_put_text(j, "what", e->title) < 0 || json_put_text(j, "kind", e->kind) < 0 ||
            json_put_text(j, "cause", e->cause) < 0 || json_put_text(j, "fix", e->fix) < 0 ||
            json_put_text(j, "original", e->original) < 0)
            return error_memory(err);
        return output_json(j, err);
    }
    add_part(&out, "What", e->title);
    add_part(&out, e->original ? "Where" : "Severity", e->kind);
    add_part(&out, "Cause", e->cause);
    add_part(&out, "To do", e->fix);
    add_part(&out, "Original", e->original);
    if (out.failed)
        return error_memory(err);
    (void)fputs(text_of(&out), stdout);
    return 0;
}

static const char *where_word(enum translate_where w)
{
    return w == AT_SOURCE ? "the source" : w == AT_DEST ? "the destination" : "either host";
}

/* A shell that saw no quotes hands over words. */
static void join_operands(const struct options *o, struct text *ret)
{
    for (size_t i = 0; i < operand_count(o); i++)
        text_add(ret, "%s%s", i ? " " : "", operand_at(o, i));
}

static int not_known(const char *text, struct error *err)
{
    struct nearest hint = { 0 };
    const struct rule *r;

    for (size_t i = 0; (r = rules_at(i)); i++)
        nearest_offer(&hint, text, r->id);
    (void)error_set(err, ERROR_USAGE, NULL, "neither a finding nor an error that is known: '%s'",
                    ESCAPED(text));
    if (hint.word)
        return error_fix(err, "Did you mean '%s'?", hint.word);
    return error_fix(err, "The findings stand in docs/findings.md; of an error, paste libvirt's own text.");
}

int cmd_explain(struct cli *cli, const struct options *o, struct error *err)
{
    const struct translation *t;
    const struct rule *r;
    OWNED_TEXT text = { 0 };

    join_operands(o, &text);
    if (text.failed)
        return error_memory(err);
    r = rules_find(text_of(&text));
    if (r)
        return show(
            cli,
            &(struct explained){
                .title = r->id, .kind = severity_word(r->severity), .cause = r->cause, .fix = r->fix },
            err);
    t = translate_find(text_of(&text));
    if (!t)
        return not_known(text_of(&text), err);
    return show(cli,
                &(struct explained){ .title = t->what,
                                     .kind = where_word(t->where),
                                     .cause = t->cause,
                                     .fix = t->fix,
                                     .original = text_of(&text) },
                err);
}

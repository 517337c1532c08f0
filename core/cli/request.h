/* SPDX-License-Identifier: Apache-2.0
 * What plan and migrate share: options and settings into a run's request, and a plan onto the screen. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "run/run.h"

struct request {
    struct cli *cli;
    struct run_options run;
    struct progress *progress; /* NULL: none */
    bool shows_plan;           /* before anything is done */
    json_t *saved;             /* of migrate --plan; the run's texts lie in it */
    struct arena *arena;       /* of the maps */
    struct map *maps;
    struct relocation_wish wish; /* of a move that may relocate first */
};

/* Rows that both commands have. */
#define REQUEST_LIMITS                                                                                       \
    { .name = "allow-cleartext", .help = "let RAM and disks cross the network unencrypted, this time" },     \
        { .name = "force-managed", .help = "move a domain that another manager owns" },                      \
        { .name = "prefer",                                                                                  \
          .argument = "time|downtime|bytes|exposure",                                                        \
          .type = OPTION_CHOICE,                                                                             \
          .help = "what the cheapest strategy has least of" },                                               \
        { .name = "max-downtime",                                                                            \
          .argument = "MS",                                                                                  \
          .type = OPTION_MS,                                                                                 \
          .help = "how long the guest may stand still at the switch-over" },                                 \
        { .name = "deadline",                                                                                \
          .argument = "TIME",                                                                                \
          .type = OPTION_MS,                                                                                 \
          .bare_ms = 1000,                                                                                   \
          .help = "refuse what would likely take longer than so many seconds" },                             \
        { .name = "p2p", .help = "let the source's libvirt make the calls by itself, where that is safe" },  \
        { .name = "direct", .help = "make libvirt's calls from here, never peer to peer" },                  \
        { .name = "connections",                                                                             \
          .argument = "N",                                                                                   \
          .type = OPTION_U64,                                                                                \
          .help = "how many connections memory is sent by, instead of as many as seem worth it" },           \
        { .name = "no-postcopy", .help = "never let the guest run over there without all of its memory" },   \
        { .name = "no-throttle", .help = "never slow the guest" },                                           \
        { .name = "flatten", .help = "copy a disk with what it rests on, though its base is there too" },    \
        { .name = "keep-chain",                                                                              \
          .help = "of a copied disk that rests on others keep them as they are, as files of their own" },    \
        { .name = "compare-bases",                                                                           \
          .help = "read backing files on both hosts: those of equal content need not be copied" },           \
        { .name = "map-network",                                                                             \
          .argument = "FROM=TO",                                                                             \
          .type = OPTION_TEXT,                                                                               \
          .flags = OPTION_REPEATS,                                                                           \
          .help = "what sits on bridge or network FROM sits on TO at the destination" },                     \
        { .name = "map-storage",                                                                             \
          .argument = "FROM=TO",                                                                             \
          .type = OPTION_TEXT,                                                                               \
          .flags = OPTION_REPEATS,                                                                           \
          .help = "image files below path FROM are below TO at the destination" },                           \
        { .name = "overwrite",                                                                               \
          .argument = "TARGET[,TARGET...]",                                                                  \
          .type = OPTION_TEXT,                                                                               \
          .flags = OPTION_REPEATS,                                                                           \
          .help = "let a copy of this disk overwrite the block device that stands at the destination" },     \
        { .name = "via",                                                                                     \
          .argument = "ADDRESS|NETWORK",                                                                     \
          .type = OPTION_TEXT,                                                                               \
          .help = "where RAM and disks go: an address of the destination, or the network that it lies in" }, \
        { .name = "tls-destination",                                                                         \
          .argument = "NAME",                                                                                \
          .type = OPTION_TEXT,                                                                               \
          .help = "the name in the destination's certificate, where it is not the one that was given" },     \
        { .name = "migrate-setmaxdowntime",                                                                  \
          .argument = "MS",                                                                                  \
          .type = OPTION_MS,                                                                                 \
          .flags = OPTION_HIDDEN,                                                                            \
          .stands_for = "max-downtime" },                                                                    \
        { .name = "relocate-to",                                                                             \
          .argument = "LOCATION",                                                                            \
          .type = OPTION_TEXT,                                                                               \
          .help = "where disks may go first, so that both hosts reach them, when that is cheaper than to "   \
                  "copy" },                                                                                  \
    {                                                                                                        \
        .name = "bandwidth", .argument = "RATE", .type = OPTION_RATE,                                        \
        .help = "the most that the move may use, such as 500MiB/s or 1gbit"                                  \
    }

/* What a relocation and a move that relocates first have in common. */
#define REQUEST_RELOCATE                                                                                     \
    { .name = "synchronous-writes",                                                                          \
      .help = "let the guest wait for both images while a disk is relocated: the copy then always ends" },   \
    {                                                                                                        \
        .name = "overwrite", .argument = "TARGET[,TARGET...]", .type = OPTION_TEXT, .flags = OPTION_REPEATS, \
        .help = "let a relocation of this disk overwrite the block device that is named"                     \
    }

/* The operands DOMAIN (where a command can do without) and DEST, the options, and the settings below them.
 * When it fails r holds nothing. */
int request_read(struct request *r, struct cli *cli, const struct options *o, struct error *err);
void request_done(struct request *r);

/* plan -o: the strategy that was asked for, else the chosen one, with whom it is for. */
int request_save_plan(const struct request *r, const struct plan *p, const char *path, struct error *err);

/* The row of --facts: what is given instead of DOMAIN and DEST. */
#define REQUEST_FACTS                                                                                        \
    {                                                                                                        \
        .name = "facts", .argument = "FILE", .type = OPTION_TEXT, .flags = OPTION_INSTEAD,                   \
        .help = "judge what 'virt-ferry survey' printed; no host is asked"                                   \
    }
/* The plan of a survey, or of the facts in the file that --facts names. */
int request_plan(const struct request *r, const struct options *o, struct run_result *ret, struct error *err);

/* For people, or as JSON with --json. */
int request_show_plan(const struct cli *cli, const struct plan *p, struct error *err);
/* Why nothing of the plan can be chosen. The plan's JSON has said it, so that there the error is without
 * words: stdout is one document. */
int request_refusal(const struct cli *cli, const struct plan *p, struct error *err);

#endif

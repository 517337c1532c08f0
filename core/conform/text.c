/* SPDX-License-Identifier: Apache-2.0
 * Are the texts that a callback gave alive when it has returned? They are read, stack and heap are written
 * over, and they are read again. */
#include "base/text.h"
#include "conform/trial.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#define TEXTS 4u
#define LONGEST_TEXT (1u << 20)
#define STACK_BYTES 49152u
#define RUBBISH 0xa5

/* Where the frames of the callback were. */
static __attribute__((noinline)) void write_over_stack(void)
{
    volatile unsigned char bytes[STACK_BYTES];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = RUBBISH;
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

/* What was freed is handed out again, and filled. */
static void write_over_heap(void)
{
    static void *taken[256];

    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if ((taken[i] = malloc(16 + i * 16)))
            memset(taken[i], RUBBISH, 16 + i * 16);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        free(taken[i]);
}

static void judge(struct trial *t, const struct trial_text *text, const char *copy)
{
    if (strcmp(copy, text->text) != 0)
        trial_note(t, "'%s' is a text that does not live: it changes after the callback has returned",
                   text->member);
    else if (!text_is_utf8(copy))
        trial_note(t, "'%s' is not valid UTF-8", text->member);
}

void trial_texts(struct trial *t, const struct trial_text *texts, size_t n)
{
    char *copies[TEXTS] = { NULL };

    for (size_t i = 0; i < n && i < TEXTS; i++)
        if (texts[i].text)
            copies[i] = strndup(texts[i].text, LONGEST_TEXT);
    write_over_stack();
    write_over_heap();
    for (size_t i = 0; i < n && i < TEXTS; i++) {
        if (copies[i])
            judge(t, &texts[i], copies[i]);
        free(copies[i]);
    }
}

/* SPDX-License-Identifier: Apache-2.0
 * Chooses where a command runs. Output from a host is text from outside: bounded, and valid UTF-8 or nothing.
 */
#include "verbs/command.h"

#include "base/text.h"
#include "plugin/program.h"
#include "verbs/verbs.h"
#include <string.h>

#define MOST_WORDS 31u
#define DEFAULT_MS 4000u

bool command_can_run(struct child *c)
{
    return (c->libvirt && verb_is_local(c)) || (c->way.driver && c->way.driver->run);
}

int command_run(struct child *c, struct ferry_command *command, struct error *err)
{
    struct call_host lent = verb_call_host(c);
    struct ferry_call call;
    int r;

    if (c->libvirt && verb_is_local(c))
        return program_run(command, err);
    if (!c->way.driver || !c->way.driver->run)
        return error_set(err, ERROR_REFUSED, c->host, "no command can be run there");
    if (call_begin(&call, &lent, c->way.owner, c->way.driver->name, c->host, NULL, err) < 0)
        return -err->code;
    r = c->way.driver->run(&call, &call_services, c->way.uri, c->way.folder, command);
    if (r < 0)
        r = call_failed(&call, NULL);
    call_done(&call);
    return r;
}

char *command_script(struct child *c, const char *script, const char *input, unsigned ms, struct error *err)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    OWNED_MEMORY char *output = malloc(COMMAND_OUTPUT);
    struct ferry_command command = { .size = sizeof command,
                                     .timeout_ms = ms,
                                     .argv = argv,
                                     .input = input,
                                     .input_bytes = input ? strlen(input) : 0,
                                     .output = output,
                                     .output_room = COMMAND_OUTPUT };

    if (!output) {
        error_memory(err);
        return NULL;
    }
    if (command_run(c, &command, err) < 0)
        return NULL;
    if (command.is_cut || !text_is_utf8(output)) {
        error_set(err, ERROR_INPUT, c->host, "what a look at the host printed is %s",
                  command.is_cut ? "too much" : "not text");
        return NULL;
    }
    return HAND_OVER(output);
}

int verb_run(struct child *c, const json_t *args, json_t *reply, struct error *err)
{
    const char *argv[MOST_WORDS + 1] = { NULL };
    const json_t *words = json_child(args, "argv");
    size_t n = json_array_size(words);
    OWNED_MEMORY char *output = malloc(COMMAND_OUTPUT);
    struct ferry_command command = { .size = sizeof command,
                                     .argv = argv,
                                     .timeout_ms = (uint32_t)json_u64(args, "timeout_ms", DEFAULT_MS),
                                     .input = json_text(args, "input", ""),
                                     .output = output,
                                     .output_room = COMMAND_OUTPUT };

    if (!output)
        return error_memory(err);
    if (n == 0 || n > MOST_WORDS)
        return error_set(err, ERROR_INPUT, c->host, "a command has 1 to %u words", MOST_WORDS);
    for (size_t i = 0; i < n; i++)
        if (!(argv[i] = json_string_value(json_array_get(words, i))))
            return error_set(err, ERROR_INPUT, c->host, "a word of a command is no text");
    command.input_bytes = strlen(command.input);
    if (command_run(c, &command, err) < 0)
        return -err->code;
    if (!text_is_utf8(output))
        return error_set(err, ERROR_INPUT, c->host, "what '%s' printed is not text", argv[0]);
    if (json_put_u64(reply, "exit", (uint64_t)(uint32_t)command.exit_code) < 0 ||
        json_put_text(reply, "output", output) < 0 || json_put_flag(reply, "is_cut", command.is_cut != 0) < 0)
        return error_memory(err);
    return 0;
}

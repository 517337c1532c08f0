/* SPDX-License-Identifier: Apache-2.0
 * virt-ferry: the program. All of it that can be tested stands in cli.c. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0
 * Prints where each member of each struct of a plugin's header stands, and what each constant is. MEMBERS
 * names a list: S(struct), M(struct, member), C(constant). */
#include <stddef.h>
#include <stdio.h>
#include <virt-ferry-plugin.h>

#define S(s) printf("size %s %zu\n", #s, sizeof(struct s));
#define M(s, m) printf("member %s %s %zu %zu\n", #s, #m, offsetof(struct s, m), sizeof(((struct s *)0)->m));
#define C(c) printf("constant %s %lld\n", #c, (long long)(c));

int main(void)
{
#include MEMBERS
    printf("constant FERRY_PARAMETER_FLAG %s\nconstant FERRY_PLUGIN_SYMBOL %s\n", FERRY_PARAMETER_FLAG,
           FERRY_PLUGIN_SYMBOL);
    return 0;
}

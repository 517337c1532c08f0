#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317  # cases call what is defined before them
# Plugins: none, one that was built against the installed header alone, and ones that must not be loaded.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(readlink -f "$0")")/lib.sh"

PLUGINS=$WORK/plugins
BUILT=$VIRT_FERRY_BUILD/plugins
export VIRT_FERRY_PLUGIN_PATH=$PLUGINS

# The folder of plugins, with these files and no others in it.
plugins_are() { # FILE…
    rm -rf "$PLUGINS"
    install -d -m 755 "$PLUGINS"
    [ $# = 0 ] || install -m 755 "$@" "$PLUGINS"
}

# An installation below a folder of its own, and the example built there with pkg-config and no path of ours.
example_build() {
    [ ! -e "$WORK/example/example.so" ] || return 0
    make -s -C "$REPO" install MODE="$(basename "$VIRT_FERRY_BUILD")" BUILD="$(dirname "$VIRT_FERRY_BUILD")" \
        DESTDIR="$WORK/root"
    cp -r "$REPO/contrib/example-plugin" "$WORK/example"
    rm -f "$WORK"/example/*.so
    env -i PATH="$PATH" PKG_CONFIG_SYSROOT_DIR="$WORK/root" \
        PKG_CONFIG_LIBDIR="$WORK/root/usr/local/lib/pkgconfig" make -s -C "$WORK/example"
}

example_settings() {
    printf '[example]\nfolder = /srv/shared\ncluster = rack-7\n' | on hostA tee /etc/virt-ferry.conf
}

# What stands in the list for a file, as "NAME: REASON", or "NAME: loaded".
listed() { # FILE
    ferry hostA --json plugin list | jq -r --arg file "/$1" '.plugins[] | select(.file | endswith($file)) |
        "\($file | ltrimstr("/")): \(.refused // "loaded")"'
}

it "with an empty plugin folder no storage driver claims the disk, and nothing reaches the destination"
guest hostA plugged --write-log
plugins_are
exits 3 prints "no storage driver claims disk 'vda'" prints 'no channel leads from' \
    prints 'virt-ferry plugin list' ferry hostA plan plugged hostB
exits 3 prints "no storage driver claims disk 'vda'" ferry hostA migrate plugged hostB --allow-cleartext
exits 0 prints 'there are no plugins' ferry hostA plugin list
lives_on hostA plugged

it "with the transport alone no storage driver claims the disk, and the way there is priced"
guest hostA plugged --write-log
plugins_are "$BUILT/transport-tls.so"
exits 3 prints "no storage driver claims disk 'vda'" prints precopy-tcp-gated lacks 'no channel' \
    ferry hostA plan plugged hostB --allow-cleartext
lives_on hostA plugged

it "with the storage driver alone there is no way to the destination"
guest hostA plugged --write-log
plugins_are "$BUILT/local-block.so"
exits 3 prints 'no channel leads from' lacks 'no storage driver' ferry hostA plan plugged hostB
exits 3 ferry hostA migrate plugged hostB
lives_on hostA plugged

it "a plugin that was built with the installed header and pkg-config alone is listed and shown"
example_build
plugins_are "$WORK/example/example.so"
is 'example.so: loaded' listed example.so
prints 'storage example' ferry hostA plugin list
prints 'image files in the folder of a cluster' prints 'two hosts can hold the same image' \
    ferry hostA plugin info example
exits 2 prints "there is no plugin 'exmaple'" prints "Did you mean 'example'?" ferry hostA plugin info exmaple

it "the disk of the example plugin moves as a shared one"
guest hostA plugged --write-log
example_build
plugins_are "$WORK/example/example.so" "$BUILT/transport-tls.so"
example_settings
finally no_settings hostA
prints "example:rack-7:plugged-vda.qcow2" ferry hostA --json plan plugged hostB --allow-cleartext
ferry hostA migrate plugged hostB --allow-cleartext
lives_on hostB plugged

it "a plugin for another ABI is listed with both numbers, and the others are loaded"
sed 's/define FERRY_ABI 1u/define FERRY_ABI 7u/' "$REPO/core/plugin/virt-ferry-plugin.h" >"$WORK/virt-ferry-plugin.h"
grep -q 'FERRY_ABI 7u' "$WORK/virt-ferry-plugin.h"
plugins_are "$BUILT/transport-tls.so"
cc -shared -fPIC -fvisibility=hidden -I"$WORK" -o "$PLUGINS/older.so" "$REPO/contrib/example-plugin/example.c"
is 'older.so: was built for ABI 7, this virt-ferry speaks ABI 1' listed older.so
is 'transport-tls.so: loaded' listed transport-tls.so

it "a plugin that is cut short, and one that is none, are listed with their reasons"
plugins_are "$BUILT/transport-tls.so"
head -c 9000 "$BUILT/local-block.so" >"$PLUGINS/short.so"
echo 'no plugin' >"$PLUGINS/text.so"
: >"$PLUGINS/empty.so"
is 'short.so: is truncated' listed short.so
is 'text.so: is not an ELF file' listed text.so
is 'empty.so: is not an ELF file' listed empty.so
is 'transport-tls.so: loaded' listed transport-tls.so

it "a plugin in a folder that others can write is not loaded"
plugins_are "$BUILT/transport-tls.so"
chmod 777 "$PLUGINS"
prints "'$PLUGINS' can be written by others than its owner" listed plugins
chmod 1777 "$PLUGINS"
prints "can be written by others than its owner" listed plugins
chmod 755 "$PLUGINS"
chmod 666 "$PLUGINS/transport-tls.so"
prints "can be written by others than its owner" listed transport-tls.so
chmod 755 "$PLUGINS/transport-tls.so"
is 'transport-tls.so: loaded' listed transport-tls.so

it "a plugin behind a link into such a folder is not loaded, and one of another user neither"
plugins_are
install -d -m 777 "$WORK/open"
install -m 755 "$BUILT/transport-tls.so" "$WORK/open/"
ln -s "$WORK/open/transport-tls.so" "$PLUGINS/linked.so"
install -m 755 -o 65534 "$BUILT/local-block.so" "$PLUGINS/foreign.so"
prints "'$WORK/open' can be written by others than its owner" listed linked.so
prints 'belongs to user 65534' listed foreign.so

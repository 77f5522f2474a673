-- SPDX-License-Identifier: MIT
-- The Lua module alone, against a libspf that is installed: luarocks make libspf-0.1.0-1.rockspec [LIBSPF_DIR=/usr/local]
rockspec_format = "3.0"
package = "libspf"
version = "0.1.0-1"
source = {
    url = "file://libspf-0.1.0.tar.gz",
    dir = "libspf-0.1.0/plugins/lua",
}
description = {
    summary = "Sender Policy Framework (RFC 7208): checks, blocking or in an event loop, and why they end as they do",
    license = "MIT",
}
dependencies = {"lua >= 5.1, < 5.5"}
supported_platforms = {"linux"}
external_dependencies = {
    LIBSPF = {header = "spf_resolver.h", library = "spf"},
}
build = {
    type = "builtin",
    modules = {
        libspf = {
            sources = {
                "arguments.c", "check.c", "compat.c", "context.c", "draft.c", "events.c", "evidence.c", "exchange.c",
                "job.c", "module.c", "resolver.c", "result.c", "settings.c", "state.c", "survey.c", "tables.c",
            },
            defines = {"_GNU_SOURCE"},
            incdirs = {"$(LIBSPF_INCDIR)"},
            libdirs = {"$(LIBSPF_LIBDIR)"},
            libraries = {"spf", "m", "pthread", "dl"},
        },
    },
}

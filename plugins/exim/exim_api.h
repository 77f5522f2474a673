/* SPDX-License-Identifier: MIT */
/* What this plugin takes from Exim, for every version of its interface. */
#ifndef LIBSPF_EXIM_API_H
#define LIBSPF_EXIM_API_H

#define DLFUNC_IMPL
#include <local_scan.h>

/* Exim checks nothing when it loads a function, so a wrong interface has to be noticed here. */
#if !defined(LOCAL_SCAN_ABI_VERSION_MAJOR) || LOCAL_SCAN_ABI_VERSION_MAJOR < 4 || LOCAL_SCAN_ABI_VERSION_MAJOR > 7
#error "this plugin knows Exim 4.94 and later, whose local_scan.h has an ABI version of 4 to 7"
#endif

/* Memory that Exim frees by itself, and whose text it takes for no file name, command or expansion. Never NULL. */
static inline uschar *exim_tainted_new(int size)
{
#if LOCAL_SCAN_ABI_VERSION_MAJOR >= 6
    return store_get(size, GET_TAINTED);
#else
    return store_get(size, TRUE);
#endif
}

#endif

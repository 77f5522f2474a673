/* SPDX-License-Identifier: MIT */
/* Lint: what it says of what a walk found. */
#include "tools/lint.h"

#include "unit/walking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { EVERYTHING = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY, DUMP_MAX = 65536 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct zone_row {
    const char *name;
    const char *domain; /* NULL: none */
    const char *record; /* given; NULL: asked for */
    unsigned scope;     /* 0: everything */
    const char *zone;
    const char *remarks; /* "severity code domain [octets]" LF, of all in their order */
} zone_row_t;

static const zone_row_t zone_rows[] = {
    {"the 11th lookup stands in an included record", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example include:b.example -all\n"
     "a.example TXT v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example -all\n"
     "b.example TXT v=spf1 a:h6.example a:h7.example a:h8.example a:h9.example -all\n"
     "h1.example A 192.0.2.1\n"
     "h1.example AAAA 2001:db8::1\n"
     "h2.example A 192.0.2.2\n"
     "h2.example AAAA 2001:db8::2\n"
     "h3.example A 192.0.2.3\n"
     "h3.example AAAA 2001:db8::3\n"
     "h4.example A 192.0.2.4\n"
     "h4.example AAAA 2001:db8::4\n"
     "h5.example A 192.0.2.5\n"
     "h5.example AAAA 2001:db8::5\n"
     "h6.example A 192.0.2.6\n"
     "h6.example AAAA 2001:db8::6\n"
     "h7.example A 192.0.2.7\n"
     "h7.example AAAA 2001:db8::7\n"
     "h8.example A 192.0.2.8\n"
     "h8.example AAAA 2001:db8::8\n"
     "h9.example A 192.0.2.9\n"
     "h9.example AAAA 2001:db8::9\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error lookup-limit b.example [a:h9.example]\n"},
    {"the 11th lookup stands in the record itself", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example "
     "a:h7.example a:h8.example a:h9.example a:h10.example a:h11.example -all\n"
     "h1.example A 192.0.2.1\n"
     "h1.example AAAA 2001:db8::1\n"
     "h2.example A 192.0.2.2\n"
     "h2.example AAAA 2001:db8::2\n"
     "h3.example A 192.0.2.3\n"
     "h3.example AAAA 2001:db8::3\n"
     "h4.example A 192.0.2.4\n"
     "h4.example AAAA 2001:db8::4\n"
     "h5.example A 192.0.2.5\n"
     "h5.example AAAA 2001:db8::5\n"
     "h6.example A 192.0.2.6\n"
     "h6.example AAAA 2001:db8::6\n"
     "h7.example A 192.0.2.7\n"
     "h7.example AAAA 2001:db8::7\n"
     "h8.example A 192.0.2.8\n"
     "h8.example AAAA 2001:db8::8\n"
     "h9.example A 192.0.2.9\n"
     "h9.example AAAA 2001:db8::9\n"
     "h10.example A 192.0.2.10\n"
     "h10.example AAAA 2001:db8::10\n"
     "h11.example A 192.0.2.11\n"
     "h11.example AAAA 2001:db8::11\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error lookup-limit example.com [a:h11.example]\n"},
    {"ten lookups are close", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example "
     "a:h7.example a:h8.example a:h9.example a:h10.example -all\n"
     "h1.example A 192.0.2.1\n"
     "h1.example AAAA 2001:db8::1\n"
     "h2.example A 192.0.2.2\n"
     "h2.example AAAA 2001:db8::2\n"
     "h3.example A 192.0.2.3\n"
     "h3.example AAAA 2001:db8::3\n"
     "h4.example A 192.0.2.4\n"
     "h4.example AAAA 2001:db8::4\n"
     "h5.example A 192.0.2.5\n"
     "h5.example AAAA 2001:db8::5\n"
     "h6.example A 192.0.2.6\n"
     "h6.example AAAA 2001:db8::6\n"
     "h7.example A 192.0.2.7\n"
     "h7.example AAAA 2001:db8::7\n"
     "h8.example A 192.0.2.8\n"
     "h8.example AAAA 2001:db8::8\n"
     "h9.example A 192.0.2.9\n"
     "h9.example AAAA 2001:db8::9\n"
     "h10.example A 192.0.2.10\n"
     "h10.example AAAA 2001:db8::10\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "advice near-lookup-limit example.com []\n"},
    {"eight lookups are not", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:h1.example a:h2.example a:h3.example a:h4.example a:h5.example a:h6.example "
     "a:h7.example a:h8.example -all\n"
     "h1.example A 192.0.2.1\n"
     "h1.example AAAA 2001:db8::1\n"
     "h2.example A 192.0.2.2\n"
     "h2.example AAAA 2001:db8::2\n"
     "h3.example A 192.0.2.3\n"
     "h3.example AAAA 2001:db8::3\n"
     "h4.example A 192.0.2.4\n"
     "h4.example AAAA 2001:db8::4\n"
     "h5.example A 192.0.2.5\n"
     "h5.example AAAA 2001:db8::5\n"
     "h6.example A 192.0.2.6\n"
     "h6.example AAAA 2001:db8::6\n"
     "h7.example A 192.0.2.7\n"
     "h7.example AAAA 2001:db8::7\n"
     "h8.example A 192.0.2.8\n"
     "h8.example AAAA 2001:db8::8\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"the 3rd void lookup", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:x1.example a:x2.example a:x3.example -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error void-limit example.com [a:x3.example]\n"
     "warning void-lookup example.com [a:x1.example]\n"
     "warning void-lookup example.com [a:x2.example]\n"
     "warning void-lookup example.com [a:x3.example]\n"},
    {"void lookups within the limit", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:x1.example mx:x2.example ~all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning void-lookup example.com [a:x1.example]\n"
     "warning void-lookup example.com [mx:x2.example]\n"},
    {"the 3rd void lookup of IPv6 clients", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:v1.example a:v2.example a:v3.example -all\n"
     "v1.example A 192.0.2.1\n"
     "v2.example A 192.0.2.2\n"
     "v3.example A 192.0.2.3\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error void-limit example.com [a:v3.example]\n"
     "warning ipv6-void example.com [a:v1.example]\n"
     "warning ipv6-void example.com [a:v2.example]\n"
     "warning ipv6-void example.com [a:v3.example]\n"},
    {"as many as are allowed", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:v1.example a:v2.example -all\n"
     "v1.example A 192.0.2.1\n"
     "v2.example A 192.0.2.2\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning ipv6-void example.com [a:v1.example]\n"
     "warning ipv6-void example.com [a:v2.example]\n"},
    {"one without an IPv6 address is no matter", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:v1.example -all\n"
     "v1.example A 192.0.2.1\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"a host with an IPv6 address alone", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:v6.example -all\n"
     "v6.example AAAA 2001:db8::1\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning void-lookup example.com [a:v6.example]\n"},
    {"eleven mail hosts", "example.com", NULL, 0,
     "example.com TXT v=spf1 mx -all\n"
     "example.com MX 10 h1.example\n"
     "example.com MX 10 h2.example\n"
     "example.com MX 10 h3.example\n"
     "example.com MX 10 h4.example\n"
     "example.com MX 10 h5.example\n"
     "example.com MX 10 h6.example\n"
     "example.com MX 10 h7.example\n"
     "example.com MX 10 h8.example\n"
     "example.com MX 10 h9.example\n"
     "example.com MX 10 h10.example\n"
     "example.com MX 10 h11.example\n"
     "h1.example A 192.0.2.1\n"
     "h1.example AAAA 2001:db8::1\n"
     "h2.example A 192.0.2.2\n"
     "h2.example AAAA 2001:db8::2\n"
     "h3.example A 192.0.2.3\n"
     "h3.example AAAA 2001:db8::3\n"
     "h4.example A 192.0.2.4\n"
     "h4.example AAAA 2001:db8::4\n"
     "h5.example A 192.0.2.5\n"
     "h5.example AAAA 2001:db8::5\n"
     "h6.example A 192.0.2.6\n"
     "h6.example AAAA 2001:db8::6\n"
     "h7.example A 192.0.2.7\n"
     "h7.example AAAA 2001:db8::7\n"
     "h8.example A 192.0.2.8\n"
     "h8.example AAAA 2001:db8::8\n"
     "h9.example A 192.0.2.9\n"
     "h9.example AAAA 2001:db8::9\n"
     "h10.example A 192.0.2.10\n"
     "h10.example AAAA 2001:db8::10\n"
     "h11.example A 192.0.2.11\n"
     "h11.example AAAA 2001:db8::11\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error mx-limit example.com [mx]\n"},
    {"ten mail hosts", "example.com", NULL, 0,
     "example.com TXT v=spf1 mx -all\n"
     "example.com MX 10 h1.example\n"
     "example.com MX 10 h2.example\n"
     "example.com MX 10 h3.example\n"
     "example.com MX 10 h4.example\n"
     "example.com MX 10 h5.example\n"
     "example.com MX 10 h6.example\n"
     "example.com MX 10 h7.example\n"
     "example.com MX 10 h8.example\n"
     "example.com MX 10 h9.example\n"
     "example.com MX 10 h10.example\n"
     "h1.example A 192.0.2.1\n"
     "h1.example AAAA 2001:db8::1\n"
     "h2.example A 192.0.2.2\n"
     "h2.example AAAA 2001:db8::2\n"
     "h3.example A 192.0.2.3\n"
     "h3.example AAAA 2001:db8::3\n"
     "h4.example A 192.0.2.4\n"
     "h4.example AAAA 2001:db8::4\n"
     "h5.example A 192.0.2.5\n"
     "h5.example AAAA 2001:db8::5\n"
     "h6.example A 192.0.2.6\n"
     "h6.example AAAA 2001:db8::6\n"
     "h7.example A 192.0.2.7\n"
     "h7.example AAAA 2001:db8::7\n"
     "h8.example A 192.0.2.8\n"
     "h8.example AAAA 2001:db8::8\n"
     "h9.example A 192.0.2.9\n"
     "h9.example AAAA 2001:db8::9\n"
     "h10.example A 192.0.2.10\n"
     "h10.example AAAA 2001:db8::10\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"an include of a name that does not exist", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:gone.example -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error target-no-record example.com [include:gone.example]\n"},
    {"an include of a name without a record", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:bare.example -all\n"
     "bare.example TXT something\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error target-no-record example.com [include:bare.example]\n"},
    {"an include of a host", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:mail.example -all\n"
     "mail.example A 192.0.2.1\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error target-is-host example.com [include:mail.example]\n"},
    {"a redirect to a name without a record", "example.com", NULL, 0,
     "example.com TXT v=spf1 redirect=bare.example\n"
     "bare.example TXT something\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error target-no-record example.com [redirect=bare.example]\n"},
    {"the name of a policy as a host", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:_spf.example mx:_spf.example -all\n"
     "_spf.example TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning name-is-policy example.com [a:_spf.example]\n"
     "warning name-is-policy example.com [mx:_spf.example]\n"},
    {"no mail comes from names that are there for includes", "_spf.example.com", NULL, 0,
     "_spf.example.com TXT v=spf1 ip4:192.0.2.1 ~all\n", ""},
    {"what only begins as a DMARC record", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC12; p=reject\n",
     "advice all-without-dmarc example.com [-all]\n"},
    {"of two DMARC records nobody follows either", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"a record's own name is no include that is meant", "example.com", NULL, 0,
     "example.com TXT v=spf1 mx include:_spf.example.com -all\n"
     "_spf.example.com TXT v=spf1 ip4:192.0.2.1 a:Example.com -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning void-lookup example.com [mx]\n"
     "warning void-lookup _spf.example.com [a:Example.com]\n"},
    {"an include of itself", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:example.com -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error loop example.com [include:example.com]\n"},
    {"a loop farther down", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 redirect=example.com\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error loop a.example [redirect=example.com]\n"},
    {"several records", "example.com", NULL, 0,
     "example.com TXT v=spf1 a -all\n"
     "example.com TXT v=spf1 mx -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error several-records example.com []\n"},
    {"several records in an include", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 -all\n"
     "a.example TXT v=spf1 ?all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error several-records a.example []\n"},
    {"a syntax error in an include", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 a mx foo -all\n"
     "a.example A 192.0.2.1\n"
     "a.example AAAA 2001:db8::1\n"
     "a.example MX 10 a.example\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error unknown-mechanism a.example [foo]\n"},
    {"a syntax error that no mail gets to", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all include:a.example redirect=a.example\n"
     "a.example TXT v=spf1 foo -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning term-after-all example.com [include:a.example]\n"
     "warning redirect-with-all example.com [redirect=a.example]\n"},
    {"a name server that fails", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example a:b.example mx:c.example -all\n"
     "a.example * SERVFAIL\n"
     "b.example A TIMEOUT\n"
     "b.example AAAA 2001:db8::1\n"
     "c.example MX 10 d.example\n"
     "d.example A SERVFAIL\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error dns-failure example.com [include:a.example]\n"
     "error dns-failure example.com [a:b.example]\n"
     "error dns-failure example.com [mx:c.example]\n"},
    {"addresses of one family that fail", "example.com", NULL, 0,
     "example.com TXT v=spf1 a:b.example mx:c.example -all\n"
     "b.example A 192.0.2.1\n"
     "b.example AAAA SERVFAIL\n"
     "c.example MX 10 d.example\n"
     "d.example A 192.0.2.1\n"
     "d.example AAAA TIMEOUT\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error dns-failure example.com [a:b.example]\n"
     "error dns-failure example.com [mx:c.example]\n"},
    {"the limit three records down", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 include:b.example -all\n"
     "b.example TXT v=spf1 include:c.example -all\n"
     "c.example TXT v=spf1 a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example "
     "a:i.example -all\n"
     "h.example A 192.0.2.1\n"
     "h.example AAAA 2001:db8::1\n"
     "i.example A 192.0.2.1\n"
     "i.example AAAA 2001:db8::1\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error lookup-limit c.example [a:i.example]\n"},
    {"DMARC with spaces, and -all", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1 ; p = reject ;\n",
     "advice fail-with-dmarc example.com [-all]\n"},
    {"DMARC without a policy, and -all", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; rua=mailto:a@example.com\n",
     ""},
    {"DMARC of the domain above that spares those below", "mail.example.com", NULL, 0,
     "mail.example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject; sp=none\n",
     ""},
    {"DMARC that nobody knows of", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT SERVFAIL\n",
     ""},
    {"the domain's own name server fails", "example.com", NULL, 0, "example.com * SERVFAIL\n",
     "error dns-failure example.com []\n"},
    {"an include of +all", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 +all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning include-plus-all example.com [include:a.example]\n"},
    {"hosts of an mx without an address", "example.com", NULL, 0,
     "example.com TXT v=spf1 mx mx:null.example mx:some.example mx:bad.example mx:%{l}.example -all\n"
     "example.com MX 10 gone.example\n"
     "null.example MX 0 .\n"
     "some.example MX 10 gone.example\n"
     "some.example MX 20 h.example\n"
     "h.example AAAA 2001:db8::1\n"
     "bad.example MX 10 bad.example\n"
     "bad.example A SERVFAIL\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error dns-failure example.com [mx:bad.example]\n"
     "warning mx-no-address example.com [mx]\n"
     "warning mx-no-address example.com [mx:null.example]\n"},
    {"an include of +all farther down", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 ip4:192.0.2.1 include:b.example -all\n"
     "b.example TXT v=spf1 include:c.example -all\n"
     "c.example TXT v=spf1 +all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning include-plus-all example.com [include:a.example]\n"},
    {"an include of what gives something else by +all", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 ip4:192.0.2.1 -include:b.example ?include:b.example -all include:b.example\n"
     "b.example TXT v=spf1 +all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"an include of +all by redirect", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 redirect=b.example\n"
     "b.example TXT v=spf1 all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning include-plus-all example.com [include:a.example]\n"},
    {"a redirect to +all", "example.com", NULL, 0,
     "example.com TXT v=spf1 redirect=b.example\n"
     "b.example TXT v=spf1 all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning plus-all b.example [all]\n"},
    {"a redirect to a record without all", "example.com", NULL, 0,
     "example.com TXT v=spf1 redirect=b.example\n"
     "b.example TXT v=spf1 ip4:192.0.2.1\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning no-all b.example []\n"},
    {"an include whose networks are there", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.0/24 include:a.example ip6:2001:db8::/32 -all\n"
     "a.example TXT v=spf1 ip4:192.0.2.1 ip4:192.0.2.8/29 include:b.example -all\n"
     "b.example TXT v=spf1 ip6:2001:db8::1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "advice unused-include example.com [include:a.example]\n"},
    {"an include of which one network is not there", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.0/24 include:a.example -all\n"
     "a.example TXT v=spf1 ip4:192.0.2.1 ip4:198.51.100.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"an include that lets nobody send", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.0/24 include:a.example -all\n"
     "a.example TXT v=spf1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "advice unused-include example.com [include:a.example]\n"},
    {"an include whose networks are there in pieces", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all\n"
     "a.example TXT v=spf1 ip4:192.0.2.0/24 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "advice unused-include example.com [include:a.example]\n"
     "advice mergeable-networks example.com [ip4:192.0.2.0/25]\n"},
    {"an include that takes from a network behind it", "example.com", NULL, 0,
     "example.com TXT v=spf1 -include:a.example ip4:192.0.2.0/24 -all\n"
     "a.example TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"an include before a network that does not pass", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -ip4:192.0.2.1 ip4:192.0.2.0/24 -all\n"
     "a.example TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"an include that depends on the mail", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example -all\n"
     "a.example TXT v=spf1 exists:%{i}.b.example -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"an include behind all", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all include:gone.example\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning term-after-all example.com [include:gone.example]\n"},
    {"a redirect beside all", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all redirect=gone.example\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning redirect-with-all example.com [redirect=gone.example]\n"},
    {"an explanation that is not there", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 exp=why.example -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "advice exp-unusable example.com [exp=why.example]\n"},
    {"an explanation that is there twice", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 exp=why.example -all\n"
     "why.example TXT one\n"
     "why.example TXT two\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "advice exp-unusable example.com [exp=why.example]\n"},
    {"an explanation", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 exp=why.example -all\n"
     "why.example TXT one\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     ""},
    {"no record and no mail hosts", "example.com", NULL, 0,
     "example.com TXT something else\n"
     "example.com A 192.0.2.1\n",
     "error no-record example.com []\n"},
    {"no record and mail hosts", "example.com", NULL, 0, "example.com MX 10 mail.example.com\n",
     "error no-record example.com []\n"},
    {"no such domain", "example.com", NULL, 0, "", "error no-record example.com []\n"},
    {"a misspelt record", "example.com", NULL, 0, "example.com TXT v=spf1; include:a.example -all\n",
     "error misspelt-version example.com [; ]\n"},
    {"a record of Sender ID alone", "example.com", NULL, 0, "example.com TXT spf2.0/pra ip4:192.0.2.1 -all\n",
     "error misspelt-version example.com [spf2.0]\n"},
    {"a record below spf", "example.com", NULL, 0, "spf.example.com TXT v=spf1 a -all\n",
     "error wrong-name example.com []\n"},
    {"a record below _spf", "example.com", NULL, 0, "_spf.example.com TXT v=spf1 a -all\n",
     "error wrong-name example.com []\n"},
    {"a name without its last dot", "example.com", NULL, 0, "example.com.example.com TXT v=spf1 a -all\n",
     "error wrong-name example.com []\n"},
    {"leftovers beside the record", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "example.com TXT v=spf1; ip4:192.0.2.1 -all\n"
     "example.com TXT spf2.0/pra ip4:192.0.2.1 -all\n"
     "example.com TXT google-site-verification=x\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning leftover-record example.com [spf2.0]\n"
     "warning leftover-record example.com [; ]\n"},
    {"type 99", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "example.com SPF v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning type99 example.com []\n"},
    {"type 99 alone", "example.com", NULL, 0, "example.com SPF v=spf1 ip4:192.0.2.1 -all\n",
     "error no-record example.com []\n"
     "warning type99 example.com []\n"},
    {"no DMARC", "example.com", NULL, 0, "example.com TXT v=spf1 ip4:192.0.2.1 ~all\n",
     "advice all-without-dmarc example.com [~all]\n"},
    {"DMARC that refuses, and -all", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:a@example.com\n",
     "advice fail-with-dmarc example.com [-all]\n"},
    {"DMARC that refuses, and ~all", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 ~all\n"
     "_dmarc.example.com TXT v=DMARC1; p=quarantine\n",
     ""},
    {"DMARC that refuses, and a domain that sends nothing", "example.com", NULL, 0,
     "example.com TXT v=spf1 -all\n"
     "_dmarc.example.com TXT v=DMARC1;p=reject\n",
     ""},
    {"DMARC of the domain above", "mail.example.com", NULL, 0,
     "mail.example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=reject\n",
     "advice fail-with-dmarc mail.example.com [-all]\n"},
    {"DMARC was not asked for", "example.com", NULL, SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES,
     "example.com TXT v=spf1 ip4:192.0.2.1 ~all\n", ""},
    {"an answer of more than 512 octets", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.1 -all\n"
     "example.com TXT "
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "warning long-record example.com []\n"},
    {"a record of more than 450 octets", NULL,
     "v=spf1 ip4:192.0.2.128/25 ip4:192.0.3.128/25 ip4:192.0.4.128/25 ip4:192.0.5.128/25 ip4:192.0.6.128/25 "
     "ip4:192.0.7.128/25 ip4:192.0.8.128/25 ip4:192.0.9.128/25 ip4:192.0.10.128/25 ip4:192.0.11.128/25 "
     "ip4:192.0.12.128/25 ip4:192.0.13.128/25 ip4:192.0.14.128/25 ip4:192.0.15.128/25 ip4:192.0.16.128/25 "
     "ip4:192.0.17.128/25 ip4:192.0.18.128/25 ip4:192.0.19.128/25 ip4:192.0.20.128/25 ip4:192.0.21.128/25 "
     "ip4:192.0.22.128/25 ip4:192.0.23.128/25 ip4:192.0.24.128/25 ip4:192.0.25.128/25 ip4:192.0.26.128/25 -all",
     WALKING_NOTHING, "", "warning long-record  []\n"},
    {"advice for records of others is none of the owner's", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:a.example include:_spf.example.com -all\n"
     "a.example TXT v=spf1 +ip4:192.0.2.1 ptr a:x..example ?all\n"
     "_spf.example.com TXT v=spf1 +ip4:198.51.100.1 ?all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "advice redundant-plus _spf.example.com [+]\n"},
    {"a name that a macro makes too long", "example.com", NULL, 0,
     "example.com TXT v=spf1 include:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%{d1r}.example "
     "exists:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%{d1r}.example -all\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error bad-target example.com "
     "[include:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%{d1r}.example]\n"},
    {"a given record for a domain", "example.com", "v=spf1 a:mail.example.com include:gone.example ~all", 0,
     "example.com TXT v=spf1 -all\n"
     "mail.example.com A 192.0.2.1\n"
     "mail.example.com AAAA 2001:db8::1\n"
     "_dmarc.example.com TXT v=DMARC1; p=none\n",
     "error target-no-record example.com [include:gone.example]\n"},
    {"a domain that is none", "localhost", NULL, 0, "", "error no-record localhost []\n"},
};

static const char *dump_of(const spf_lint_t *lint)
{
    static char dump[DUMP_MAX];
    size_t length = 0;

    dump[0] = '\0';
    for (size_t i = 0; i < lint->count; i++) {
        const spf_remark_t *remark = &lint->remarks[i];
        length += (size_t)snprintf(dump + length, sizeof(dump) - length, "%s %s %s [%.*s]\n",
                                   spf_severity_name(remark->severity), remark->code, remark->domain,
                                   (int)remark->length, remark->record != NULL ? remark->record + remark->offset : "");
        assert_true(length < sizeof(dump));
    }
    return dump;
}

static void test_zones(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(zone_rows); i++) {
        const zone_row_t *row = &zone_rows[i];
        zone_t *zone = zone_new();
        walking_t walking;
        zone_add_lines(zone, row->zone);
        assert_true(walking_run(&walking, &(walking_input_t){.zone = zone,
                                                             .domain = row->domain,
                                                             .record = row->record,
                                                             .scope = row->scope != 0 ? row->scope : EVERYTHING}));
        const spf_lint_t *lint = spf_lint_tree(&walking.arena, walking.tree);
        assert_non_null(lint);
        if (strcmp(dump_of(lint), row->remarks) != 0)
            print_error("%s\n", row->name);
        assert_string_equal(dump_of(lint), row->remarks);
        walking_free(&walking);
        zone_free(zone);
    }
}

/* What is to be done about a record of type 99 depends on whether there is a TXT record. */
static void test_type99(void **state)
{
    static const char *const rows[][2] = {
        {"example.com SPF v=spf1 -all\n", "Publish it as a TXT record instead."},
        {"example.com SPF v=spf1 -all\nexample.com TXT v=spf1 -all\n", "Remove it; the TXT record is what counts."},
        {"example.com SPF nonsense\n", "Remove it."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        zone_t *zone = zone_new();
        walking_t walking;
        zone_add_lines(zone, rows[i][0]);
        assert_true(
            walking_run(&walking, &(walking_input_t){.zone = zone, .domain = "example.com", .scope = EVERYTHING}));
        const spf_lint_t *lint = spf_lint_tree(&walking.arena, walking.tree);
        size_t found = 0;
        while (found < lint->count && strcmp(lint->remarks[found].code, "type99") != 0)
            found++;
        assert_true(found < lint->count);
        assert_string_equal(lint->remarks[found].fix, rows[i][1]);
        walking_free(&walking);
        zone_free(zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_type99),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The walk: what it finds, in whatever order answers come, how it counts, and deadlines. */
#include "unit/walking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { EVERYTHING = SPF_SURVEY_RECORDS | SPF_SURVEY_ADDRESSES | SPF_SURVEY_NEARBY, RANDOM_ORDERS = 20 };

typedef struct row {
    const char *name;
    const char *domain;
    const char *record;
    unsigned scope; /* 0: records and addresses */
    const char *zone;
    const char *tree;
    unsigned asked;
    unsigned rounds;
} row_t;

static const row_t rows[] = {
    {"what each kind of term stands for", "example.com", NULL, 0,
     "example.com TXT v=spf1 ip4:192.0.2.77/25 ip6:2001:db8::1/64 +a -mx/28//64 ~a:old.example.com "
     "?include:inner.example exists:yes.example exists:%{i}.x.example ptr ptr:p.example redirect=away.example "
     "exp=why.%{d} foo=bar\n"
     "example.com A 192.0.2.1\n"
     "example.com AAAA 2001:db8::1\n"
     "example.com MX 10 mx1.example.com\n"
     "example.com MX 20 mx2.example.com\n"
     "mx1.example.com A 192.0.2.9\n"
     "mx1.example.com A 192.0.2.10\n"
     "mx2.example.com AAAA 2001:db8::9\n"
     "inner.example TXT unrelated\n"
     "inner.example TXT v=spf1 mx:null.example a:%{d1r}.com -all\n"
     "null.example MX 0 .\n"
     "inner.com A 198.51.100.7\n"
     "yes.example A 127.0.0.2\n"
     "away.example TXT v=spf1 ?all\n",
     "example.com record ttl=300 octets=243 lookups=11 voids=1/2\n"
     "  ip4:192.0.2.77/25 ip4 pass 192.0.2.0/25\n"
     "  ip6:2001:db8::1/64 ip6 pass 2001:db8::/64\n"
     "  +a a pass ->example.com #1 ttl=300 192.0.2.1/32 2001:db8::1/128 [192.0.2.1 2001:db8::1]\n"
     "  -mx/28//64 mx fail ->example.com #2 hosts=2 ttl=300 192.0.2.0/28 2001:db8::/64 [2 hosts: mx1.example.com "
     "192.0.2.9 192.0.2.10, mx2.example.com 2001:db8::9]\n"
     "  ~a:old.example.com a softfail ->old.example.com no-domain #3 v1/1 ttl=300 [NXDOMAIN]\n"
     "  ?include:inner.example include neutral ->inner.example #4 ttl=300\n"
     "  exists:yes.example exists pass ->yes.example #7 ttl=300 [127.0.0.2]\n"
     "  exists:%{i}.x.example exists pass macro #8 mail\n"
     "  ptr ptr pass ->example.com macro #9 mail\n"
     "  ptr:p.example ptr pass ->p.example macro #10 mail\n"
     "  redirect=away.example redirect ->away.example #11 past46 ttl=300\n"
     "  exp=why.%{d} exp ->why.example.com\n"
     "  foo=bar modifier\n"
     "  inner.example record ttl=300 octets=106 lookups=2 voids=0/1\n"
     "    mx:null.example mx pass ->null.example #5 hosts=1 ttl=300 [1 host: a name that is none]\n"
     "    a:%{d1r}.com a pass ->inner.com #6 v0/2 ttl=300 198.51.100.7/32 [198.51.100.7]\n"
     "    -all all fail\n"
     "  away.example record ttl=300 octets=54 lookups=0 voids=0/0\n"
     "    ?all all neutral past46\n"
     "lookups=11 voids=1/2 records=3 senders=33 ttl=300 permerror4 permerror6\n",
     16, 3},
    {"what is there where a record should be", "top.example", NULL, 0,
     "top.example TXT v=spf1 include:nx.example include:nodata.example include:other.example include:two.example "
     "include:fails.example include:bogus.example include:slow.example include:a..b include:top.example include:%{o} "
     "include:%{d} include:ok.example -all\n"
     "nodata.example A 192.0.2.1\n"
     "other.example TXT hello\n"
     "other.example TXT v=spf10\n"
     "two.example TXT v=spf1 a -all\n"
     "two.example TXT v=spf1 mx -all\n"
     "fails.example TXT SERVFAIL\n"
     "bogus.example TXT BOGUS\n"
     "slow.example TXT TIMEOUT\n"
     "ok.example TXT V=SPF1\n",
     "top.example record ttl=300 octets=280 lookups=12 voids=2/2\n"
     "  include:nx.example include pass ->nx.example no-domain #1 v1/1 ttl=300 [NXDOMAIN]\n"
     "  include:nodata.example include pass ->nodata.example no-record #2 v2/2 ttl=300 [no TXT record]\n"
     "  include:other.example include pass ->other.example no-record #3 ttl=300 [2 TXT records, none of them v=spf1]\n"
     "  include:two.example include pass ->two.example several #4 ttl=300 [2 v=spf1 records]\n"
     "  include:fails.example include pass ->fails.example error #5 [TXT: SERVFAIL]\n"
     "  include:bogus.example include pass ->bogus.example bogus #6 [TXT: DNSSEC validation failed]\n"
     "  include:slow.example include pass ->slow.example timeout #7 [TXT: timeout]\n"
     "  include:a..b include pass bad-name #8\n"
     "  include:top.example include pass ->top.example loop #9\n"
     "  include:%{o} include pass macro #10 mail\n"
     "  include:%{d} include pass ->top.example loop #11 past46\n"
     "  include:ok.example include pass ->ok.example #12 past46 ttl=300\n"
     "  -all all fail past46\n"
     "  nx.example no-domain ttl=300 octets=28 lookups=0 voids=0/0\n"
     "  nodata.example no-record ttl=300 octets=32 lookups=0 voids=0/0\n"
     "  other.example no-record ttl=300 octets=69 lookups=0 voids=0/0\n"
     "  two.example several records=2 ttl=300 octets=82 lookups=0 voids=0/0\n"
     "  fails.example error (SERVFAIL) lookups=0 voids=0/0\n"
     "  bogus.example bogus (DNSSEC validation failed) lookups=0 voids=0/0\n"
     "  slow.example timeout (timeout) lookups=0 voids=0/0\n"
     "  ok.example record ttl=300 octets=47 lookups=0 voids=0/0\n"
     "lookups=12 voids=2/2 records=2 senders=0 ttl=300 incomplete permerror4 permerror6\n",
     9, 2},
    {"syntax errors leave the rest to be followed", "wrong.example", NULL, 0,
     "wrong.example TXT v=spf1 a:h.example ip4:999 include:in.example bogus mx:: -all\n"
     "h.example A 192.0.2.1\n"
     "in.example TXT v=spf1 ipv4:1.2.3.4 a:h.example -all\n",
     "wrong.example record ttl=300 error@23 octets=105 lookups=3 voids=0/2\n"
     "  a:h.example a pass ->h.example #1 v0/1 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "  ip4:999 invalid\n"
     "  include:in.example include pass ->in.example #2 ttl=300\n"
     "  bogus invalid\n"
     "  mx:: invalid\n"
     "  -all all fail\n"
     "  in.example record ttl=300 error@7 octets=77 lookups=1 voids=0/1\n"
     "    ipv4:1.2.3.4 invalid\n"
     "    a:h.example a pass ->h.example #3 v0/2 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    -all all fail\n"
     "lookups=3 voids=0/2 records=2 senders=1 ttl=300 permerror4 permerror6\n",
     4, 2},
    {"what no mail gets to", "all.example", NULL, 0,
     "all.example TXT v=spf1 a:h.example include:open.example a:h.example redirect=in.example\n"
     "open.example TXT v=spf1 include:in.example all a:h.example include:in.example\n"
     "h.example A 192.0.2.1\n"
     "in.example TXT v=spf1 a:h.example -all\n",
     "all.example record ttl=300 octets=113 lookups=4 voids=0/2\n"
     "  a:h.example a pass ->h.example #1 v0/1 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "  include:open.example include pass ->open.example #2 ttl=300\n"
     "  a:h.example a pass ->h.example unreached ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "  redirect=in.example redirect ->in.example unreached ttl=300\n"
     "  open.example record ttl=300 octets=103 lookups=2 voids=0/1\n"
     "    include:in.example include pass ->in.example #3 ttl=300\n"
     "    all all pass\n"
     "    a:h.example a pass ->h.example unreached ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    include:in.example include pass ->in.example unreached ttl=300\n"
     "    in.example record ttl=300 octets=64 lookups=1 voids=0/1\n"
     "      a:h.example a pass ->h.example #4 v0/2 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "      -all all fail\n"
     "    in.example record ttl=300 octets=64 lookups=0 voids=0/0\n"
     "      a:h.example a pass ->h.example unreached ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "      -all all fail unreached\n"
     "  in.example record ttl=300 octets=64 lookups=0 voids=0/0\n"
     "    a:h.example a pass ->h.example unreached ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    -all all fail unreached\n"
     "lookups=4 voids=0/2 records=5 senders=2 ttl=300\n",
     5, 2},
    {"a redirect is last wherever it stands", "r.example", NULL, 0,
     "r.example TXT v=spf1 redirect=t.example a:h.example\n"
     "t.example TXT v=spf1 a:h.example +all redirect=u.example\n"
     "u.example TXT v=spf1 a:h.example ~all\n"
     "h.example A 192.0.2.1\n",
     "r.example record ttl=300 octets=77 lookups=3 voids=0/2\n"
     "  redirect=t.example redirect ->t.example #2 ttl=300\n"
     "  a:h.example a pass ->h.example #1 v0/1 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "  t.example record ttl=300 octets=82 lookups=1 voids=0/1\n"
     "    a:h.example a pass ->h.example #3 v0/2 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    +all all pass\n"
     "    redirect=u.example redirect ->u.example unreached ttl=300\n"
     "    u.example record ttl=300 octets=63 lookups=0 voids=0/0\n"
     "      a:h.example a pass ->h.example unreached ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "      ~all all softfail unreached\n"
     "lookups=3 voids=0/2 records=3 senders=2 ttl=300\n",
     5, 3},
    {"limits", "limit.example", NULL, 0,
     "limit.example TXT v=spf1 include:one.example include:two.example ip4:192.0.2.1 a:h.example -all\n"
     "one.example TXT v=spf1 a:v4.example a:v4.example a:v4.example a:v4.example -all\n"
     "two.example TXT v=spf1 a:v6.example a:v6.example a:v6.example a:v6.example ip4:192.0.2.2 -all\n"
     "v4.example A 192.0.2.1\n"
     "v6.example AAAA 2001:db8::1\n",
     "limit.example record ttl=300 octets=121 lookups=11 voids=5/5\n"
     "  include:one.example include pass ->one.example #1 ttl=300\n"
     "  include:two.example include pass ->two.example #6 past6 ttl=300\n"
     "  ip4:192.0.2.1 ip4 pass past46 192.0.2.1/32\n"
     "  a:h.example a pass ->h.example no-domain #11 v5/5 past46 ttl=300 [NXDOMAIN]\n"
     "  -all all fail past46\n"
     "  one.example record ttl=300 octets=105 lookups=4 voids=0/4\n"
     "    a:v4.example a pass ->v4.example #2 v0/1 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    a:v4.example a pass ->v4.example #3 v0/2 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    a:v4.example a pass ->v4.example #4 v0/3 past6 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    a:v4.example a pass ->v4.example #5 v0/4 past6 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "    -all all fail past6\n"
     "  two.example record ttl=300 octets=119 lookups=4 voids=4/0\n"
     "    a:v6.example a pass ->v6.example #7 v1/0 past6 ttl=300 2001:db8::1/128 [2001:db8::1]\n"
     "    a:v6.example a pass ->v6.example #8 v2/0 past6 ttl=300 2001:db8::1/128 [2001:db8::1]\n"
     "    a:v6.example a pass ->v6.example #9 v3/0 past46 ttl=300 2001:db8::1/128 [2001:db8::1]\n"
     "    a:v6.example a pass ->v6.example #10 v4/0 past46 ttl=300 2001:db8::1/128 [2001:db8::1]\n"
     "    ip4:192.0.2.2 ip4 pass past46 192.0.2.2/32\n"
     "    -all all fail past46\n"
     "lookups=11 voids=5/5 records=3 senders=3 ttl=300 permerror4 permerror6\n",
     9, 3},
    {"void lookups", "void.example", NULL, 0,
     "void.example TXT v=spf1 a:no.example mx:no.example exists:no.example ip4:192.0.2.1 -all\n",
     "void.example record ttl=300 octets=113 lookups=3 voids=3/3\n"
     "  a:no.example a pass ->no.example no-domain #1 v1/1 ttl=300 [NXDOMAIN]\n"
     "  mx:no.example mx pass ->no.example no-domain #2 v2/2 ttl=300 [NXDOMAIN]\n"
     "  exists:no.example exists pass ->no.example no-domain #3 v3/3 past46 ttl=300 [NXDOMAIN]\n"
     "  ip4:192.0.2.1 ip4 pass past46 192.0.2.1/32\n"
     "  -all all fail past46\n"
     "lookups=3 voids=3/3 records=1 senders=1 ttl=300 permerror4 permerror6\n",
     4, 2},
    {"hosts of mx", "mx.example", NULL, 0,
     "mx.example TXT v=spf1 mx:many.example mx:ten.example mx:sick.example mx:fails.example mx:slow.example -all\n"
     "many.example MX 0 m0.example\n"
     "many.example MX 1 m1.example\n"
     "many.example MX 2 m2.example\n"
     "many.example MX 3 m3.example\n"
     "many.example MX 4 m4.example\n"
     "many.example MX 5 m5.example\n"
     "many.example MX 6 m6.example\n"
     "many.example MX 7 m7.example\n"
     "many.example MX 8 m8.example\n"
     "many.example MX 9 m9.example\n"
     "many.example MX 10 m10.example\n"
     "ten.example MX 0 m0.example\n"
     "m0.example A 192.0.2.0\n"
     "ten.example MX 1 m1.example\n"
     "m1.example A 192.0.2.1\n"
     "ten.example MX 2 m2.example\n"
     "m2.example A 192.0.2.2\n"
     "ten.example MX 3 m3.example\n"
     "m3.example A 192.0.2.3\n"
     "ten.example MX 4 m4.example\n"
     "m4.example A 192.0.2.4\n"
     "ten.example MX 5 m5.example\n"
     "m5.example A 192.0.2.5\n"
     "ten.example MX 6 m6.example\n"
     "m6.example A 192.0.2.6\n"
     "ten.example MX 7 m7.example\n"
     "m7.example A 192.0.2.7\n"
     "ten.example MX 8 m8.example\n"
     "m8.example A 192.0.2.8\n"
     "ten.example MX 9 m9.example\n"
     "m9.example A 192.0.2.9\n"
     "sick.example MX 1 bad.example\n"
     "sick.example MX 2 worse.example\n"
     "sick.example MX 3 m1.example\n"
     "bad.example A SERVFAIL\n"
     "bad.example AAAA 2001:db8::5\n"
     "worse.example * SERVFAIL\n"
     "fails.example MX SERVFAIL\n"
     "slow.example MX TIMEOUT\n",
     "mx.example record ttl=300 octets=132 lookups=5 voids=0/0\n"
     "  mx:many.example mx pass ->many.example #1 hosts=11 ttl=300 [11 hosts]\n"
     "  mx:ten.example mx pass ->ten.example #2 hosts=10 ttl=300 192.0.2.0/32 192.0.2.1/32 192.0.2.2/32 192.0.2.3/32 "
     "192.0.2.4/32 192.0.2.5/32 192.0.2.6/32 192.0.2.7/32 192.0.2.8/32 192.0.2.9/32 [10 hosts: m0.example 192.0.2.0, "
     "m1.example 192.0.2.1, m2.example 192.0.2.2, m3.example 192.0.2.3, m4.example 192.0.2.4, m5.example 192.0.2.5, "
     "m6.example 192.0.2.6, m7.example 192.0.2.7, m8.example 192.0.2.8, m9.example 192.0.2.9]\n"
     "  mx:sick.example mx pass ->sick.example #3 hosts=3 ttl=300 192.0.2.1/32 2001:db8::5/128 [3 hosts: bad.example "
     "2001:db8::5 (A: SERVFAIL), worse.example A and AAAA: SERVFAIL, m1.example 192.0.2.1]\n"
     "  mx:fails.example mx pass ->fails.example error #4 [MX: SERVFAIL]\n"
     "  mx:slow.example mx pass ->slow.example timeout #5 [MX: timeout]\n"
     "  -all all fail\n"
     "lookups=5 voids=0/0 records=1 senders=3 ttl=300 incomplete permerror4 permerror6\n",
     30, 3},
    {"many addresses, in an order of their own", "a.example", NULL, 0,
     "a.example TXT v=spf1 a:h.example/28 -all\n"
     "h.example A 192.0.2.200\n"
     "h.example A 192.0.2.3\n"
     "h.example A 192.0.2.1\n"
     "h.example A 192.0.2.2\n"
     "h.example A 192.0.2.40\n"
     "h.example A 192.0.2.50\n"
     "h.example A 192.0.2.60\n"
     "h.example A 192.0.2.70\n"
     "h.example A 192.0.2.80\n"
     "h.example A 192.0.2.90\n"
     "h.example AAAA 2001:db8::2\n"
     "h.example AAAA 2001:db8::1\n",
     "a.example record ttl=300 octets=66 lookups=1 voids=0/0\n"
     "  a:h.example/28 a pass ->h.example #1 ttl=300 192.0.2.0/28 192.0.2.32/28 192.0.2.48/28 192.0.2.64/28 "
     "192.0.2.80/28 192.0.2.192/28 2001:db8::1/128 2001:db8::2/128 [192.0.2.200 192.0.2.3 192.0.2.1 192.0.2.2 "
     "192.0.2.40 192.0.2.50 192.0.2.60 192.0.2.70 and 2 more 2001:db8::2 2001:db8::1]\n"
     "  -all all fail\n"
     "lookups=1 voids=0/0 records=1 senders=6 ttl=300\n",
     3, 2},
    {"a loop through several records", "l1.example", NULL, 0,
     "l1.example TXT v=spf1 include:l2.example -all\n"
     "l2.example TXT v=spf1 redirect=l3.example\n"
     "l3.example TXT v=spf1 include:l2.example include:l1.example -all\n",
     "l1.example record ttl=300 octets=71 lookups=4 voids=0/0\n"
     "  include:l2.example include pass ->l2.example #1 ttl=300\n"
     "  -all all fail\n"
     "  l2.example record ttl=300 octets=67 lookups=3 voids=0/0\n"
     "    redirect=l3.example redirect ->l3.example #2 ttl=300\n"
     "    l3.example record ttl=300 octets=90 lookups=2 voids=0/0\n"
     "      include:l2.example include pass ->l2.example loop #3\n"
     "      include:l1.example include pass ->l1.example loop #4\n"
     "      -all all fail\n"
     "lookups=4 voids=0/0 records=3 senders=0 ttl=300 permerror4 permerror6\n",
     3, 3},
    {"the same record in two places is asked for once", "d.example", NULL, 0,
     "d.example TXT v=spf1 include:x.example include:y.example -all\n"
     "x.example TXT v=spf1 include:z.example -all\n"
     "y.example TXT v=spf1 include:z.example -all\n"
     "z.example TXT v=spf1 a:h.example -all\n",
     "d.example record ttl=300 octets=87 lookups=6 voids=2/2\n"
     "  include:x.example include pass ->x.example #1 ttl=300\n"
     "  include:y.example include pass ->y.example #4 ttl=300\n"
     "  -all all fail\n"
     "  x.example record ttl=300 octets=69 lookups=2 voids=1/1\n"
     "    include:z.example include pass ->z.example #2 ttl=300\n"
     "    -all all fail\n"
     "    z.example record ttl=300 octets=63 lookups=1 voids=1/1\n"
     "      a:h.example a pass ->h.example no-domain #3 v1/1 ttl=300 [NXDOMAIN]\n"
     "      -all all fail\n"
     "  y.example record ttl=300 octets=69 lookups=2 voids=1/1\n"
     "    include:z.example include pass ->z.example #5 ttl=300\n"
     "    -all all fail\n"
     "    z.example record ttl=300 octets=63 lookups=1 voids=1/1\n"
     "      a:h.example a pass ->h.example no-domain #6 v2/2 ttl=300 [NXDOMAIN]\n"
     "      -all all fail\n"
     "lookups=6 voids=2/2 records=5 senders=0 ttl=300\n",
     6, 4},
    {"a given record", "given.example", "v=spf1 a include:given.example include:in.example -all", 0,
     "given.example TXT v=spf1 mx -all\n"
     "given.example A 192.0.2.1\n"
     "in.example TXT v=spf1 a -all\n"
     "in.example A 192.0.2.2\n",
     "given.example record lookups=4 voids=0/2\n"
     "  a a pass ->given.example #1 v0/1 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "  include:given.example include pass ->given.example loop #2\n"
     "  include:in.example include pass ->in.example #3 ttl=300\n"
     "  -all all fail\n"
     "  in.example record ttl=300 octets=54 lookups=1 voids=0/1\n"
     "    a a pass ->in.example #4 v0/2 ttl=300 192.0.2.2/32 [192.0.2.2]\n"
     "    -all all fail\n"
     "lookups=4 voids=0/2 records=2 senders=2 ttl=300 permerror4 permerror6\n",
     5, 2},
    {"a given record of no domain", NULL,
     "v=spf1 a mx/24 a:h.example exists:%{d}.x.example include:in.example ptr ptr:x.example ip4:192.0.2.4 -all", 0,
     "h.example A 192.0.2.1\n"
     "in.example TXT v=spf1 a -all\n"
     "in.example A 192.0.2.2\n",
     " record lookups=8 voids=0/2\n"
     "  a a pass not-asked #1\n"
     "  mx/24 mx pass not-asked #2\n"
     "  a:h.example a pass ->h.example #3 v0/1 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "  exists:%{d}.x.example exists pass not-asked #4\n"
     "  include:in.example include pass ->in.example #5 ttl=300\n"
     "  ptr ptr pass macro #7 mail\n"
     "  ptr:x.example ptr pass ->x.example macro #8 mail\n"
     "  ip4:192.0.2.4 ip4 pass 192.0.2.4/32\n"
     "  -all all fail\n"
     "  in.example record ttl=300 octets=54 lookups=1 voids=0/1\n"
     "    a a pass ->in.example #6 v0/2 ttl=300 192.0.2.2/32 [192.0.2.2]\n"
     "    -all all fail\n"
     "lookups=8 voids=0/2 records=2 senders=3 ttl=300 incomplete\n",
     5, 2},
    {"a given text that is no record", NULL, "v=spf2 a -all", 0, "",
     " no-record lookups=0 voids=0/0\n"
     "lookups=0 voids=0/0 records=0 senders=0\n",
     0, 0},
    {"records only", "o.example", NULL, SPF_SURVEY_RECORDS,
     "o.example TXT v=spf1 a mx include:in.example exists:x.example -all\n"
     "in.example TXT v=spf1 a -all\n",
     "o.example record ttl=300 octets=92 lookups=5 voids=0/0\n"
     "  a a pass ->o.example not-asked #1\n"
     "  mx mx pass ->o.example not-asked #2\n"
     "  include:in.example include pass ->in.example #3 ttl=300\n"
     "  exists:x.example exists pass ->x.example not-asked #5\n"
     "  -all all fail\n"
     "  in.example record ttl=300 octets=54 lookups=1 voids=0/0\n"
     "    a a pass ->in.example not-asked #4\n"
     "    -all all fail\n"
     "lookups=5 voids=0/0 records=2 senders=0 ttl=300 incomplete\n",
     2, 2},
    {"nothing but the record", "o.example", NULL, WALKING_NOTHING,
     "o.example TXT v=spf1 a mx include:in.example redirect=in.example\n"
     "in.example TXT v=spf1 a -all\n",
     "o.example record ttl=300 octets=90 lookups=4 voids=0/0\n"
     "  a a pass ->o.example not-asked #1\n"
     "  mx mx pass ->o.example not-asked #2\n"
     "  include:in.example include pass ->in.example not-asked #3\n"
     "  redirect=in.example redirect ->in.example not-asked #4\n"
     "lookups=4 voids=0/0 records=1 senders=0 ttl=300 incomplete\n",
     1, 1},
    {"addresses only", "o.example", NULL, SPF_SURVEY_ADDRESSES,
     "o.example TXT v=spf1 a include:in.example\n"
     "o.example A 192.0.2.1\n"
     "in.example TXT v=spf1 a -all\n",
     "o.example record ttl=300 octets=67 lookups=2 voids=0/1\n"
     "  a a pass ->o.example #1 v0/1 ttl=300 192.0.2.1/32 [192.0.2.1]\n"
     "  include:in.example include pass ->in.example not-asked #2\n"
     "lookups=2 voids=0/1 records=1 senders=1 ttl=300 incomplete\n",
     3, 2},
    {"a name that nobody has mail at", "localhost", NULL, EVERYTHING, "localhost TXT v=spf1 -all\n",
     "localhost bad-name lookups=0 voids=0/0\n"
     "lookups=0 voids=0/0 records=0 senders=0\n",
     0, 0},
    {"nearby, with a record", "n.example.org", NULL, EVERYTHING,
     "n.example.org TXT v=spf1 a:rec.example mx:rec.example mx:ok.example include:norec.example include:nx.example "
     "exp=why.%{d} -all\n"
     "n.example.org SPF v=spf1 +all\n"
     "n.example.org MX 1 ok.example\n"
     "ok.example A 192.0.2.1\n"
     "ok.example MX 1 ok.example\n"
     "rec.example TXT v=spf1 -all\n"
     "norec.example A 192.0.2.2\n"
     "why.n.example.org TXT because\n"
     "_dmarc.example.org TXT v=DMARC1; p=reject\n",
     "n.example.org record ttl=300 octets=152 lookups=5 voids=4/4\n"
     "  a:rec.example a pass ->rec.example no-record #1 v1/1 ttl=300 [no A or AAAA record] (other: status 0, 1)\n"
     "  mx:rec.example mx pass ->rec.example no-record #2 v2/2 ttl=300 [no MX record] (other: status 0, 1)\n"
     "  mx:ok.example mx pass ->ok.example #3 hosts=1 ttl=300 192.0.2.1/32 [1 host: ok.example 192.0.2.1]\n"
     "  include:norec.example include pass ->norec.example no-record #4 v3/3 past46 ttl=300 [no TXT record] (other: "
     "status 0, 1)\n"
     "  include:nx.example include pass ->nx.example no-domain #5 v4/4 past46 ttl=300 [NXDOMAIN] (other: status 1, 0)\n"
     "  exp=why.%{d} exp ->why.n.example.org (other: status 0, 1)\n"
     "  -all all fail past46\n"
     "  norec.example no-record ttl=300 octets=31 lookups=0 voids=0/0\n"
     "  nx.example no-domain ttl=300 octets=28 lookups=0 voids=0/0\n"
     "TXT n.example.org: status 0, 1\n"
     "TYPE99 n.example.org: status 0, 1\n"
     "MX n.example.org: status 0, 1\n"
     "DMARC _dmarc.example.org: status 0, 1\n"
     "lookups=5 voids=4/4 records=1 senders=1 ttl=300 permerror4 permerror6\n",
     17, 3},
    {"nearby, without a record", "n.example.org", NULL, EVERYTHING,
     "n.example.org TXT spf1 -all\n"
     "_spf.n.example.org TXT v=spf1 -all\n"
     "n.example.org.n.example.org TXT v=spf1 -all\n"
     "_dmarc.n.example.org TXT v=DMARC2\n"
     "_dmarc.example.org TXT SERVFAIL\n",
     "n.example.org no-record ttl=300 octets=53 lookups=0 voids=0/0\n"
     "TXT n.example.org: status 0, 1\n"
     "TYPE99 n.example.org: status 0, 0\n"
     "MX n.example.org: status 0, 0\n"
     "SPF spf.n.example.org: status 1, 0\n"
     "UNDERSCORE_SPF _spf.n.example.org: status 0, 1\n"
     "WWW www.n.example.org: status 1, 0\n"
     "TWICE n.example.org.n.example.org: status 0, 1\n"
     "DMARC _dmarc.example.org: status 3, 0\n"
     "lookups=0 voids=0/0 records=0 senders=0 ttl=300\n",
     9, 2},
    {"the nearest DMARC record, of many names", "a.b.c.d.e.f.g.h.i.j.k.example", NULL, EVERYTHING,
     "a.b.c.d.e.f.g.h.i.j.k.example TXT v=spf1 -all\n"
     "_dmarc.f.g.h.i.j.k.example TXT V=dmarc1;\n"
     "_dmarc.k.example TXT v=DMARC1;\n",
     "a.b.c.d.e.f.g.h.i.j.k.example record ttl=300 octets=71 lookups=0 voids=0/0\n"
     "  -all all fail\n"
     "TXT a.b.c.d.e.f.g.h.i.j.k.example: status 0, 1\n"
     "TYPE99 a.b.c.d.e.f.g.h.i.j.k.example: status 0, 0\n"
     "MX a.b.c.d.e.f.g.h.i.j.k.example: status 0, 0\n"
     "DMARC _dmarc.f.g.h.i.j.k.example: status 0, 1\n"
     "lookups=0 voids=0/0 records=1 senders=0 ttl=300\n",
     11, 1},
    {"who may send", "s.example", NULL, 0,
     "s.example TXT v=spf1 -ip4:192.0.2.0/30 ip4:192.0.2.0/24 ?include:in.example -include:out.example a:h.example "
     "exists:no.example redirect=t.example\n"
     "in.example TXT v=spf1 ip4:198.51.100.0/25 -all\n"
     "out.example TXT v=spf1 -ip4:203.0.113.7 ip4:203.0.113.0/29 ~all\n"
     "h.example A 203.0.113.1\n"
     "h.example A 203.0.113.7\n"
     "h.example AAAA 2001:db8::1\n"
     "no.example A SERVFAIL\n"
     "t.example TXT v=spf1 ip4:192.0.3.0/24 ip4:192.0.2.2 ~ip6:2001:db8::/64 +all\n",
     "s.example record ttl=300 octets=171 lookups=5 voids=0/0\n"
     "  -ip4:192.0.2.0/30 ip4 fail 192.0.2.0/30\n"
     "  ip4:192.0.2.0/24 ip4 pass 192.0.2.0/24\n"
     "  ?include:in.example include neutral ->in.example #1 ttl=300\n"
     "  -include:out.example include fail ->out.example #2 ttl=300\n"
     "  a:h.example a pass ->h.example #3 ttl=300 203.0.113.1/32 203.0.113.7/32 2001:db8::1/128 [203.0.113.1 "
     "203.0.113.7 2001:db8::1]\n"
     "  exists:no.example exists pass ->no.example error #4 [A: SERVFAIL]\n"
     "  redirect=t.example redirect ->t.example #5 ttl=300\n"
     "  in.example record ttl=300 octets=72 lookups=0 voids=0/0\n"
     "    ip4:198.51.100.0/25 ip4 pass 198.51.100.0/25\n"
     "    -all all fail\n"
     "  out.example record ttl=300 octets=89 lookups=0 voids=0/0\n"
     "    -ip4:203.0.113.7 ip4 fail 203.0.113.7/32\n"
     "    ip4:203.0.113.0/29 ip4 pass 203.0.113.0/29\n"
     "    ~all all softfail\n"
     "  t.example record ttl=300 octets=101 lookups=0 voids=0/0\n"
     "    ip4:192.0.3.0/24 ip4 pass 192.0.3.0/24\n"
     "    ip4:192.0.2.2 ip4 pass 192.0.2.2/32\n"
     "    ~ip6:2001:db8::/64 ip6 softfail 2001:db8::/64\n"
     "    +all all pass\n"
     "lookups=5 voids=0/0 records=4 senders=137 ttl=300 incomplete\n",
     7, 2},
    {"anybody may send", "e.example", NULL, 0,
     "e.example TXT v=spf1 -ip4:192.0.2.1 exists:yes.example -all\n"
     "yes.example A 127.0.0.1\n",
     "e.example record ttl=300 octets=85 lookups=1 voids=0/0\n"
     "  -ip4:192.0.2.1 ip4 fail 192.0.2.1/32\n"
     "  exists:yes.example exists pass ->yes.example #1 ttl=300 [127.0.0.1]\n"
     "  -all all fail\n"
     "lookups=1 voids=0/0 records=1 senders=33 ttl=300\n",
     2, 2},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static zone_t *zone_of(const char *lines)
{
    zone_t *zone = zone_new();

    zone_add_lines(zone, lines);
    return zone;
}

static void assert_tree(const row_t *row, const walking_input_t *input)
{
    walking_t walking;

    assert_true(walking_run(&walking, input));
    if (strcmp(walking_dump(&walking), row->tree) != 0)
        fail_msg("%s, order %d, seed %u:\n%s", row->name, input->order, input->seed, walking_dump(&walking));
    assert_int_equal(walking.asked, row->asked);
    if (input->order == WALKING_FIRST)
        assert_int_equal(walking.rounds, row->rounds);
    assert_int_equal(walking.dropped, 0);
    walking_free(&walking);
}

static void tests_of_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        zone_t *zone = zone_of(rows[i].zone);
        walking_input_t input = {
            .zone = zone, .domain = rows[i].domain, .record = rows[i].record, .scope = rows[i].scope};
        assert_tree(&rows[i], &input);
        input.order = WALKING_LAST;
        assert_tree(&rows[i], &input);
        input.order = WALKING_RANDOM;
        for (input.seed = 0; input.seed < RANDOM_ORDERS; input.seed++)
            assert_tree(&rows[i], &input);
        zone_free(zone);
    }
}

/* ------------------------------------------------------------------------------------------------------- deadlines */

/* The time is over after any number of answers: there is a tree, what is missing is told, and nothing stays asked. */
static void expires_at_any_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        zone_t *zone = zone_of(rows[i].zone);
        walking_t walking;
        for (unsigned answers = 1; answers < rows[i].asked; answers++) {
            const walking_input_t input = {.zone = zone,
                                           .domain = rows[i].domain,
                                           .record = rows[i].record,
                                           .scope = rows[i].scope,
                                           .order = WALKING_RANDOM,
                                           .seed = answers,
                                           .answers = answers};
            assert_true(walking_run(&walking, &input));
            assert_int_equal(walking.dropped, walking.asked - answers);
            if (rows[i].scope != EVERYTHING)
                assert_false(walking.tree->summary.is_complete);
            assert_null(spf_walk_next_wanted(walking.walk));
            walking_dump(&walking);
            walking_free(&walking);
        }
        zone_free(zone);
    }
}

static void tells_what_was_not_answered_in_time(void **state)
{
    static const char lines[] = "t.example TXT v=spf1 include:lost.example mx:lost.example a:lost.example mx -all\n"
                                "t.example MX 1 lost.example\n";
    static const char tree[] =
        "t.example record ttl=300 octets=106 lookups=4 voids=0/0\n"
        "  include:lost.example include pass ->lost.example timeout #1 [TXT: no answer in time]\n"
        "  mx:lost.example mx pass ->lost.example timeout #2 [MX: no answer in time]\n"
        "  a:lost.example a pass ->lost.example timeout #3 [A and AAAA: no answer in time]\n"
        "  mx mx pass ->t.example #4 hosts=1 ttl=300 [1 host: lost.example A and AAAA: no answer in time]\n"
        "  -all all fail\n"
        "  lost.example timeout (no answer in time) lookups=0 voids=0/0\n"
        "lookups=4 voids=0/0 records=1 senders=0 ttl=300 incomplete\n";
    zone_t *zone = zone_of(lines);
    walking_t walking;

    (void)state;
    assert_true(walking_run(&walking, &(walking_input_t){.zone = zone, .domain = "t.example", .lost = "lost.example"}));
    assert_string_equal(walking_dump(&walking), tree);
    assert_int_equal(walking.dropped, 4);
    walking_free(&walking);
    zone_free(zone);
}

/* ------------------------------------------------------------------------------------------------------------- ends */

/* Nobody wants the tree any more: everything that is asked is given back, and nothing more is asked. */
static void aborts(void **state)
{
    zone_t *zone = zone_of(rows[0].zone);
    spf_arena_t arena = SPF_ARENA_EMPTY;
    spf_walk_question_t question = {.scope = EVERYTHING, .limits = {10, 2, 10, 10}};
    spf_walk_t *walk;
    unsigned asked = 0;

    (void)state;
    assert_true(spf_name_from_text(&question.domain, rows[0].domain, strlen(rows[0].domain)));
    walk = spf_walk_new(&arena, &question);
    assert_non_null(walk);
    assert_int_equal(spf_walk_step(walk), SPF_EVAL_WAIT);
    assert_null(spf_walk_next_unneeded(walk));
    while (spf_walk_next_wanted(walk) != NULL)
        asked++;
    assert_true(asked > 1);
    spf_walk_abort(walk);
    while (spf_walk_next_unneeded(walk) != NULL)
        asked--;
    assert_int_equal(asked, 0);
    assert_int_equal(spf_walk_step(walk), SPF_EVAL_DONE);
    spf_walk_drop(walk);
    spf_walk_drop(NULL);
    spf_arena_free(&arena);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_of_trees),
        cmocka_unit_test(expires_at_any_point),
        cmocka_unit_test(tells_what_was_not_answered_in_time),
        cmocka_unit_test(aborts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

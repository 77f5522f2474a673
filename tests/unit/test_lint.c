/* SPDX-License-Identifier: MIT */
/* Lint: what it says of a record's text, and the records it mends. */
#include "tools/lint.h"

#include "unit/evaluation.h"
#include "unit/walking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 16384, DUMP_MAX = 65536 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --------------------------------------------------------------------------------------------------- records alone */

/* "<" and ">" stand around what the first remark is about, and are no part of the record; "" of codes: there is none.
 */
typedef struct text_row {
    const char *marked;
    const char *codes; /* of all remarks, in their order */
    const char *fixed; /* NULL: none is offered */
} text_row_t;

static const text_row_t text_rows[] = {
    {"v=spf1 <ipv4:192.0.2.1> -all", "misspelt-mechanism", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 <inlcude:example.com> -all", "misspelt-mechanism", "v=spf1 include:example.com -all"},
    {"v=spf1 <ip:192.0.2.1> -all", "misspelt-mechanism", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 <ip:2001:db8::1> -all", "misspelt-mechanism", "v=spf1 ip6:2001:db8::1 -all"},
    {"v=spf1 <host:mail.example.com> -all", "misspelt-mechanism", "v=spf1 a:mail.example.com -all"},
    {"v=spf1 <include=example.com> -all", "mechanism-equals", "v=spf1 include:example.com -all"},
    {"v=spf1 <-include=example.com> -all", "qualified-modifier", "v=spf1 -include:example.com -all"},
    {"v=spf1 <ip4=192.0.2.1> -all", "mechanism-equals", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1<; >a -all", "misspelt-version", "v=spf1 a -all"},
    {"v=spf1<; >include:example.com ~all;", "misspelt-version", "v=spf1 include:example.com ~all"},
    {"v=spf1<, >a -all", "misspelt-version", "v=spf1 a -all"},
    {"v=spf1<\t>a -all", "misspelt-version", "v=spf1 a -all"},
    {"v=spf1 a<\tmx> -all", "white-space", "v=spf1 a mx -all"},
    {"v=spf1<>include:example.com -all", "misspelt-version", "v=spf1 include:example.com -all"},
    {"v=spf1<>0 -all", "misspelt-version", NULL},
    {"<>TXTv=spf1 mx -all", "misspelt-version", NULL},
    {"v=spf1<>all mx", "misspelt-version", NULL},
    {"v=spf1<>-all", "misspelt-version", "v=spf1 -all"},
    {"<v=spf2> a -all", "misspelt-version", NULL},
    {"<v=sfp1> a -all", "misspelt-version", "v=spf1 a -all"},
    {"<spf1> a -all", "misspelt-version", "v=spf1 a -all"},
    {"<v=spf 1> a -all", "misspelt-version", "v=spf1 a -all"},
    {"<v= spf1> a -all", "misspelt-version", "v=spf1 a -all"},
    {"< >v=spf1 a -all", "misspelt-version", "v=spf1 a -all"},
    {"<\">v=spf1 a -all", "misspelt-version", "v=spf1 a -all"},
    {"<\342\200\234>v=spf1 a -all\342\200\235", "misspelt-version", "v=spf1 a -all"},
    {"<spf2.0>/pra a -all", "misspelt-version", NULL},
    {"<>include:example.com -all", "misspelt-version", "v=spf1 include:example.com -all"},
    {"<>hello world", "no-record", NULL},
    {"v=spf1 a <v=spf1> mx -all", "second-version", "v=spf1 a mx -all"},
    {"v=spf1 a <v=spf1;> mx -all", "second-version", "v=spf1 a mx -all"},
    {"v=spf1 ip4:2001<:db8::1> -all", "address-family", "v=spf1 ip6:2001:db8::1 -all"},
    {"v=spf1 ip6:<192.0.2.1> -all", "address-family", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 ip6:<192.0.2.0/24> -all", "address-family", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 a:192.0.2.<1> -all", "address-as-name", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 include:192.0.2.0</24> -all", "address-as-name", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 a:<2001:db8::1//64> -all", "address-as-name", "v=spf1 ip6:2001:db8::/64 -all"},
    {"v=spf1 <192.0.2.1> -all", "bare-address", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 +<2001:db8::/32> -all", "bare-address", "v=spf1 ip6:2001:db8::/32 -all"},
    {"v=spf1 include:http://example.com</> -all", "url", "v=spf1 include:example.com -all"},
    {"v=spf1 include:<http://example.com> -all", "suspicious-name", "v=spf1 include:example.com -all"},
    {"v=spf1 <http://example.com> -all", "url", NULL},
    {"v=spf1 a<,mx,-all>", "comma", "v=spf1 a mx -all"},
    {"v=spf1 a<,> mx, -all", "comma comma", "v=spf1 a mx -all"},
    {"v=spf1 ip4:192.0.2.1<,192.0.2.9> -all", "comma", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.9 -all"},
    {"v=spf1 ip4:192.0.2.1<;ip4:192.0.2.9> -all", "comma", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.9 -all"},
    {"v=spf1 <ip4192.0.2.1> -all", "missing-colon", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 <ip4.192.0.2.1> -all", "missing-colon", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 ip4:<:192.0.2.1> -all", "missing-colon", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 ip4<;192.0.2.1> -all", "missing-colon", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 include<> example.com -all", "stray-space", "v=spf1 include:example.com -all"},
    {"v=spf1 include:<> example.com -all", "stray-space", "v=spf1 include:example.com -all"},
    {"v=spf1 ip4:<> 192.0.2.1 -all", "stray-space", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 ip4:192.0.2.0 </24> -all", "stray-space", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:192.0.2.0/<> 24 -all", "stray-space", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 a -<> all", "stray-space", "v=spf1 a -all"},
    {"v=spf1 a -<all.>", "trailing-punctuation", "v=spf1 a -all"},
    {"v=spf1 a -all<\">", "quote", "v=spf1 a -all"},
    {"v=spf1 a <all->", "qualifier", "v=spf1 a -all"},
    {"v=spf1 a -<-all>", "qualifier", "v=spf1 a -all"},
    {"v=spf1 a -<~all>", "qualifier", NULL},
    {"v=spf1 a <mx-all>", "run-together", "v=spf1 a mx -all"},
    {"v=spf1 a <\342\200\223all>", "lookalike-sign", "v=spf1 a -all"},
    {"v=spf1 a <\226all>", "lookalike-sign", "v=spf1 a -all"},
    {"v=spf1 <redirect:example.com>", "modifier-colon", "v=spf1 redirect=example.com"},
    {"v=spf1 redirect=a.example <redirect=b.example>", "duplicate-modifier", NULL},
    {"v=spf1 <-redirect=example.com>", "qualified-modifier", "v=spf1 redirect=example.com"},
    {"v=spf1 <exp:example.com> -all", "modifier-colon", "v=spf1 exp=example.com -all"},
    {"v=spf1 <\"include:example.com\"> -all", "quote", "v=spf1 include:example.com -all"},
    {"v=spf1 a -<> mx -all", "syntax", NULL},
    {"v=spf1 include<;example.com> -all", "missing-colon", "v=spf1 include:example.com -all"},
    {"v=spf1 include</example.com> -all", "missing-colon", "v=spf1 include:example.com -all"},
    {"v=spf1 ip4:192.0.2.9<-192.0.2.1> -all", "address-range", NULL},
    {"v=spf1 ip4:192.0.2.1<-198.51.100.254> -all", "address-range", NULL},
    {"v=spf1 ip4:192.0.2.1<-1000> -all", "syntax", NULL},
    {"v=spf1 redirect=a.example <redirect=A.example>", "duplicate-modifier", "v=spf1 redirect=a.example"},
    {"v=spf1 ip4:192.0.2.1<a> -all", "syntax", NULL},
    {"v=spf1 -all <+ip4:10.0.0.1/8>", "term-after-all", NULL},
    {"v=spf1 <\342\200\234a\342\200\235> -all", "smart-quote", "v=spf1 a -all"},
    {"v=spf1 ip4:<\223192.0.2.1\224> -all", "smart-quote", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 include:b<\303\274cher.example> -all", "non-ascii", "v=spf1 include:xn--bcher-kva.example -all"},
    {"v=spf1 a<\302\240mx> -all", "white-space", "v=spf1 a mx -all"},
    {"v=spf1 a <\342\200\213mx> -all", "invisible-character", "v=spf1 a mx -all"},
    {"v=spf1 ip4:192.0.2.1<include:example.com> -all", "run-together", "v=spf1 ip4:192.0.2.1 include:example.com -all"},
    {"v=spf1 include:example.comip4:192.0.2.<1> -all", "run-together", "v=spf1 include:example.com ip4:192.0.2.1 -all"},
    {"<>v=spf1 include:example.com-all", "no-all suspicious-name", "v=spf1 include:example.com -all"},
    {"v=spf1 include:example.com<~all>", "run-together", "v=spf1 include:example.com ~all"},
    {"v=spf1 ip4:192.0.2.1<-all>", "run-together", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 ip4:192.0.2.1<v=spf1> -all", "run-together", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 ip4:192.0.2.0/<255.255.255.0> -all", "netmask", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:192.0.2.0/<255.0.255.0> -all", "netmask", NULL},
    {"v=spf1 ip4:192.0.2.0<-192.0.2.255> -all", "address-range", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:192.0.2.4<-7> -all", "address-range", "v=spf1 ip4:192.0.2.4/30 -all"},
    {"v=spf1 ip4:192.0.2.1<-9> -all", "address-range",
     "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2/31 ip4:192.0.2.4/30 ip4:192.0.2.8/31 -all"},
    {"v=spf1 ip4:<192.0.2> -all", "short-address", NULL},
    {"v=spf1 ip4:<192.0.2/24> -all", "short-address", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:192.0.2.<*> -all", "short-address", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:<192.0.02.1> -all", "leading-zero", NULL},
    {"v=spf1 ip4:192.0.2.1/<33> -all", "prefix-length", NULL},
    {"v=spf1 ip4:192.0.2.1/<024> -all", "prefix-length", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:192.0.2.0/</24> -all", "prefix-length", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:192.0.2.0<\\24> -all", "prefix-length", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 a/<64> -all", "prefix-length", NULL},
    {"v=spf1 ip4:<192.0.2.256> -all", "syntax", NULL},
    {"v=spf1 ip4:<mail.example.com> -all", "name-as-address", "v=spf1 a:mail.example.com -all"},
    {"v=spf1 ip4:<_spf.example.com> -all", "name-as-address", NULL},
    {"v=spf1 all<:example.com>", "all-argument", NULL},
    {"v=spf1 include<> -all", "missing-name", NULL},
    {"v=spf1 include:<> -all", "missing-name", NULL},
    {"v=spf1 ip4:<> -all", "missing-name", NULL},
    {"v=spf1 a:<> -all", "missing-name", NULL},
    {"v=spf1 include:<localhost> -all", "single-label", NULL},
    {"v=spf1 <example.com> -all", "bare-name", NULL},
    {"v=spf1 <frobnicate:example.com> -all", "unknown-mechanism", NULL},
    {"v=spf1 exists:%<d.example.com> -all", "macro", "v=spf1 exists:%{d}.example.com -all"},
    {"v=spf1 exists:%{<q}.example.com> -all", "macro", NULL},
    {"v=spf1 exists:100%<> -all", "macro", NULL},
    {"v=spf1 a:example.com.<.>  -all", "trailing-punctuation", "v=spf1 a:example.com  -all"},
    {"v=spf1 include:<a..example.com> -all", "bad-target", NULL},
    {"v=spf1 +mx include:<a..example.com> -all;", "bad-target comma redundant-plus", NULL},
    {"v=spf1 a:exa_mple.c<_m> -all", "syntax", NULL},
    {"v=spf1 -all<:>", "trailing-punctuation", "v=spf1 -all"},
    {"v=spf1 include:example.com</> -all", "trailing-punctuation", "v=spf1 include:example.com -all"},
    {"v=spf1 include:example.com. -all", "", NULL},
    {"v=spf1 a:<user@example.com> -all", "suspicious-name", NULL},
    {"v=spf1 <(a)> -all", "brackets", NULL},
    {"v=spf1 ip6:<[2001:db8::1]/64> -all", "brackets", "v=spf1 ip6:2001:db8::/64 -all"},
    {"v=spf1 ip4:<(2001:db8::1)> -all", "brackets", "v=spf1 ip6:2001:db8::1 -all"},
    {"v=spf1 include:<spf.[example.com> -all", "suspicious-name", NULL},
    {"v=spf1 mx <\\~all>", "backslash", "v=spf1 mx ~all"},
    {"v=spf1 include:<\\_spf.example.com> -all", "suspicious-name", "v=spf1 include:_spf.example.com -all"},
    {"v=spf1 include:example.com<\342\200\223all>", "lookalike-sign", "v=spf1 include:example.com -all"},
    {"v=spf1 mx <\342\200\223> all", "stray-space", "v=spf1 mx -all"},
    {"v=spf1 mx <\342\200\223> a -all", "lookalike-sign", NULL},
    {"v=spf1 mx <=all>", "syntax", NULL},
    {"v=spf1 mx <=example.com> -all", "syntax", NULL},
    {"v=spf1 mx -<aall>", "misspelt-mechanism", "v=spf1 mx -all"},
    {"v=spf1 mx <aall>", "misspelt-mechanism", NULL},
    {"v=spf1 mx ip4:192.0.2.1<all>", "syntax", NULL},
    {"v=spf1 mx -all <-all>", "term-after-all", "v=spf1 mx -all"},
    {"v=spf1 mx -all <~all>", "term-after-all", NULL},
    {"v=spf1 mx -all <v=spf1> a -all", "second-version term-after-all term-after-all", NULL},
    {"v=spf1 mx ra=postmaster rp=100 rr=all -all", "", NULL},
    {"v=spf1 <!all>", "syntax", NULL},
    {"v=spf1 a mx <ptr> ptr:example.com +ip4:192.0.2.7/24 +all", "ptr ptr plus-all redundant-plus host-bits",
     "v=spf1 a mx ptr ptr:example.com ip4:192.0.2.0/24 +all"},
    {"v=spf1 <A> MX IP4:192.0.2.1 INCLUDE:Example.COM -ALL", "upper-case upper-case upper-case upper-case upper-case",
     "v=spf1 a mx ip4:192.0.2.1 include:Example.COM -all"},
    {"<V=SPF1> a -all", "upper-case", "v=spf1 a -all"},
    {"v=spf1 ip4:192.0.2.0/24 <ip4:192.0.2.9> ip4:192.0.2.0/24 -all", "shadowed-network shadowed-network",
     "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 <ip4:192.0.2.9> ip4:192.0.2.0/24 -all", "shadowed-network", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 <ip4:192.0.2.0/25> ip4:192.0.2.128/25 -all", "mergeable-networks", "v=spf1 ip4:192.0.2.0/24 -all"},
    {"v=spf1 ip4:192.0.2.0/24 <-ip4:192.0.2.9> -all", "shadowed-network", NULL},
    {"v=spf1 <ip4:10.0.0.0/8> ip6:::ffff:192.0.2.1 ip4:0.0.0.0/0 ip6:2000::/3 a/8 -all",
     "private-network shadowed-network wide-network mapped-address wide-network wide-network wide-network",
     "v=spf1 ip4:0.0.0.0/0 ip6:2000::/3 a/8 -all"},
    {"v=spf1 -all <a> mx redirect=example.com", "term-after-all term-after-all redirect-with-all", NULL},
    {"v=spf1 <?all>", "neutral-all", NULL},
    {"<>v=spf1", "no-all", NULL},
    {"<>v=spf1 a redirct=example.com", "no-all misspelt-modifier", "v=spf1 a redirect=example.com"},
    {"v=spf1 a <a> mx a -all", "duplicate-term duplicate-term", "v=spf1 a mx -all"},
    {"v=spf1 <explanation>=x.example.com a -all", "misspelt-modifier", "v=spf1 exp=x.example.com a -all"},
    {"v=spf1 a <exp=x.example.com> ~all", "exp-unusable", NULL},
    {"v=spf1 a <foo=bar> -all", "unknown-modifier", NULL},
    {"v=spf1 a <al>", "misspelt-mechanism", NULL},
    {"v=spf1 <redirect:> example.com", "stray-space", "v=spf1 redirect=example.com"},
    {"v=spf1 <redirect> example.com", "stray-space", "v=spf1 redirect=example.com"},
    {"v=spf1 include:<:example.com> -all", "suspicious-name", "v=spf1 include:example.com -all"},
    {"v=spf1 ip6:<:2001:db8::1> -all", "missing-colon", "v=spf1 ip6:2001:db8::1 -all"},
    {"v=spf1 a:mail.example.com/24/<64> -all", "prefix-length", "v=spf1 a:mail.example.com/24//64 -all"},
    {"v=spf1 ip4<> :192.0.2.1 -all", "stray-space", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 a <:example.com> -all", "stray-space", "v=spf1 a:example.com -all"},
    {"v=spf1 <ipv4:> 192.0.2.1 -all", "stray-space", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 a -all<\\>", "trailing-punctuation", "v=spf1 a -all"},
    {"v=spf1 a -all<;>", "comma", "v=spf1 a -all"},
    {"v=spf1 include:<example.coma:foo.com> -all", "suspicious-name", "v=spf1 include:example.com a:foo.com -all"},
    {"v=spf1 include:<spf.example.com,include:b.example.com> -all", "suspicious-name",
     "v=spf1 include:spf.example.com include:b.example.com -all"},
    {"v=spf1 ip4:<192.0.2.1.> -all", "trailing-punctuation", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 <,> -all", "comma", "v=spf1 -all"},
    {"v=spf1 -<>", "syntax", NULL},
    {"v=spf1 a:%{d}<x> -all", "syntax", NULL},
    {"v=spf1 a ~<alll>", "misspelt-mechanism", "v=spf1 a ~all"},
    {"v=spf1 <ip4:192.0.2.1> ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.0 -all", "mergeable-networks mergeable-networks",
     "v=spf1 ip4:192.0.2.0/30 -all"},
    {"v=spf1 exists:%{i.<example.com> -all", "macro", NULL},
    {"v=spf1 exists:%{d<0}.example.com> -all", "macro", NULL},
    {"v=spf1 include:a.example <include:A.example> -all", "duplicate-term", "v=spf1 include:a.example -all"},
    {"v=spf1 a <?a> -all", "duplicate-term", NULL},
    {"v=spf1 ip4:192.0.2.1/32</24> -all", "prefix-length", NULL},
    {"v=spf1 ip6:<2001:db8::1::2> -all", "syntax", NULL},
    {"v=spf1 <ipv4:192.0.2.1;> -all", "comma", "v=spf1 ip4:192.0.2.1 -all"},
    {"v=spf1 a:%{i}._h.example.com include:%{d2} -all", "", NULL},
    {"v=spf1 a:<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com> -all", "bad-name", NULL},
    {"v=spf1 <frob1:x> foo2:y bar3:z -all", "unknown-mechanism unknown-mechanism unknown-mechanism", NULL},
    {"v=spf1 ip4:192.0.2.0/24 -all", "", NULL},
    {"v=spf1 mx include:_spf.example.com ~all", "", NULL},
    {"v=spf1 redirect=_spf.example.com", "", NULL},
};

typedef struct unmarked {
    char text[TEXT_MAX];
    size_t offset, length;
} unmarked_t;

static void unmark(unmarked_t *unmarked, const char *marked)
{
    char *to = unmarked->text;

    unmarked->offset = unmarked->length = 0;
    for (; *marked != '\0'; marked++) {
        if (*marked == '<')
            unmarked->offset = (size_t)(to - unmarked->text);
        else if (*marked == '>')
            unmarked->length = (size_t)(to - unmarked->text) - unmarked->offset;
        else
            *to++ = *marked;
    }
    *to = '\0';
}

static const spf_lint_t *lint_record(walking_t *walking, const zone_t *zone, const char *record)
{
    const spf_lint_t *lint;

    assert_true(walking_run(walking, &(walking_input_t){.zone = zone, .record = record, .scope = WALKING_NOTHING}));
    lint = spf_lint_tree(&walking->arena, walking->tree);
    assert_non_null(lint);
    return lint;
}

static const char *codes_of(const spf_lint_t *lint)
{
    static char codes[DUMP_MAX];

    codes[0] = '\0';
    for (size_t i = 0; i < lint->count; i++) {
        if (i > 0)
            strcat(codes, " ");
        strcat(codes, lint->remarks[i].code);
    }
    return codes;
}

static void test_texts(void **state)
{
    zone_t *zone = zone_new();
    walking_t walking;
    unmarked_t record;

    (void)state;
    assert_true(COUNT(text_rows) >= 60);
    for (size_t i = 0; i < COUNT(text_rows); i++) {
        unmark(&record, text_rows[i].marked);
        const spf_lint_t *lint = lint_record(&walking, zone, record.text);
        const spf_remark_t *first = lint->remarks;
        if (strcmp(codes_of(lint), text_rows[i].codes) != 0)
            print_error("%s: %s\n", record.text, codes_of(lint));
        assert_string_equal(codes_of(lint), text_rows[i].codes);
        if (lint->count > 0 && (first->offset != record.offset || first->length != record.length))
            print_error("%s: %zu, %zu\n", text_rows[i].marked, first->offset, first->length);
        if (lint->count > 0) {
            assert_int_equal(first->offset, record.offset);
            assert_int_equal(first->length, record.length);
            assert_string_equal(first->record, record.text);
        }
        assert_int_equal(lint->fixed != NULL, text_rows[i].fixed != NULL);
        if (lint->fixed != NULL) {
            assert_string_equal(lint->fixed, text_rows[i].fixed);
            assert_int_equal(lint->fixed_length, strlen(lint->fixed));
        }
        walking_free(&walking);
    }
    zone_free(zone);
}

static unsigned count_errors(const spf_lint_t *lint)
{
    unsigned errors = 0;

    for (size_t i = 0; i < lint->count; i++)
        errors += lint->remarks[i].severity == SPF_SEVERITY_ERROR;
    return errors;
}

/* What a fix is stands in place of some octets, so that an editor can make it. */
static void test_replacements_make_nothing_worse(void **state)
{
    zone_t *zone = zone_new();
    walking_t walking, again;
    unmarked_t record;
    char text[TEXT_MAX];
    unsigned replaced = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(text_rows); i++) {
        unmark(&record, text_rows[i].marked);
        const spf_lint_t *lint = lint_record(&walking, zone, record.text);
        for (size_t j = 0; j < lint->count; j++) {
            const spf_remark_t *remark = &lint->remarks[j];
            if (remark->replacement == NULL)
                continue;
            snprintf(text, sizeof(text), "%.*s%s%s", (int)remark->replace_offset, record.text, remark->replacement,
                     record.text + remark->replace_offset + remark->replace_length);
            assert_string_not_equal(text, record.text);
            assert_true(count_errors(lint_record(&again, zone, text)) <= count_errors(lint));
            walking_free(&again);
            replaced++;
        }
        walking_free(&walking);
    }
    assert_true(replaced > 100);
    zone_free(zone);
}

/* ----------------------------------------------------------------------------------------------------- random records
 */

static unsigned next_random(unsigned *state, unsigned below)
{
    *state = *state * 1103515245 + 12345;
    return (*state >> 8) % below;
}

/* Networks of one /26 and one /122, near to each other, with any qualifier; no error, and nothing that is ignored. */
static void make_record(char *record, unsigned *state)
{
    static const char *const qualifiers[] = {"", "", "", "+", "-", "~", "?"};
    unsigned terms = 1 + next_random(state, 8);
    size_t length = (size_t)sprintf(record, "v=spf1");

    for (unsigned i = 0; i < terms; i++) {
        bool is_ip4 = next_random(state, 3) > 0;
        length += (size_t)sprintf(record + length, is_ip4 ? " %sip4:192.0.2.%u" : " %sip6:2001:db8::%x",
                                  qualifiers[next_random(state, COUNT(qualifiers))], next_random(state, 64));
        if (next_random(state, 2) == 0)
            length += (size_t)sprintf(record + length, "/%u", (is_ip4 ? 26 : 122) + next_random(state, 7));
    }
    sprintf(record + length, "%s", (const char *[]){"", " -all", " ?all"}[next_random(state, 3)]);
}

static spf_result_t result_of(const char *record, const char *ip)
{
    static char zone[TEXT_MAX];
    evaluation_t evaluation;

    snprintf(zone, sizeof(zone), "example.com TXT %s\n", record);
    evaluation_run(&evaluation,
                   &(evaluation_input_t){.zone = zone, .ip = ip, .sender = "ann@example.com", .helo = "example.com"});
    spf_result_t result = spf_eval_finding(evaluation.eval)->result;
    evaluation_free(&evaluation);
    return result;
}

/* A record without errors is mended to one with the same result for every address. */
static void test_tidying_changes_no_result(void **state)
{
    enum { RECORDS = 200 };
    zone_t *zone = zone_new();
    unsigned random = 7208, fixed = 0;
    char record[1024];
    walking_t walking;

    (void)state;
    for (unsigned i = 0; i < RECORDS; i++) {
        make_record(record, &random);
        const spf_lint_t *lint = lint_record(&walking, zone, record);
        for (unsigned j = 0; lint->fixed != NULL && j < 65; j += 1 + next_random(&random, 3)) {
            char ip[2][64];
            snprintf(ip[0], sizeof(ip[0]), "192.0.2.%u", j);
            snprintf(ip[1], sizeof(ip[1]), "2001:db8::%x", j);
            for (unsigned family = 0; family < 2; family++) {
                if (result_of(record, ip[family]) != result_of(lint->fixed, ip[family]))
                    print_error("%s for %s, fixed to %s\n", record, ip[family], lint->fixed);
                assert_int_equal(result_of(record, ip[family]), result_of(lint->fixed, ip[family]));
            }
        }
        fixed += lint->fixed != NULL;
        walking_free(&walking);
    }
    assert_true(fixed > RECORDS / 2);
    zone_free(zone);
}

static void test_severities_have_names(void **state)
{
    (void)state;
    assert_string_equal(spf_severity_name(SPF_SEVERITY_ERROR), "error");
    assert_string_equal(spf_severity_name(SPF_SEVERITY_WARNING), "warning");
    assert_string_equal(spf_severity_name(SPF_SEVERITY_ADVICE), "advice");
    assert_string_equal(spf_severity_name((spf_severity_t)17), "invalid");
}

/* However many networks stand between the two. */
static void test_a_duplicate_far_away(void **state)
{
    char record[4096];
    size_t length = (size_t)sprintf(record, "v=spf1 a:mail.example.com");
    zone_t *zone = zone_new();
    walking_t walking;

    (void)state;
    for (unsigned i = 1; i < 256; i += 2)
        length += (size_t)sprintf(record + length, " ip4:192.0.2.%u", i);
    sprintf(record + length, " a:mail.example.com -all");
    const spf_lint_t *lint = lint_record(&walking, zone, record);
    assert_string_equal(codes_of(lint), "long-record duplicate-term");
    assert_int_equal(lint->remarks[1].offset, length + 1);
    walking_free(&walking);
    zone_free(zone);
}

/* Much of whatever takes the most work. */
static void test_long_records(void **state)
{
    static const char *const parts[] = {
        " ip4:192.0.2.1",      " ip6:2001:db8::1", " x",       " a", " a:",  ",",           " -", "(", " \t", " all",
        " redirect=a.example", "ip4:192.0.2.1",    " include", "%",  " a=b", "\xe2\x80\x9c"};
    enum { LONG = 8 * 1024 };
    static char record[LONG + 64];
    zone_t *zone = zone_new();
    walking_t walking;

    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t length = (size_t)sprintf(record, "v=spf1 a");
        while (length < LONG)
            length += (size_t)sprintf(record + length, "%s", parts[i]);
        lint_record(&walking, zone, record);
        walking_free(&walking);
    }
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_replacements_make_nothing_worse),
        cmocka_unit_test(test_tidying_changes_no_result),
        cmocka_unit_test(test_severities_have_names),
        cmocka_unit_test(test_a_duplicate_far_away),
        cmocka_unit_test(test_long_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What each mechanism and the redirect do: RFC 7208 sections 5 and 6.1. */
#include "core/eval_impl.h"

#include <string.h>

static const spf_term_t *term_at(const spf_frame_t *frame)
{
    return &frame->record->terms[frame->index];
}

/* ------------------------------------------------------------------------------------------ terms that need DNS */

/* Counts the term against the limit, before it asks for anything (section 4.6.4). */
static spf_judgement_t term_begin(spf_eval_t *eval, spf_frame_t *frame, const spf_term_t *term)
{
    spf_tally_t *tally = &eval->tally;

    if (frame->is_begun)
        return SPF_JUDGE_READY;
    spf_trace_begin(eval, frame, term);
    if (tally->lookups >= eval->question.limits.lookups) {
        tally->lookups = eval->question.limits.lookups + 1;
        return spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_LOOKUP_LIMIT);
    }
    frame->is_begun = true;
    tally->lookups++;
    frame->counted = &eval->counted[tally->counted];
    tally->counted += tally->counted < SPF_LOOKUPS_MAX;
    *frame->counted = (spf_counted_t){
        .domain = frame->domain, .record = frame->record, .term = (uint32_t)(term - frame->record->terms)};
    return SPF_JUDGE_READY;
}

/* Settles the <target-name>; a term whose name cannot be one is judged by what it is (section 4.8). */
static spf_judgement_t term_target(spf_eval_t *eval, spf_frame_t *frame, const spf_term_t *term)
{
    spf_name_t name;

    if (frame->has_target)
        return SPF_JUDGE_READY;
    switch (spf_eval_expand_target(eval, frame->domain, frame->domain_length, frame->record, term, true, &name)) {
    case SPF_TARGET_WAIT:
        return eval->is_out_of_memory ? SPF_JUDGE_DECIDED : SPF_JUDGE_WAIT;
    case SPF_TARGET_NAME:
        frame->target = spf_arena_copy(eval->arena, name.text, name.length);
        frame->target_length = name.length;
        if (frame->target == NULL)
            return spf_eval_nomem(eval);
        break;
    case SPF_TARGET_UNMATCHABLE:
        frame->is_unmatchable = true;
        break;
    case SPF_TARGET_BAD:
        break;
    }
    frame->has_target = true;
    frame->counted->target = frame->target;
    if (frame->target != NULL)
        spf_trace_target(eval, frame->step, frame->target, frame->target_length);
    return SPF_JUDGE_READY;
}

/* A term that asks DNS: its own first question once that is answered; NULL: *judgement says what the term came to. */
static spf_query_t *term_ask(spf_eval_t *eval, spf_frame_t *frame, const spf_term_t *term, uint16_t type,
                             bool is_policy, spf_judgement_t *judgement)
{
    spf_query_t *query;

    *judgement = term_begin(eval, frame, term);
    if (*judgement == SPF_JUDGE_READY)
        *judgement = term_target(eval, frame, term);
    if (*judgement != SPF_JUDGE_READY)
        return NULL;
    *judgement = SPF_JUDGE_NO_MATCH;
    if (frame->is_unmatchable)
        return NULL;
    if (frame->target == NULL) {
        if (is_policy)
            *judgement = spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_BAD_TARGET);
        return NULL;
    }
    query = type == SPF_TYPE_PTR ? spf_eval_want_ptr(eval, true)
                                 : spf_eval_want(eval, frame->target, frame->target_length, type, is_policy, true);
    *judgement = query != NULL ? SPF_JUDGE_WAIT : SPF_JUDGE_DECIDED;
    if (query == NULL || spf_eval_use(eval, query) == NULL)
        return NULL;
    if (!eval->is_out_of_memory)
        return query;
    *judgement = SPF_JUDGE_DECIDED; /* the answer is incomplete: nothing may be read from it */
    return NULL;
}

/* A term's own first question counts once when it is void; the third is an error (section 4.6.4). */
static spf_judgement_t count_void(spf_eval_t *eval, spf_frame_t *frame, bool is_void)
{
    if (!is_void || frame->void_is_counted)
        return SPF_JUDGE_READY;
    frame->void_is_counted = true;
    frame->counted->is_void = true;
    if (++eval->tally.void_lookups > eval->question.limits.void_lookups)
        return spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_VOID_LIMIT);
    return SPF_JUDGE_READY;
}

/* The first answer of a, mx and exists: READY if it has data. A PTR question may fail (section 5.5). */
static spf_judgement_t judge_answer(spf_eval_t *eval, spf_frame_t *frame, const spf_query_t *query)
{
    bool first_time = frame->counted->dns_queries == 0;
    spf_judgement_t judgement;

    if (first_time) {
        frame->counted->dns_queries = 1;
        spf_trace_answer(eval, frame->step, query);
    }
    if (spf_answer_is_failure(&query->answer))
        return query->type == SPF_TYPE_PTR ? SPF_JUDGE_NO_MATCH : spf_eval_raise_dns(eval, frame, query);
    judgement = count_void(eval, frame, spf_answer_is_void(&query->answer));
    if (judgement == SPF_JUDGE_READY && spf_answer_is_void(&query->answer))
        return SPF_JUDGE_NO_MATCH;
    return judgement;
}

/* --------------------------------------------------------------------------------------------------- mechanisms */

/* all = "all" (section 5.1) */
static spf_judgement_t judge_all(spf_eval_t *eval, spf_frame_t *frame)
{
    spf_trace_begin(eval, frame, term_at(frame));
    return SPF_JUDGE_MATCH;
}

bool spf_eval_address_matches(const spf_eval_t *eval, const spf_answer_t *answer, const spf_term_t *term,
                              uint32_t *judged)
{
    const spf_ip_t *ip = &eval->question.ip;
    size_t size = ip->family == 4 ? 4 : 16;
    unsigned prefix = ip->family == 4 ? term->cidr4 : term->cidr6;

    for (*judged = 0; *judged < answer->count; ++*judged)
        if (spf_ip_prefix_equals(ip, answer->addresses + *judged * size, prefix)) {
            ++*judged;
            return true;
        }
    return false;
}

/* a = "a" [ ":" domain-spec ] [ dual-cidr-length ] (section 5.3) */
static spf_judgement_t judge_a(spf_eval_t *eval, spf_frame_t *frame)
{
    const spf_term_t *term = term_at(frame);
    uint32_t judged;
    spf_judgement_t judgement;
    const spf_query_t *query = term_ask(eval, frame, term, eval->address_type, false, &judgement);
    bool is_match;

    if (query != NULL)
        judgement = judge_answer(eval, frame, query);
    if (query == NULL || judgement != SPF_JUDGE_READY)
        return judgement;
    is_match = spf_eval_address_matches(eval, &query->answer, term, &judged);
    eval->tally.compared += judged;
    eval->via = NULL;
    return is_match ? SPF_JUDGE_MATCH : SPF_JUDGE_NO_MATCH;
}

/* Host index of an MX answer as a question; NULL: it is no DNS name (a null MX, say), or no memory or credit. */
static spf_query_t *want_host(spf_eval_t *eval, const spf_answer_t *answer, uint32_t index)
{
    spf_name_t name;

    if (!spf_name_from_text(&name, answer->texts[index].data, answer->texts[index].length))
        return NULL;
    return spf_eval_want(eval, name.text, name.length, eval->address_type, false, true);
}

/* No host matched and not one is missing: the tally of all of them, and the first failure if there is one. */
static spf_judgement_t mx_unmatched(spf_eval_t *eval, spf_frame_t *frame, spf_query_t **hosts, uint32_t count)
{
    spf_judgement_t judgement = SPF_JUDGE_NO_MATCH;

    for (uint32_t i = 0; i < count; i++) {
        const spf_answer_t *answer = hosts[i] != NULL ? spf_eval_use(eval, hosts[i]) : NULL;
        if (answer == NULL)
            continue;
        frame->counted->dns_queries++;
        eval->tally.compared += answer->count;
        if (!spf_answer_is_failure(answer))
            continue;
        spf_trace_note(eval, frame->step, "MX host ", hosts[i]->name, answer->detail);
        if (judgement == SPF_JUDGE_NO_MATCH)
            judgement = spf_eval_raise_dns(eval, frame, hosts[i]);
    }
    return judgement;
}

/*
 * The hosts' addresses: a match wins in whatever order the answers come; without one, a failure is the term's. Hosts
 * are asked in their order, the first that is missing now and the rest ahead.
 */
static spf_judgement_t judge_mx_hosts(spf_eval_t *eval, spf_frame_t *frame, const spf_term_t *term,
                                      const spf_answer_t *mx)
{
    spf_query_t *hosts[SPF_HOSTS_MAX];
    bool is_missing = false;
    uint32_t judged;

    for (uint32_t i = 0; i < mx->count; i++) {
        const spf_answer_t *answer;
        hosts[i] = is_missing && !eval->is_prefetching ? NULL : want_host(eval, mx, i);
        answer = hosts[i] != NULL ? spf_eval_peek(hosts[i]) : NULL;
        if (answer != NULL && spf_eval_address_matches(eval, answer, term, &judged)) {
            spf_eval_use(eval, hosts[i]);
            eval->tally.compared += judged;
            eval->via = hosts[i]->name;
            frame->counted->dns_queries = (uint8_t)(frame->counted->dns_queries + i + 1);
            spf_trace_note(eval, frame->step, "by MX host ", hosts[i]->name, NULL);
            return SPF_JUDGE_MATCH;
        }
        is_missing = is_missing || (hosts[i] != NULL && answer == NULL);
    }
    if (eval->is_out_of_memory)
        return SPF_JUDGE_DECIDED;
    return is_missing ? SPF_JUDGE_WAIT : mx_unmatched(eval, frame, hosts, mx->count);
}

/* mx = "mx" [ ":" domain-spec ] [ dual-cidr-length ] (section 5.4) */
static spf_judgement_t judge_mx(spf_eval_t *eval, spf_frame_t *frame)
{
    const spf_term_t *term = term_at(frame);
    spf_judgement_t judgement;
    const spf_query_t *query = term_ask(eval, frame, term, SPF_TYPE_MX, false, &judgement);

    if (query != NULL)
        judgement = judge_answer(eval, frame, query);
    if (query == NULL || judgement != SPF_JUDGE_READY)
        return judgement;
    if (query->answer.count > eval->question.limits.mx_hosts) {
        if (!eval->is_frozen)
            eval->finding.count = query->answer.count;
        return spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_MX_LIMIT);
    }
    return judge_mx_hosts(eval, frame, term, &query->answer);
}

/* ptr = "ptr" [ ":" domain-spec ] (section 5.5) */
static spf_judgement_t judge_ptr(spf_eval_t *eval, spf_frame_t *frame)
{
    const char *name;
    unsigned tried;
    spf_judgement_t judgement;
    const spf_query_t *query = term_ask(eval, frame, term_at(frame), SPF_TYPE_PTR, false, &judgement);

    if (query != NULL)
        judgement = judge_answer(eval, frame, query);
    if (query == NULL || judgement != SPF_JUDGE_READY)
        return judgement;
    judgement = spf_eval_validated_name(eval, frame->target, frame->target_length, SPF_CLOSE_WITHIN, &name, &tried);
    if (judgement == SPF_JUDGE_WAIT)
        return judgement;
    frame->counted->dns_queries = (uint8_t)(frame->counted->dns_queries + tried);
    if (judgement == SPF_JUDGE_MATCH) {
        eval->via = name;
        spf_trace_note(eval, frame->step, "validated name ", name, NULL);
    }
    return judgement;
}

/* exists = "exists" ":" domain-spec (section 5.7): always an A question */
static spf_judgement_t judge_exists(spf_eval_t *eval, spf_frame_t *frame)
{
    spf_judgement_t judgement;
    const spf_query_t *query = term_ask(eval, frame, term_at(frame), SPF_TYPE_A, false, &judgement);

    if (query != NULL)
        judgement = judge_answer(eval, frame, query);
    eval->via = NULL;
    return query != NULL && judgement == SPF_JUDGE_READY ? SPF_JUDGE_MATCH : judgement;
}

/* ------------------------------------------------------------------------------------------------------ networks */

bool spf_eval_is_network(const spf_term_t *term)
{
    return term->kind == SPF_TERM_IP4 || term->kind == SPF_TERM_IP6;
}

static uint32_t scan_net4(const spf_ip_t *ip, const spf_record_t *record, const spf_term_t *term, unsigned *compared)
{
    const spf_net4_t *nets = record->net4s;
    uint32_t end = term->run_end < record->term_count ? record->terms[term->run_end].net4 : record->net4_count;
    uint32_t address =
        (uint32_t)ip->octets[0] << 24 | (uint32_t)ip->octets[1] << 16 | (uint32_t)ip->octets[2] << 8 | ip->octets[3];
    uint32_t i = term->net4;

    while (i < end && (address & nets[i].mask) != nets[i].address)
        i++;
    *compared += i - term->net4 + (i < end);
    return i < end ? nets[i].term : term->run_end;
}

static uint32_t scan_net6(const spf_ip_t *ip, const spf_record_t *record, const spf_term_t *term, unsigned *compared)
{
    const spf_net6_t *nets = record->net6s;
    uint32_t end = term->run_end < record->term_count ? record->terms[term->run_end].net6 : record->net6_count;
    uint32_t i = term->net6;

    while (i < end && !spf_ip_prefix_equals(ip, nets[i].address, nets[i].prefix))
        i++;
    *compared += i - term->net6 + (i < end);
    return i < end ? nets[i].term : term->run_end;
}

uint32_t spf_eval_scan_networks(const spf_eval_t *eval, const spf_record_t *record, uint32_t index, unsigned *compared)
{
    const spf_ip_t *ip = &eval->question.ip;
    const spf_term_t *term = &record->terms[index];

    return ip->family == 4 ? scan_net4(ip, record, term, compared) : scan_net6(ip, record, term, compared);
}

/* ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ], and ip6 (section 5.6): a whole run of them at once. The trace has a
 * step for each all the same. */
static spf_judgement_t judge_networks(spf_eval_t *eval, spf_frame_t *frame)
{
    const spf_record_t *record = frame->record;
    uint32_t run_end = record->terms[frame->index].run_end;
    uint32_t found = spf_eval_scan_networks(eval, record, frame->index, &eval->tally.compared);

    while (frame->index < found && eval->question.wants_trace) {
        spf_trace_begin(eval, frame, term_at(frame));
        spf_trace_end(eval, frame, SPF_OUTCOME_NO_MATCH);
        frame->step = NULL;
        frame->index++;
    }
    frame->index = found;
    eval->via = NULL;
    if (found == run_end)
        return SPF_JUDGE_NO_MATCH;
    spf_trace_begin(eval, frame, term_at(frame));
    return SPF_JUDGE_MATCH;
}

/* -------------------------------------------------------------------------------------------- include, redirect */

/* The other domain's policy is there: READY with its record, or what its lack means (sections 5.2 and 6.1). */
static spf_judgement_t judge_policy(spf_eval_t *eval, spf_frame_t *frame, const spf_query_t *query)
{
    spf_judgement_t judgement;

    frame->counted->dns_queries = 1;
    if (spf_answer_is_failure(&query->answer)) {
        spf_trace_answer(eval, frame->step, query);
        return spf_eval_raise_dns(eval, frame, query);
    }
    judgement = count_void(eval, frame, query->policy->is_void);
    if (judgement != SPF_JUDGE_READY)
        return judgement;
    switch (query->policy->kind) {
    case SPF_POLICY_RECORD:
        return SPF_JUDGE_READY;
    case SPF_POLICY_SEVERAL:
        if (!eval->is_frozen)
            eval->finding.count = query->policy->record_count;
        return spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_SEVERAL_RECORDS);
    default:
        spf_trace_answer(eval, frame->step, query);
        return spf_eval_raise(eval, frame, SPF_RESULT_PERMERROR, SPF_CAUSE_TARGET_NO_RECORD);
    }
}

/* include = "include" ":" domain-spec (section 5.2) */
static spf_judgement_t judge_include(spf_eval_t *eval, spf_frame_t *frame)
{
    const spf_query_t *query;
    spf_judgement_t judgement;

    if (frame->inner != SPF_INNER_OPEN)
        return frame->inner == SPF_INNER_PASS ? SPF_JUDGE_MATCH : SPF_JUDGE_NO_MATCH;
    query = term_ask(eval, frame, term_at(frame), SPF_TYPE_TXT, true, &judgement);
    if (query != NULL)
        judgement = judge_policy(eval, frame, query);
    if (query == NULL || judgement != SPF_JUDGE_READY)
        return judgement;
    if (!spf_eval_push(eval, frame->target, frame->target_length))
        return SPF_JUDGE_DECIDED;
    eval->top->policy = query->policy;
    return SPF_JUDGE_MOVED;
}

/* redirect = "redirect" "=" domain-spec (section 6.1): after all mechanisms, unless the record has "all" */
spf_judgement_t spf_eval_redirect(spf_eval_t *eval, spf_frame_t *frame)
{
    const spf_record_t *record = frame->record;
    const spf_query_t *query;
    spf_judgement_t judgement;

    if (record->redirect == SPF_NO_TERM || record->has_all)
        return SPF_JUDGE_NO_MATCH;
    query = term_ask(eval, frame, &record->terms[record->redirect], SPF_TYPE_TXT, true, &judgement);
    if (query != NULL)
        judgement = judge_policy(eval, frame, query);
    if (query == NULL || judgement != SPF_JUDGE_READY)
        return judgement;
    spf_trace_end(eval, frame, SPF_OUTCOME_FOLLOWED);
    spf_eval_enter(eval, frame, frame->target, frame->target_length, query->policy);
    return SPF_JUDGE_MOVED;
}

/* Modifiers are no mechanisms (section 4.6.3), and a term that cannot be parsed is skipped in a would-be evaluation. */
static spf_judgement_t judge_nothing(spf_eval_t *eval, spf_frame_t *frame)
{
    (void)eval;
    (void)frame;
    return SPF_JUDGE_NO_MATCH;
}

spf_judgement_t spf_eval_judge(spf_eval_t *eval, spf_frame_t *frame)
{
    static spf_judgement_t (*const judges[])(spf_eval_t *, spf_frame_t *) = {
        [SPF_TERM_ALL] = judge_all,      [SPF_TERM_INCLUDE] = judge_include, [SPF_TERM_A] = judge_a,
        [SPF_TERM_MX] = judge_mx,        [SPF_TERM_PTR] = judge_ptr,         [SPF_TERM_IP4] = judge_networks,
        [SPF_TERM_IP6] = judge_networks, [SPF_TERM_EXISTS] = judge_exists,   [SPF_TERM_REDIRECT] = judge_nothing,
        [SPF_TERM_EXP] = judge_nothing,  [SPF_TERM_UNKNOWN] = judge_nothing, [SPF_TERM_INVALID] = judge_nothing,
    };

    return judges[frame->record->terms[frame->index].kind](eval, frame);
}

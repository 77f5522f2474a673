-- SPDX-License-Identifier: MIT
-- The record tools: surveys, what lint says of them, drafts, and evidence.
local libspf = require "libspf"
local test = require "harness"

local DNS, SLOW, SILENT = os.getenv "LIBSPF_DNS", os.getenv "LIBSPF_SLOW", os.getenv "LIBSPF_SILENT"

local ZONE = [[
example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 mx a:gone.example.com include:_spf.example.net ?all"
example.com. 300 IN MX 10 mx.example.com.
mx.example.com. 300 IN A 198.51.100.25
mx.example.com. 300 IN AAAA 2001:db8::25
_spf.example.net. 600 IN TXT "v=spf1 ip4:203.0.113.0/28 ip4:192.0.2.7 -all"
typo.example.com. 300 IN TXT "v=spf1 ipv4:192.0.2.1 -all"
]]

local context = libspf.context{resolver = "none", zone_text = ZONE}

local function run(own)
    while own:pending() > 0 do
        own:wait(5)
    end
end

-- ------------------------------------------------------------------------------------------------------------ surveys

test.case("the tree, by index", function()
    local survey = context:survey("example.com")
    local nodes = survey.nodes
    test.equal(#nodes, 2)
    local top, below = nodes[1], nodes[2]
    test.equal(top.parent, nil)
    test.equal(top.parent_term, nil)
    test.equal(top.depth, 0)
    test.equal(top.domain, "example.com")
    test.equal(top.status, "record")
    test.equal(top.record, "v=spf1 ip4:192.0.2.0/24 mx a:gone.example.com include:_spf.example.net ?all")
    test.equal(top.record_count, 1)
    test.equal(top.ttl, 300)
    test.equal(top.dnssec, "insecure")
    test.equal(top.error_offset, nil)
    test.equal(top.lookups, 3)
    test.equal(top.void_lookups, 1)
    test.is_true(top.answer_octets > #top.record, "the octets of an answer")
    test.equal(below.parent, 1)
    test.equal(below.parent_term, 4)
    test.equal(below.running_lookups, 3)
    test.equal(top.terms[below.parent_term].child, 2)
    test.is_true(survey.nodes == nodes, "they are made once")
end)

test.case("terms", function()
    local node = context:survey("example.com").nodes[1]
    test.equal(#node.terms, 5)
    local network, mx, gone, include, all = (unpack or table.unpack)(node.terms)
    for _, term in ipairs(node.terms) do
        test.equal(node.record:sub(term.offset, term.offset + term.length - 1), term.text)
    end
    test.equal(network.kind, "ip4")
    test.equal(network.result, "pass")
    test.equal(network.lookup_number, nil)
    test.equal(table.concat(network.networks, " "), "192.0.2.0/24")
    test.equal(mx.target, "example.com")
    test.equal(mx.lookup_number, 1)
    test.equal(mx.host_count, 1)
    test.has(mx.answer, "mx.example.com")
    test.equal(table.concat(mx.networks, " "), "198.51.100.25/32 2001:db8::25/128")
    test.equal(gone.status, "no-domain")
    test.equal(gone.void_number, 1)
    test.equal(gone.is_past_limit, false)
    test.equal(#gone.networks, 0)
    test.equal(include.target, "_spf.example.net")
    test.equal(all.result, "neutral")
    test.equal(all.is_reached, true)
    test.equal(all.depends_on_mail, false)
    test.equal(all.ttl, nil)
end)

test.case("the summary", function()
    local summary = context:survey("example.com").summary
    local wanted = {lookups = 3, void_lookups = 1, void_lookups6 = 1, max_lookups = 10, max_void_lookups = 2, records = 2,
                    networks = 4, is_anybody = false, is_complete = true, has_failure = false, is_permerror = false,
                    is_permerror6 = false, ttl = 300}
    for name, value in pairs(wanted) do
        test.equal(summary[name], value, name)
    end
    test.is_true(summary.elapsed >= 0, "elapsed")
end)

test.case("what DNS and records say is no error", function()
    local given = context:survey{record = "v=spf1 ip4:192.0.2.1 nonsense -all"}
    test.equal(given.nodes[1].domain, "")
    test.equal(given.nodes[1].error_offset, 22)
    test.is_true(given.nodes[1].error, "what was expected")
    test.equal(given.summary.is_permerror, true)
    test.equal(context:survey("missing.example.com").nodes[1].status, "no-domain")
    test.equal(context:survey("mx.example.com").nodes[1].status, "no-record")
    test.equal(context:survey("a b").nodes[1].status, "bad-name")
    local failed = libspf.context{resolver = DNS}:survey("fails.example.com")
    test.equal(failed.nodes[1].status, "error")
    test.has(failed.nodes[1].detail, "SERVFAIL")
    test.equal(failed.summary.has_failure, true)
    local late = libspf.context{resolver = SILENT}:survey{domain = "example.com", timeout = 0.02}
    test.equal(late.nodes[1].status, "timeout")
    test.equal(late.summary.ttl, nil)
end)

test.case("the scope", function()
    local shallow = context:survey{domain = "example.com", records = false, addresses = false}
    test.equal(#shallow.nodes, 1)
    test.equal(shallow.nodes[1].terms[2].status, "not-asked")
    test.equal(shallow.summary.is_complete, false)
    local without = context:survey{domain = "example.com", addresses = false}
    test.equal(#without.nodes, 2)
    test.equal(#without.nodes[1].terms[2].networks, 0)
    test.is_true(#context:survey{domain = "typo.example.com", nearby = true}.remarks >=
                 #context:survey{domain = "typo.example.com", nearby = false}.remarks, "more remarks")
end)

test.case("reports", function()
    local survey = context:survey("example.com")
    test.equal(tostring(survey), "example.com: record, 3 of 10 lookups")
    test.equal(tostring(context:survey{record = "v=spf1 -all"}), "a given record: record, 0 of 10 lookups")
    test.has(survey:text(), "\226\148", "include:_spf.example.net")
    local plain = survey:text{ascii = true, color = false}
    test.has(plain, "|- mx", "NXDOMAIN")
    test.equal(plain:find("[\27\128-\255]"), nil)
    test.has(survey:text{color = true}, "\27[")
    test.has(survey:dot(), "digraph", "_spf.example.net")
    test.has(survey:json(), '"lookups":3', '"code":"neutral-all"')
    local many = {}
    for i = 1, 20 do
        many[i] = "192.0.2." .. 2 * i
    end
    local wide = libspf.context{resolver = {query = function(question)
        return question.type == "TXT" and question:answer{"v=spf1 a -all"} or question.type == "A" and question:answer(many)
            or question:answer{}
    end}}:survey("example.com")
    test.equal(#wide.nodes[1].terms[1].networks, 20)
    test.equal(wide:text{}:find("192.0.2.40", 1, true), nil)
    test.has(wide:text{networks = true}, "192.0.2.40")
end)

-- --------------------------------------------------------------------------------------------------------------- lint

test.case("lint", function()
    local remarks, survey = context:lint("v=spf1 ipv4:192.0.2.1 -all")
    local remark = remarks[1]
    test.equal(remark.severity, "error")
    test.equal(remark.domain, "")
    test.equal(remark.node, 1)
    test.equal(remark.record:sub(remark.offset, remark.offset + remark.length - 1), "ipv4:192.0.2.1")
    test.has(remark.section, "RFC 7208")
    test.has(remark.sentence, "ipv4")
    local record, first = remark.record, remark.replace_offset
    test.equal(record:sub(1, first - 1) .. remark.replacement .. record:sub(first + remark.replace_length),
               "v=spf1 ip4:192.0.2.1 -all")
    test.equal(survey.fixed_record, "v=spf1 ip4:192.0.2.1 -all")
    test.equal(#survey.remarks, #remarks)
    test.equal(#context:lint(survey.fixed_record), 0)
    test.equal(select(2, context:lint(survey.fixed_record)).fixed_record, nil)
end)

test.case("records and domains are told apart", function()
    test.equal(context:lint("typo.example.com")[1].domain, "typo.example.com")
    for _, text in ipairs{"v=spf1", "v=spf1 mx", '"v=spf1"', "mx:example.com", "v=spf1 a:ann@example.com"} do
        test.equal(select(2, context:lint(text)).nodes[1].domain, "", text)
    end
    local codes = {}
    for _, remark in ipairs((context:lint("missing.example.com"))) do
        codes[#codes + 1] = remark.code
        test.equal(remark.offset, nil)
        test.equal(remark.length, nil)
    end
    test.is_true(#codes > 0, "there is something to say")
end)

-- ---------------------------------------------------------------------------------------------------- in an event loop

test.case("surveys and checks end in one queue", function()
    local own = libspf.context{resolver = SLOW}
    local seen, order = {}, 0
    own:start_survey{domain = "example.com", function(...)
        test.equal(select("#", ...), 1)
        seen.survey = ...
    end}
    own:start("192.0.2.7", "a@example.com", "h", function(result) seen.check = result end)
    own:start_survey("soft.example.com", function(survey) seen.soft, order = survey, order + 1 end)
    test.equal(own:pending(), 3)
    test.is_true(own:fd() >= 0, "a descriptor")
    test.equal(next(seen), nil)
    run(own)
    test.equal(order, 1)
    test.equal(seen.check.result, "pass")
    test.equal(#seen.survey.nodes, 2)
    test.equal(seen.soft.nodes[1].terms[1].networks[1], "192.0.2.99/32")
    own:close()
    test.equal(#seen.survey.remarks, #seen.survey.remarks)
    test.has(seen.survey:text(), "203.0.113.0/28")
end)

test.case("without a function", function()
    local job = context:start_survey{domain = "example.com"}
    test.equal(job:pending(), true)
    test.equal(job.result, nil)
    test.has(tostring(job), "a survey that is pending")
    run(context)
    test.equal(job:pending(), false)
    test.equal(job.result.summary.lookups, 3)
    test.has(tostring(job), "a survey that has its result")
end)

test.case("cancelled surveys are never called back", function()
    local silent = libspf.context{resolver = SILENT}
    local jobs = {}
    for i = 1, 6 do
        jobs[i] = silent:start_survey("example" .. i .. ".com", function() error("called back") end)
    end
    jobs[1]:cancel()
    jobs[1]:cancel()
    test.equal(jobs[1]:pending(), false)
    test.has(tostring(jobs[1]), "a survey that was cancelled")
    test.equal(silent:pending(), 5)
    test.equal(silent:wait(0), 0)
    silent:close()
    test.equal(jobs[6]:pending(), false)
    local ended = context:start_survey("example.com", function() error("called back") end)
    context:survey("example.com")
    ended:cancel()
    test.equal(context:process(), 0)
end)

test.case("surveys are let go", function()
    local weak = setmetatable({}, {__mode = "k"})
    weak[context:survey("example.com")] = true
    weak[context:start_survey("example.com", function(survey)
        weak[survey] = true
        weak[survey.nodes] = true
        weak[survey:flatten()] = true
    end)] = true
    run(context)
    test.collect()
    test.equal(next(weak), nil, "what is left")
end)

test.case("a resolver in Lua", function()
    local answers = {["TXT example.com"] = {"v=spf1 a include:b.example.com -all", ttl = 60}, ["A example.com"] = {"192.0.2.1"},
                     ["TXT b.example.com"] = {"v=spf1 ip6:2001:db8::/32 -all", ttl = 60},
                     ["SPF example.com"] = {"v=spf1 +all"}}
    local types, held = {}, nil
    local resolver = {query = function(question)
        types[question.type] = true
        local answer = answers[tostring(question)]
        if tostring(question) == "TXT later.example.com" then
            held = question
        elseif answer then
            question:answer(answer)
        else
            question:fail("nxdomain")
        end
    end}
    local own = libspf.context{resolver = resolver}
    local survey = own:survey{domain = "example.com", nearby = true}
    test.equal(#survey.nodes, 2)
    test.equal(survey.nodes[1].terms[1].networks[1], "192.0.2.1/32")
    test.equal(types.SPF, true)
    test.has(survey:json(), "type99")
    local later
    own:start_survey("later.example.com", function(found) later = found end)
    test.equal(own:pending(), 1)
    held:answer{"v=spf1 -all"}
    test.equal(later.nodes[1].record, "v=spf1 -all")
    test.equal(own:pending(), 0)
    own:start_survey("later.example.com", error)
    own:close()
end)

-- ------------------------------------------------------------------------------------------------------------- drafts

test.case("flatten", function()
    local survey = context:survey("example.com")
    local draft, why = survey:flatten()
    test.equal(why, nil)
    local wanted = "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.25 ip4:203.0.113.0/28 ip6:2001:db8::25 ?all"
    test.equal(#draft.records, 1)
    test.equal(draft.records[1].name, "example.com")
    test.equal(draft.records[1].text, wanted)
    test.equal(tostring(draft), wanted)
    test.equal(draft.lookups, 0)
    test.equal(#draft.notes, 0)
    local kept = survey:flatten{keep = {"_spf.example.net"}}
    test.has(tostring(kept), " include:_spf.example.net ?all")
    test.equal(kept.lookups, 1)
    test.equal(tostring(survey:flatten{keep = "_spf.example.net"}), tostring(kept))
    test.has(survey:flatten{keep = {"unused.example.com"}}.notes[1], "unused.example.com")
    local split = survey:flatten{answer_max = 128, prefix = "part"}
    test.is_true(split, "a draft")
    local long = {"v=spf1"}
    for i = 1, 40 do
        long[#long + 1] = "ip4:192.0." .. i .. "." .. i
    end
    local parts = context:survey{domain = "example.com", record = table.concat(long, " ") .. " -all"}:flatten{prefix = "part"}
    test.is_true(#parts.records > 1, "several records")
    test.equal(parts.records[2].name, "part1.example.com")
    test.is_true(parts.records[2].answer_octets <= 512, "fits")
    survey = nil
    test.collect()
    test.has(draft:json(), wanted)
end)

test.case("what cannot be flattened", function()
    for _, options in ipairs{{record = "v=spf1 nonsense"}, {domain = "missing.example.com"}} do
        local draft, why = context:survey(options):flatten()
        test.equal(draft, nil)
        test.is_true(#why > 10, "a sentence")
    end
end)

test.case("compose", function()
    local draft = libspf.compose{senders = {"mx", "192.0.2.0/24", "v=spf1 include:_spf.example.net ~all"}, domain = "example.com"}
    test.equal(tostring(draft), "v=spf1 ip4:192.0.2.0/24 mx include:_spf.example.net ~all")
    test.equal(draft.lookups, 2)
    test.equal(draft:zone(), 'example.com. IN TXT "v=spf1 ip4:192.0.2.0/24 mx include:_spf.example.net ~all"')
    test.has(draft:zone(3600), "example.com. 3600 IN TXT")
    test.has(draft:nsupdate(60, "example.com", "192.0.2.53@5353"), "server 192.0.2.53 5353", "zone example.com", " 60 IN TXT", "send")
    test.has(draft:nsupdate(), " 3600 IN TXT")
    test.has(draft:json(), '"lookups":2')
    test.equal(tostring(libspf.compose{}), "v=spf1 -all")
    test.equal(tostring(libspf:compose{senders = "mx", all = "-all"}), "v=spf1 mx -all")
    test.equal(libspf.compose{senders = {"mx"}}.records[1].name, "")
    test.is_true(#libspf.compose{senders = {"v=spf1 mx -all", "v=spf1 a ~all"}}.notes > 0, "a note")
end)

-- ----------------------------------------------------------------------------------------------------------- evidence

local FIELD = "Received-SPF: fail (no) client-ip=198.51.100.7; envelope-from=ann@example.com; helo=h.example.net; receiver=r.example.org"

test.case("evidence", function()
    local found = libspf.evidence("Subject: x\r\n" .. FIELD .. "\r\n\r\nbody\r\n")
    test.equal(#found.items, 1)
    local item = found.items[1]
    for name, value in pairs{field = "Received-SPF", result = "fail", value = "fail", ip = "198.51.100.7", sender = "ann@example.com",
                             helo = "h.example.net", receiver = "r.example.org", identity = "mailfrom", comment = "no", offset = 13} do
        test.equal(item[name], value, name)
        test.is_true(found.check[name] ~= nil, name)
    end
    test.is_true(item.length >= #FIELD, "its length")
    local unknown = libspf.evidence("Received-SPF: error client-ip=192.0.2.7")
    test.equal(unknown.items[1].result, "error")
    local nothing = libspf.evidence("hello\n\nworld")
    test.equal(#nothing.items, 0)
    test.equal(nothing.check, nil)
end)

test.case("advice", function()
    local result = context:check("192.0.2.7", "ann@example.com", "h")
    local plain = result:advice()
    test.is_true(#plain >= 1, "sentences")
    test.has(plain[1], "192.0.2.7")
    local compared = table.concat(result:advice(libspf.evidence(FIELD).check), "\n")
    test.has(compared, "said fail", "now it is pass")
    test.has(table.concat(result:advice{value = "pass"}, "\n"), "said the same")
    test.equal(#result:advice{}, #plain)
    for _, sentence in ipairs(result:advice()) do
        test.equal(sentence:find("\n"), nil)
    end
end)

-- ------------------------------------------------------------------------------------------------------------- misuse

local function noop() end
local survey, draft = context:survey("example.com"), libspf.compose{senders = {"mx"}}
local rows = {
    {function() context:survey() end, "'domain'", "'survey'", "nil", "\"example.com\"", "a record"},
    {function() context:survey(7) end, "'domain'", "7", "a domain"},
    {function() context:survey{} end, "'domain'", "nil"},
    {function() context:survey{domain = true} end, "'domain'", "true"},
    {function() context:survey{record = {}} end, "'record'", "a table", "a string"},
    {function() context:survey{record = ("x"):rep(70000)} end, "'record'", "65536"},
    {function() context:survey{domain = "example.com", nearby = 1} end, "'nearby'", "1", "true or false"},
    {function() context:survey{domain = "example.com", addresses = "x"} end, "'addresses'", "\"x\"", "true or false"},
    {function() context:survey{domain = "example.com", timeout = 0} end, "'timeout'", "'survey'", "0.001 to 600"},
    {function() context:survey{domain = "example.com", ip = "x"} end, "\"ip\"", "'survey'", "domain, record", "and timeout"},
    {function() context:survey{domain = "example.com", noop} end, "1 is no option"},
    {function() context:start_survey{domain = "example.com", "x"} end, "'callback'", "'start_survey'", "\"x\"", "a function"},
    {function() context:start_survey("example.com", "x") end, "'callback'", "\"x\""},
    {function() context:start_survey(noop) end, "'domain'", "'start_survey'", "a function"},
    {function() context.survey("example.com") end, "'self'", "'survey'", "colon"},
    {function() survey.text{} end, "'self'", "'text'", "a survey"},
    {function() survey:text("x") end, "'options'", "'text'", "\"x\"", "a table"},
    {function() survey:text{ascii = 1} end, "'ascii'", "1", "true or false"},
    {function() survey:text{colour = true} end, "\"colour\"", "ascii, networks and color"},
    {function() survey:flatten("x") end, "'options'", "'flatten'", "\"x\"", "a table"},
    {function() survey:flatten{keep = 5} end, "'keep'", "5", "an array of domains"},
    {function() survey:flatten{keep = {5}} end, "'keep'", "5", "a string"},
    {function() survey:flatten{keep = {"a..b"}} end, "'keep'", "\"a..b\" is no domain name"},
    {function() survey:flatten{prefix = "a b"} end, "'prefix'", "\"a b\"", "letters, digits"},
    {function() survey:flatten{answer_max = 127} end, "'answer_max'", "127", "128 to 65535"},
    {function() survey:flatten{answer_max = 512.5} end, "'answer_max'", "512.5", "a whole number"},
    {function() survey:flatten{answer_max = "512"} end, "'answer_max'", "\"512\"", "a whole number"},
    {function() context:lint() end, "'text'", "'lint'", "nil", "a record or a domain"},
    {function() context:lint{} end, "'text'", "a table"},
    {function() context:lint("ann@example.com") end, "'text'", "\"ann@example.com\" is a mailbox"},
    {function() libspf.compose() end, "'options'", "'compose'", "nil", "a table"},
    {function() libspf.compose{sender = "mx"} end, "\"sender\"", "senders, domain and all"},
    {function() libspf.compose{senders = 5} end, "'senders'", "5", "an array of senders"},
    {function() libspf.compose{senders = {"mx", 5}} end, "'senders'", "5", "a string"},
    {function() libspf.compose{senders = {ip = "192.0.2.1"}} end, "'senders'", "\"ip\" is no item", "from 1"},
    {function() libspf.compose{senders = {"mx", nil, nil, "a"}} end, "'senders'", "item 2 is missing"},
    {function() survey:flatten{keep = {domain = "x"}} end, "'keep'", "\"domain\" is no item"},
    {function() libspf.compose{senders = {"mx", "?!"}} end, "'senders'", "\"?!\" is no sender"},
    {function() libspf.compose{senders = {"mx"}, all = "+all"} end, "'all'", "\"+all\"", "-all, ~all and ?all"},
    {function() libspf.compose{senders = {"mx"}, domain = "a..b"} end, "'domain'", "\"a..b\" is no domain name"},
    {function() libspf.compose{domain = "a\0b"} end, "'domain'", "NUL"},
    {function() draft:zone(0) end, "'ttl'", "'zone'", "0", "1 to 2147483647"},
    {function() draft:zone("x") end, "'ttl'", "\"x\""},
    {function() draft.zone() end, "'self'", "a draft"},
    {function() draft:nsupdate() end, "nsupdate", "without a domain"},
    {function() draft:nsupdate(60, "a\nsend") end, "'zone'", "\"a?send\""},
    {function() draft:nsupdate(60, nil, "") end, "'server'", "empty"},
    {function() draft:nsupdate(60, nil, "192.0.2.53;x") end, "'server'", "\"192.0.2.53;x\""},
    {function() draft:nsupdate(60, nil, 53) end, "'server'", "53", "a string"},
    {function() libspf.evidence() end, "'text'", "'evidence'", "nil", "a string"},
    {function() context:check("192.0.2.1"):advice("fail") end, "'item'", "'advice'", "\"fail\""},
    {function() context:check("192.0.2.1"):advice{value = "none such"} end, "'value'", "\"none such\" is no result"},
    {function() context:check("192.0.2.1"):advice{ip = 5} end, "'ip'", "5", "a string"},
    {function() context:check("192.0.2.1"):advice{identity = "ehlo"} end, "'identity'", "\"ehlo\"", "\"mailfrom\" or \"helo\""},
}

for number, row in ipairs(rows) do
    test.case("misuse " .. number, function()
        test.raises(row[1], (unpack or table.unpack)(row, 2))
    end)
end

-- # finds one end of an array with holes, here one whose list of texts would have the size 8 after overflowing.
test.case("an array that seems to be endless", function()
    local items = {}
    for power = 0, 61 do
        items[#items + 1] = ("[%.0f] = 'mx'"):format(2 ^ power)
    end
    for place = 5, 7 do
        items[#items + 1] = ("[%d] = 'mx', [%d] = 'mx'"):format(place, place + 4)
    end
    local endless = (loadstring or load)("return {[3] = 'mx', " .. table.concat(items, ", ") .. "}")()
    test.raises(function() libspf.compose{senders = endless} end, "'senders'", "is no item", "at most 1000000")
end)

test.case("objects stay as they are", function()
    for _, object in ipairs{survey, draft} do
        test.equal(getmetatable(object), "of libspf")
        test.raises(function() object.x = 1 end)
        test.equal(object.x, nil)
        test.equal(object[1], nil)
    end
    test.equal(context:pending(), 0)
end)

test.case("a closed context", function()
    context:close()
    for _, method in ipairs{"survey", "start_survey", "lint"} do
        test.raises(function() context[method](context, "example.com") end, method, "closed")
    end
    test.equal(survey.summary.lookups, 3)
    test.is_true(survey:flatten(), "a draft of a survey whose context is closed")
end)

test.finish()

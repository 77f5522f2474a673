-- SPDX-License-Identifier: MIT
-- Every allocation of Lua's fails once: an error then, and the context goes on as if nothing had been asked of it.
local libspf = require "libspf"
local test = require "harness"

local ZONE = 'example.com. 300 IN TXT "v=spf1 a:a.example.com -all"\na.example.com. 300 IN A 192.0.2.1\n'
local resolver = {query = function(question)
    question:answer{question.type == "TXT" and "v=spf1 a -all" or "192.0.2.7"}
end, timeout = function() end, fd = function() end}

local function own()
    return libspf.context{resolver = "none", zone_text = ZONE}
end

-- Drains what is left: the functions of the checks that were started without an error are called.
local function drain(context)
    for _ = 1, 100 do
        if context:pending() == 0 then
            return
        end
        pcall(context.wait, context, 5)
    end
    error("the checks do not end")
end

-- Runs the body with ever more allocations, until none fails.
local function torture(name, make, body)
    test.case(name, function()
        local context = make()
        for count = 0, 100000 do
            fail_after(count)
            local ok, problem = pcall(body, context)
            local failed = fail_no_more()
            if not ok and failed == 0 then
                error(problem, 0)
            elseif not ok then
                test.has(tostring(problem), "not enough memory")
            end
            drain(context)
            if failed == 0 then
                test.is_true(count > 3, "something was allocated")
                return
            end
        end
    end)
end

local function check(context)
    context:check{ip = "192.0.2.7", sender = "a@example.com", helo = "h", trace = true}
end

local function look(context)
    local result = context:check{ip = "192.0.2.7", sender = "a@example.com", helo = "h", trace = true}
    result:as_table()
    result:json()
    result:received_spf("lf")
    result:smtp_reply()
    tostring(result)
end

local function start(context)
    context:fd()
    context:start("192.0.2.7", "a@example.com", "h", function(result) return result.reason end)
    context:start{ip = "192.0.2.7", sender = "b@example.com", function() end}:cancel()
    context:wait(5)
end

local function survey(context)
    local found = context:survey{domain = "example.com", nearby = true}
    local _ = found.nodes, found.summary, found.remarks, found.fixed_record, tostring(found)
    found:text{ascii = true}
    found:json()
    found:dot()
    local draft = found:flatten{keep = {"example.net"}, prefix = "_x"} -- none if memory lacked for the resolver's answer
    if draft then
        draft:zone(60)
    end
    context:lint("v=spf1 ipv4:192.0.2.1 -all")
end

local function start_survey(context)
    context:start_survey("example.com", function(found) return found.nodes end)
    context:start_survey{domain = "example.com", function() end}:cancel()
    context:wait(5)
end

local function without_dns(context)
    local draft = libspf.compose{senders = {"mx", "192.0.2.0/24"}, domain = "example.com"}
    local _ = draft.records, draft.notes, draft.lookups, tostring(draft)
    draft:nsupdate(60, "example.com", "192.0.2.53")
    local found = libspf.evidence("Received-SPF: fail client-ip=192.0.2.7; envelope-from=ann@example.com")
    context:check("192.0.2.7", "a@example.com", "h"):advice(found.check)
end

torture("check", own, check)
torture("survey", own, survey)
torture("start_survey, cancel and wait", own, start_survey)
torture("compose, evidence and advice", own, without_dns)
torture("with a resolver in Lua: survey", function() return libspf.context{resolver = resolver} end, survey)
torture("with a resolver in Lua: start_survey", function() return libspf.context{resolver = resolver} end, start_survey)
torture("what was found", own, look)
torture("start, cancel and wait", own, start)
torture("with a resolver in Lua: check", function() return libspf.context{resolver = resolver} end, check)
torture("with a resolver in Lua: start, cancel and wait", function() return libspf.context{resolver = resolver} end, start)
torture("making and closing contexts", own, function()
    own():close()
    libspf.context{resolver = resolver, max_lookups = 3}:close()
end)
torture("misuse", own, function(context)
    pcall(context.check, context, {ip = "nonsense"})
    pcall(libspf.context, {nonsense = 1})
    local ok = pcall(context.start, context, {ip = "192.0.2.7", nonsense = 5})
    test.equal(ok, false)
    check(context)
end)

-- The library has no memory from some allocation on. A resolver in Lua, for libunbound is not what is tested here.
local function starve(name, body)
    if not fail_library_after then
        return
    end
    test.case("the library without memory: " .. name, function()
        for count = 0, 100000 do
            local context = libspf.context{resolver = resolver}
            local calls, ends = 0, {}
            local function on_end(...)
                calls = calls + 1
                ends[#ends + 1] = {...}
            end
            fail_library_after(count)
            local ok, problem = pcall(body, context, on_end)
            local failed = fail_library_no_more()
            if not ok then
                test.is_true(failed > 0, tostring(problem))
                test.has(tostring(problem), "out of memory")
            end
            drain(context)
            for _, found in ipairs(ends) do
                test.is_true(found[1] or found[2] == "out of memory", "a result or a message")
            end
            context:close()
            if failed == 0 then
                return test.is_true(count > 3 and ok, "something was allocated")
            end
        end
    end)
end

starve("check", function(context) context:check{ip = "192.0.2.7", sender = "a@example.com", helo = "h", trace = true}:json() end)
starve("reports", function(context)
    local result = context:check{ip = "192.0.2.7", sender = "a@example.com", helo = "h", trace = true}
    local _ = result:received_spf("lf"), result:smtp_reply(), result:trace_text(), result:advice(), result:as_table()
end)
starve("start", function(context, on_end)
    context:start("192.0.2.7", "a@example.com", "h", on_end)
    context:start("192.0.2.7", "b@example.com", "h", on_end):cancel()
    context:wait(5)
end)
starve("survey", function(context, on_end)
    local survey = context:survey{domain = "example.com", nearby = true}
    local _ = survey.nodes, survey.remarks, survey.fixed_record, survey:text(), survey:dot(), survey:json(), survey:flatten{keep = {"a.b"}}
    context:start_survey("example.com", on_end)
    context:wait(5)
end)
starve("compose and evidence", function()
    local draft = libspf.compose{senders = {"mx", "192.0.2.0/24"}, domain = "example.com"}
    local _ = draft:zone(), draft:nsupdate(), draft:json(), draft.records, draft.notes
    libspf.evidence("Received-SPF: fail client-ip=192.0.2.7; envelope-from=ann@example.com")
end)
starve("contexts", function()
    libspf.context{resolver = resolver, max_lookups = 3, receiver = "a.example"}:close()
end)
starve("descriptors", function(context, on_end)
    context:fd()
    context:start("192.0.2.7", "a@example.com", "h", on_end)
    context:process()
    test.is_true(context:timeout() ~= -1)
end)

-- The function of a check for which there was no memory is called when there is some.
test.case("no end is lost", function()
    local context = own()
    for count = 0, 60 do
        local calls = 0
        context:start("192.0.2.7", "a@example.com", "h", function() calls = calls + 1 end)
        context:start_survey("example.com", function() calls = calls + 1 end)
        fail_after(count)
        pcall(context.wait, context, 5)
        fail_no_more()
        drain(context)
        test.equal(calls, 2, "calls with " .. count .. " allocations")
    end
end)

test.finish()

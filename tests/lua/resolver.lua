-- SPDX-License-Identifier: MIT
-- Resolvers written in Lua: what they are asked, how they may answer, and what they may do wrong.
local libspf = require "libspf"
local test = require "harness"

-- A resolver that keeps its questions: questions["TXT example.com"] is the last one for that.
local function keeping()
    local resolver = {questions = {}, asked = 0, cancelled = {}}
    function resolver.query(question)
        resolver.asked = resolver.asked + 1
        resolver.questions[tostring(question)] = question
        resolver.last = question
    end
    function resolver.cancel(question)
        resolver.cancelled[#resolver.cancelled + 1] = tostring(question)
    end
    return resolver
end

local function answering(answers)
    return {query = function(question)
        local answer = answers[question.type .. " " .. question.name]
        if type(answer) == "function" then
            return answer(question)
        end
        return answer and question:answer(answer) or question:fail("nxdomain")
    end}
end

local function check(answers, options)
    options = options or {}
    options.ip = options.ip or "192.0.2.7"
    options.sender = options.sender or "a@example.com"
    return libspf.context{resolver = answering(answers)}:check(options)
end

test.case("every type", function()
    local found = {}
    local answers = {
        ["TXT example.com"] = {"v=spf1 a:a.example.com mx ptr -all"},
        ["A a.example.com"] = {"192.0.2.1", "192.0.2.2"},
        ["MX example.com"] = {"mx.example.com.", "other.example.com"},
        ["A mx.example.com"] = {}, ["A other.example.com"] = {"192.0.2.3"},
        ["PTR 7.2.0.192.in-addr.arpa"] = {"host.example.com"},
        ["A host.example.com"] = {"192.0.2.7"},
    }
    local resolver = answering(answers)
    local query = resolver.query
    function resolver.query(question)
        found[question.type] = (found[question.type] or 0) + 1
        return query(question)
    end
    local result = libspf.context{resolver = resolver, prefetch = false}:check("192.0.2.7", "a@example.com", "h")
    test.equal(result.result, "pass")
    test.equal(result.term, "ptr")
    test.equal(found.TXT, 1)
    test.equal(found.MX, 1)
    test.equal(found.PTR, 1)
    test.is_true(found.A >= 3, "addresses")
    answers["AAAA a.example.com"] = {"2001:db8::1"}
    test.equal(libspf.context{resolver = resolver}:check("2001:db8::1", "a@example.com", "h").term, "a:a.example.com")
end)

test.case("TTL, DNSSEC and strings of any octets", function()
    local result = check{["TXT example.com"] = {"v=spf1 exp=\200\0 -all", ttl = 77, dnssec = "secure"}}
    test.equal(result.result, "permerror")
    test.equal(result.record, "v=spf1 exp=\200\0 -all")
    result = check{["TXT example.com"] = {"other", "v=spf1 -all", ttl = 77, dnssec = "secure"}}
    test.equal(result.ttl, 77)
    test.equal(result.dnssec, "secure")
    test.equal(check{["TXT example.com"] = {"v=spf1 -all", dnssec = "bogus"}}.cause, "dns-bogus")
    test.equal(check{["TXT example.com"] = {"v=spf1 -all"}}.ttl, 0)
end)

test.case("failures", function()
    local rows = {
        {"nxdomain", "no-domain", "none"}, {"timeout", "dns-timeout", "temperror"}, {"error", "dns-error", "temperror"},
        {"bogus", "dns-bogus", "temperror"},
    }
    for _, row in ipairs(rows) do
        local result = check{["TXT example.com"] = function(question) question:fail(row[1]) end}
        test.equal(result.cause, row[2])
        test.equal(result.result, row[3])
    end
    local result = check{["TXT example.com"] = function(question) question:fail("error", "the cable is out", 5) end}
    test.has(result.reason, "the cable is out")
end)

test.case("whole DNS messages", function()
    local function packet(question, text)
        local name = question.name:gsub("([^.]+)%.?", function(label) return string.char(#label) .. label end) .. "\0"
        return "\0\0\129\128\0\1\0\1\0\0\0\0" .. name .. "\0\16\0\1" .. "\192\12\0\16\0\1\0\0\0\60\0"
               .. string.char(#text + 1) .. string.char(#text) .. text
    end
    local result = check{["TXT example.com"] = function(question)
        test.equal(question:answer_packet(packet(question, "v=spf1 ip4:192.0.2.7 -all"), "secure"), true)
    end}
    test.equal(result.result, "pass")
    test.equal(result.ttl, 60)
    test.equal(result.dnssec, "secure")
    test.equal(check{["TXT example.com"] = function(question) question:answer_packet("") end}.cause, "dns-error")
    test.equal(check{["TXT example.com"] = function(question) question:answer_packet("\255\0x") end}.cause, "dns-error")
end)

test.case("answers from outside let the checks go on by themselves", function()
    local resolver = keeping()
    local context = libspf.context{resolver = resolver}
    local found = {}
    for i = 1, 3 do
        context:start("192.0.2.7", "a@example" .. i .. ".com", "h", function(result)
            found[#found + 1] = result.checked_domain .. " " .. result.result
        end)
    end
    test.equal(resolver.asked, 3)
    test.equal(resolver.questions["TXT example2.com"]:answer{"v=spf1 a -all"}, true)
    test.equal(#found, 0)
    test.equal(resolver.questions["A example2.com"]:answer{"192.0.2.7"}, true)
    test.equal(found[1], "example2.com pass")
    test.equal(resolver.questions["TXT example3.com"]:fail("timeout"), true)
    test.equal(found[2], "example3.com temperror")
    test.equal(context:pending(), 1)
    test.equal(resolver.questions["TXT example1.com"]:answer{}, true)
    test.equal(found[3], "example1.com none")
    test.equal(context:pending(), 0)
end)

test.case("a question is answered once", function()
    local resolver = keeping()
    local context = libspf.context{resolver = resolver}
    local calls = 0
    context:start("192.0.2.7", "a@example.com", "h", function() calls = calls + 1 end)
    local question = resolver.last
    test.equal(question:answer{"v=spf1 -all"}, true)
    test.equal(question:answer{"v=spf1 -all"}, false)
    test.equal(question:fail("error"), false)
    test.equal(question:answer_packet("x"), false)
    test.equal(calls, 1)
    test.equal(question.name, "example.com")
    test.equal(question.type, "TXT")
    test.equal(question.no_such, nil)
end)

test.case("what is not wanted any more is told, and cannot be answered", function()
    local resolver = keeping()
    local context = libspf.context{resolver = resolver}
    local check = context:start("192.0.2.7", "a@example.com", "h", error)
    check:cancel()
    test.equal(context:timeout(), 0)
    context:process()
    test.equal(context:timeout(), nil)
    test.equal(table.concat(resolver.cancelled), "TXT example.com")
    test.equal(resolver.last:answer{"v=spf1 -all"}, false)
    context:start("192.0.2.7", "b@example.com", "h", error)
    context:close()
    test.equal(table.concat(resolver.cancelled, ","), "TXT example.com,TXT example.com")
    test.equal(resolver.last:answer{"v=spf1 -all"}, false)
    test.equal(resolver.last:fail("error"), false)
end)

test.case("an answer is looked at as a whole before it is taken", function()
    local resolver = keeping()
    local context = libspf.context{resolver = resolver}
    local result
    context:start("192.0.2.7", "a@example.com", "h", function(found) result = found end)
    local text = resolver.last
    local rows = {
        {function() text:answer("v=spf1 -all") end, "'records'", "'answer'", "\"v=spf1 -all\"", "a table"},
        {function() text:answer{"v=spf1 -all", 5} end, "'records'", "5", "a record's text"},
        {function() text:answer{text = "v=spf1 -all"} end, "'records'", "'answer'", "\"text\" is no item"},
        {function() text:answer{"v=spf1 -all", TTL = 60} end, "'records'", "\"TTL\" is no item"},
        {function() text:answer{"v=spf1 -all", [3] = "x"} end, "'records'", "item 2 is missing"},
        {function() text:answer{"v=spf1 -all", ttl = -1} end, "'ttl'", "-1", "0 to 2147483647"},
        {function() text:answer{"v=spf1 -all", ttl = 0 / 0} end, "'ttl'", "nan"},
        {function() text:answer{"v=spf1 -all", dnssec = true} end, "'dnssec'", "true", "\"secure\" or \"bogus\""},
        {function() text:answer_packet(5) end, "'packet'", "5", "octets"},
        {function() text:answer_packet("", "sure") end, "'dnssec'", "\"sure\""},
        {function() text:fail("servfail") end, "'failure'", "\"servfail\"", "\"nxdomain\", \"timeout\""},
        {function() text:fail() end, "'failure'", "nil"},
        {function() text:fail("error", 5) end, "'detail'", "5", "a string"},
        {function() text:fail("error", "x", "y") end, "'ttl'", "\"y\""},
        {function() text.answer{} end, "'self'", "a table", "colon"},
    }
    for _, row in ipairs(rows) do
        test.raises(row[1], (unpack or table.unpack)(row, 2))
    end
    test.equal(text:answer{"v=spf1 a mx -all"}, true)
    local address, host = resolver.questions["A example.com"], resolver.questions["MX example.com"]
    test.raises(function() address:answer{"192.0.2.7", "192.0.2"} end, "'records'", "\"192.0.2\"", "IPv4")
    test.raises(function() address:answer{"2001:db8::1"} end, "'records'", "\"2001:db8::1\"", "IPv4")
    test.raises(function() address:answer{7} end, "'records'", "7", "a string")
    test.raises(function() host:answer{"10 mx.example.com"} end, "'records'", "10 mx.example.com", "a host's name")
    test.raises(function() host:answer{"mx\0.example.com"} end, "'records'", "NUL")
    test.raises(function() host:answer{("x"):rep(300)} end, "'records'", "a host's name")
    test.equal(result, nil)
    test.equal(address:answer{"192.0.2.7"}, true)
    test.equal(result.result, "pass")
end)

test.case("a resolver that raises", function()
    local context = libspf.context{resolver = {query = function() error("the resolver's own mistake") end}}
    local result = context:check("192.0.2.7", "a@example.com", "h")
    test.equal(result.result, "temperror")
    test.has(result.reason, "the resolver's own mistake")
    context = libspf.context{resolver = {query = function() error{} end}}
    test.has(context:check("192.0.2.7", "a@example.com", "h").reason, "the resolver failed")
    context = libspf.context{resolver = {query = function(question)
        question:answer{"v=spf1 -all"}
        error("too late")
    end}}
    test.equal(context:check("192.0.2.7", "a@example.com", "h").result, "fail")
    context = libspf.context{resolver = {query = function() end, cancel = function() error("in cancel") end}}
    context:start("192.0.2.7", "a@example.com", "h", error):cancel()
    test.raises(function() context:process() end, "in cancel")
    test.equal(context:process(), 0)
    context = libspf.context{resolver = {query = function() end, process = function() error("in process") end}}
    test.raises(function() context:process() end, "in process")
    test.raises(function() context:check("192.0.2.7", "a@example.com", "h") end, "in process")
    context = libspf.context{resolver = {query = function() end, wait = function() error("in wait") end}}
    test.raises(function() context:check("192.0.2.7", "a@example.com", "h") end, "in wait")
    context:start("192.0.2.7", "a@example.com", "h", error)
    test.raises(function() context:wait() end, "in wait")
    for _, name in ipairs{"fd", "timeout"} do
        context = libspf.context{resolver = {query = function() end, [name] = function() error("in " .. name) end}}
        test.raises(function() context:fd() context:timeout() end, "in " .. name)
        test.raises(function() context:check("192.0.2.7", "a@example.com", "h") end, "in " .. name)
    end
end)

test.case("a resolver that tells nonsense", function()
    local rows = {
        {"fd", "x", "\"x\""}, {"fd", -1, "-1"}, {"fd", 3.5, "3.5"}, {"fd", 0 / 0, "nan"}, {"fd", 2 ^ 40 + 3, "1"}, {"fd", {}, "a table"},
        {"timeout", "x", "\"x\""}, {"timeout", "1", "\"1\""}, {"timeout", 0 / 0, "nan"}, {"timeout", true, "true"},
    }
    for _, row in ipairs(rows) do
        local name, value, shown = (unpack or table.unpack)(row)
        local context = libspf.context{resolver = {query = function() end, [name] = function() return value end}}
        test.raises(function() context:fd() context:timeout() end, name .. "() gave ", shown, "or nil is wanted")
    end
    local overdue = libspf.context{resolver = {query = function() end, timeout = function() return -3 end}}
    test.equal(overdue:timeout(), 0)
end)

test.case("answers in functions of the resolver call no functions of checks", function()
    for _, name in ipairs{"timeout", "fd", "process", "wait"} do
        local waiting, calls, resolver = {}, 0, nil
        local function answer_all()
            local due = waiting
            waiting = {}
            for _, question in ipairs(due) do
                question:answer{"v=spf1 -all"}
            end
        end
        resolver = {query = function(question) waiting[#waiting + 1] = question end, timeout = function() return waiting[1] and 0 end}
        resolver[name] = answer_all
        local context = libspf.context{resolver = resolver}
        context:start("192.0.2.7", "a@other.example", "h", function() calls = calls + 1 end)
        test.equal(context:check("192.0.2.7", "a@example.com", "h").result, "fail")
        test.equal(calls, 0, name)
        test.equal(context:wait(5), 1, name)
    end
end)

test.case("what a resolver may do inside", function()
    local context, log, resolver = nil, {}, {}
    function resolver.query(question)
        log[#log + 1] = question.name
        test.collect()
        if question.name == "outer.example" then
            local result = context:check("192.0.2.7", "a@inner.example", "h")
            log[#log + 1] = result.result
            context:start("192.0.2.7", "a@started.example", "h", function(found) log[#log + 1] = "started " .. found.result end)
        end
        question:answer{"v=spf1 ip4:192.0.2.7 -all"}
    end
    context = libspf.context{resolver = resolver}
    local outer = context:check("192.0.2.7", "a@outer.example", "h")
    log[#log + 1] = outer.result
    context:wait(5)
    test.equal(table.concat(log, " "), "outer.example inner.example pass started.example pass started pass")
end)

test.case("a resolver that closes its context", function()
    local context
    context = libspf.context{resolver = {query = function() context:close() end}}
    test.raises(function() context:check("192.0.2.7", "a@example.com", "h") end, "closed")
    context = libspf.context{resolver = {query = function(question)
        context:close()
        test.equal(question:answer{"v=spf1 -all"}, false)
        test.collect()
    end}}
    local check = context:start("192.0.2.7", "a@example.com", "h", error)
    test.equal(check:pending(), false)
    context = libspf.context{resolver = {query = function() end, process = function() context:close() end}}
    context:start("192.0.2.7", "a@example.com", "h", error)
    test.equal(context:process(), 0)
    context = libspf.context{resolver = {query = function() end, wait = function() context:close() end}}
    test.raises(function() context:check("192.0.2.7", "a@example.com", "h") end, "closed")
end)

test.case("descriptor, time and waiting of a resolver's own", function()
    local waits, due = 0, {}
    local context = libspf.context{resolver = {
        query = function(question) due[#due + 1] = question end,
        timeout = function() return due[1] and 0.25 or nil end,
        wait = function(seconds)
            waits = waits + 1
            test.is_true(seconds > 0 and seconds <= 0.25, "as long as it said")
        end,
        process = function()
            local now = waits > 0 and due or {}
            due = waits > 0 and {} or due
            for _, question in ipairs(now) do
                question:answer{"v=spf1 -all"}
            end
        end,
    }}
    test.equal(context:check("192.0.2.7", "a@example.com", "h").result, "fail")
    test.equal(waits, 1)
    test.equal(context:timeout(), nil)
    waits = 0
    local result
    context:start("192.0.2.7", "a@example.com", "h", function(found) result = found end)
    test.equal(context:timeout(), 0.25)
    test.equal(context:wait(), 1)
    test.equal(result.result, "fail")
end)

-- The resolver's own DNS is a context whose check takes 0.1 s to fail.
test.case("who waits for one check sleeps, though another has ended", function()
    local inner, asked = nil, 0
    local context = libspf.context{resolver = {
        query = function(question)
            if question.name == "prompt.example" then
                return question:answer{"v=spf1 -all"}
            end
            inner = libspf.context{resolver = os.getenv "LIBSPF_SILENT", timeout = 0.1}
            inner:start("192.0.2.7", "a@example.com", "h", function() question:answer{"v=spf1 -all"} end)
        end,
        fd = function()
            asked = asked + 1
            return inner and inner:fd()
        end,
        process = function() return inner and inner:process() end,
    }}
    context:start("192.0.2.7", "a@prompt.example", "h", function() end)
    test.equal(context:check("192.0.2.7", "a@late.example", "h").result, "fail")
    test.is_true(asked < 20, "asked " .. asked .. " times")
end)

test.case("a context that is dropped while its resolver has questions", function()
    local weak = setmetatable({}, {__mode = "k"})
    for _ = 1, 5 do
        local context = libspf.context{resolver = keeping()}
        weak[context] = true
        context:start("192.0.2.7", "a@example.com", "h", error)
        context = libspf.context{resolver = {query = function(question) weak[question] = true end}}
        weak[context] = true
        context:start("192.0.2.7", "a@example.com", "h", error)
    end
    test.collect()
    test.equal(next(weak), nil, "what is left")
end)

test.case("a resolver that holds a question keeps its context", function()
    local resolver, result = keeping(), nil
    libspf.context{resolver = resolver}:start("192.0.2.7", "a@example.com", "h", function(found) result = found end)
    test.collect()
    test.equal(resolver.last:answer{"v=spf1 -all"}, true)
    test.equal(result.result, "fail")
end)

test.case("the resolver of a class", function()
    local class = {query = function(question) question:answer{"v=spf1 -all"} end}
    class.__index = class
    local context = libspf.context{resolver = setmetatable({}, class)}
    test.equal(context:check("192.0.2.7", "a@example.com", "h").result, "fail")
end)

test.case("answers in functions of checks", function()
    local resolver = keeping()
    local context = libspf.context{resolver = resolver}
    local ended = 0
    local function next_one()
        ended = ended + 1
        if ended <= 300 then
            context:start("192.0.2.7", "a@n" .. ended .. ".example", "h", next_one)
            resolver.last:answer{"v=spf1 -all"}
        end
    end
    context:start("192.0.2.7", "a@example.com", "h", next_one)
    resolver.last:answer{"v=spf1 -all"}
    while context:pending() > 0 do
        context:wait(5)
    end
    test.equal(ended, 301)
end)

test.case("an answer in a function of a check that closes the context", function()
    local resolver = keeping()
    local context = libspf.context{resolver = resolver}
    context:start("192.0.2.7", "a@b.example", "h", function(_, why) test.equal(why, "canceled") end)
    context:start("192.0.2.7", "a@a.example", "h", function()
        resolver.questions["TXT b.example"]:answer{"v=spf1 -all"}
        context:close()
    end)
    test.equal(resolver.questions["TXT a.example"]:answer{"v=spf1 -all"}, true)
    test.equal(context:pending(), 0)
end)

test.finish()

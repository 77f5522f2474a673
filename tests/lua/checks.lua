-- SPDX-License-Identifier: MIT
-- Checks that go on by themselves: started, called back, cancelled, dropped and closed in any order, over real DNS.
local libspf = require "libspf"
local test = require "harness"

local DNS, SLOW, SILENT = os.getenv "LIBSPF_DNS", os.getenv "LIBSPF_SLOW", os.getenv "LIBSPF_SILENT"

local function run(context)
    local deadline = os.time() + 60
    while context:pending() > 0 do
        context:wait(5)
        test.is_true(os.time() < deadline, "the checks end")
    end
end

test.case("all results come, once each", function()
    local context = libspf.context{resolver = SLOW}
    local senders = {
        ["a@example.com"] = "pass", ["a@soft.example.com"] = "softfail", ["a@broken.example.com"] = "permerror",
        ["a@fails.example.com"] = "temperror", ["a@plain.example.com"] = "none", ["a@missing.example.com"] = "none",
    }
    local found, calls = {}, 0
    for sender in pairs(senders) do
        context:start{ip = "192.0.2.7", sender = sender, helo = "h.example.net", function(...)
            test.equal(select("#", ...), 1)
            local result = ...
            calls = calls + 1
            found[result.sender] = result.result
        end}
    end
    test.equal(context:pending(), 6)
    run(context)
    test.equal(calls, 6)
    for sender, result in pairs(senders) do
        test.equal(found[sender], result, sender)
    end
end)

test.case("no function is called by start() or check()", function()
    local context = libspf.context{resolver = "none", zone_text = 'example.com. 300 IN TXT "v=spf1 -all"\n'}
    local calls = 0
    local function count() calls = calls + 1 end
    local check = context:start("192.0.2.7", "a@example.com", "h", count)
    test.equal(calls, 0)
    test.equal(check:pending(), true)
    test.equal(check.result, nil)
    test.equal(context:check("192.0.2.7", "a@example.com", "h").result, "fail")
    test.equal(calls, 0)
    test.equal(context:timeout(), 0)
    test.equal(context:process(), 1)
    test.equal(calls, 1)
    test.equal(check:pending(), false)
    test.equal(check.result.result, "fail")
    test.equal(context:process(), 0)
    test.equal(context:wait(), 0)
    test.equal(calls, 1)
end)

test.case("the function may be left out, or given apart", function()
    local context = libspf.context{resolver = DNS}
    local apart
    local check = context:start{ip = "192.0.2.7", sender = "a@example.com"}
    context:start({ip = "198.51.100.7", sender = "a@example.com"}, function(result) apart = result end)
    run(context)
    test.equal(check.result.result, "pass")
    test.equal(apart.result, "fail")
    test.equal(apart.explanation, "198.51.100.7 may not send mail for example.com")
    test.has(tostring(check), "result")
end)

test.case("cancelled checks are never called back", function()
    local context = libspf.context{resolver = SILENT}
    local checks = {}
    for i = 1, 20 do
        checks[i] = context:start("192.0.2.7", "a@example" .. i .. ".com", "h", function() error("called back") end)
    end
    test.equal(context:pending(), 20)
    for i = 1, 20, 2 do
        checks[i]:cancel()
        checks[i]:cancel()
        test.equal(checks[i]:pending(), false)
        test.equal(checks[i].result, nil)
        test.has(tostring(checks[i]), "cancelled")
    end
    test.equal(context:pending(), 10)
    test.equal(context:process(), 0)
    context:close()
    for i = 1, 20 do
        test.equal(checks[i]:pending(), false)
        checks[i]:cancel()
    end
    test.equal(context:pending(), 0)
end)

test.case("a check that has ended, but was not called back yet, can be cancelled", function()
    local context = libspf.context{resolver = "none", zone_text = 'example.com. 300 IN TXT "v=spf1 -all"\n'}
    local check = context:start("192.0.2.7", "a@example.com", "h", function() error("called back") end)
    context:check("192.0.2.7", "a@example.com", "h")
    check:cancel()
    test.equal(context:pending(), 0)
    test.equal(context:process(), 0)
end)

test.case("what start() gave need not be kept", function()
    local context = libspf.context{resolver = SLOW}
    local called
    context:start("192.0.2.7", "a@example.com", "h", function(result) called = result.result end)
    test.collect()
    run(context)
    test.equal(called, "pass")
end)

test.case("errors in functions reach the caller when all have been called", function()
    local context = libspf.context{resolver = "none", zone_text = 'example.com. 300 IN TXT "v=spf1 -all"\n'}
    local calls = 0
    for i = 1, 4 do
        context:start("192.0.2.7", "a@example.com", "h", function()
            calls = calls + 1
            if i > 1 then
                error("number " .. i)
            end
        end)
    end
    test.has(test.raises(function() context:wait(5) end), "number 2", "checks.lua:")
    test.equal(calls, 4)
    test.equal(context:pending(), 0)
    context:start("192.0.2.7", "a@example.com", "h", function() error{code = 7} end)
    local ok, problem = pcall(context.wait, context, 5)
    test.equal(ok, false)
    test.equal(problem.code, 7)
    context:start("192.0.2.7", "a@example.com", "h", function() error() end)
    test.equal((pcall(context.wait, context, 5)), false)
    test.equal(context:process(), 0)
    test.equal(context:check("192.0.2.7", "a@example.com").result, "fail")
end)

test.case("functions may do anything", function()
    local context = libspf.context{resolver = DNS}
    local seen = {}
    local silent = libspf.context{resolver = SILENT}
    local victim = silent:start("192.0.2.7", "a@example.com", "h", function() error("called back") end)
    context:start("192.0.2.7", "a@example.com", "h", function(result)
        seen[#seen + 1] = result.result
        victim:cancel()
        context:start("198.51.100.7", "b@example.com", "h", function(later)
            seen[#seen + 1] = later.result
            seen[#seen + 1] = context:check("192.0.2.99", "a@soft.example.com").result
            context:start("192.0.2.7", "a@plain.example.com", "h", function(last)
                seen[#seen + 1] = last.result
            end)
            context:wait(5)
        end)
    end)
    run(context)
    test.equal(table.concat(seen, " "), "pass fail pass none")
    test.equal(silent:pending(), 0)
end)

test.case("a function may close its context", function()
    local context = libspf.context{resolver = "none", zone_text = 'example.com. 300 IN TXT "v=spf1 -all"\n'}
    local calls, kept = 0, nil
    for _ = 1, 5 do
        context:start("192.0.2.7", "a@example.com", "h", function(result)
            calls, kept = calls + 1, result
            context:close()
            test.collect()
        end)
    end
    context:wait(5)
    test.equal(calls, 1)
    test.equal(kept.result, "fail")
    test.equal(context:pending(), 0)
end)

test.case("a function may drop the last reference to its context", function()
    local calls = 0
    do
        local context = libspf.context{resolver = "none", zone_text = 'example.com. 300 IN TXT "v=spf1 -all"\n'}
        local holder = {context}
        context = nil
        for _ = 1, 3 do
            holder[1]:start("192.0.2.7", "a@example.com", "h", function()
                calls = calls + 1
                holder[1] = nil
                test.collect()
            end)
        end
        holder[1]:wait(5)
    end
    test.equal(calls, 3)
end)

test.case("a context that is collected takes its checks along", function()
    local weak = setmetatable({}, {__mode = "k"})
    for _ = 1, 5 do
        local context = libspf.context{resolver = SILENT}
        weak[context] = true
        for i = 1, 5 do
            weak[context:start("192.0.2.7", "a@example" .. i .. ".com", "h", error)] = true
        end
    end
    test.collect()
    test.equal(next(weak), nil, "what is left")
end)

test.case("results and functions are let go", function()
    local context = libspf.context{resolver = "none", zone_text = 'example.com. 300 IN TXT "v=spf1 -all"\n'}
    local weak = setmetatable({}, {__mode = "k"})
    for _ = 1, 10 do
        local witness = {}
        weak[witness] = true
        local check = context:start("192.0.2.7", "a@example.com", "h", function(result)
            weak[result] = true
            return witness
        end)
        weak[check] = true
    end
    context:wait(5)
    test.collect()
    test.equal(next(weak), nil, "what is left")
end)

test.case("from coroutines", function()
    local context = libspf.context{resolver = SLOW}
    local finished = 0
    local function check_in_coroutine(options)
        local this = coroutine.running()
        options[1] = function(result) test.is_true(coroutine.resume(this, result)) end
        context:start(options)
        return coroutine.yield()
    end
    for i = 1, 10 do
        assert(coroutine.resume(coroutine.create(function()
            local first = check_in_coroutine{ip = "192.0.2." .. i, sender = "a@example.com"}
            local second = check_in_coroutine{ip = "198.51.100." .. i, sender = first.sender}
            test.equal(first.result .. second.result, "passfail")
            finished = finished + 1
        end)))
    end
    run(context)
    test.equal(finished, 10)
end)

test.case("waiting ends when the time is over", function()
    local context = libspf.context{resolver = SILENT}
    context:start("192.0.2.7", "a@example.com", "h", function() error("called back") end)
    test.equal(context:wait(0), 0)
    test.equal(context:wait(0.01), 0)
    test.equal(context:pending(), 1)
    test.is_true(context:timeout() > 0, "there is a deadline")
    context:close()
end)

test.case("a deadline is a result", function()
    local context = libspf.context{resolver = SILENT, timeout = 0.05}
    local result
    test.equal(context:check("192.0.2.7", "a@example.com").cause, "deadline")
    context:start{ip = "192.0.2.7", sender = "a@example.com", timeout = 0.01, function(found) result = found end}
    run(context)
    test.equal(result.result, "temperror")
    test.equal(result.cause, "deadline")
end)

test.case("many at once", function()
    local context = libspf.context{resolver = SLOW}
    local counts = {}
    for i = 1, 500 do
        context:start("192.0." .. 1 + i % 2 .. ".7", "user" .. i .. "@example.com", "h", function(result)
            counts[result.result] = (counts[result.result] or 0) + 1
        end)
    end
    run(context)
    test.equal(counts.pass, 250)
    test.equal(counts.fail, 250)
end)

test.finish()

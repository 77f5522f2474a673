-- SPDX-License-Identifier: MIT
-- Who polls the descriptor learns of everything, whoever made the library work.
local libspf = require "libspf"
local test = require "harness"

local SLOW = os.getenv "LIBSPF_SLOW"

test.case("a check that ended while another was waited for makes the descriptor readable", function()
    local context = libspf.context{resolver = SLOW}
    local fd, ended = context:fd(), 0
    context:start("192.0.2.7", "a@example.com", "h", function() ended = ended + 1 end)
    test.equal(context:check("192.0.2.7", "a@soft.example.com", "h").result, "softfail")
    test.equal(ended, 0)
    test.is_true(readable(fd), "its function is due")
    context:process()
    test.equal(ended, 1)
    test.is_true(not readable(fd), "nothing is due any more")
end)

test.case("nothing is due before an answer has come", function()
    local context = libspf.context{resolver = os.getenv "LIBSPF_SILENT"}
    context:start("192.0.2.7", "a@example.com", "h", error)
    context:process()
    test.is_true(not readable(context:fd()))
    context:close()
end)

-- A resolver that has another context do the work, and so no descriptor before it was asked.
test.case("the descriptor of a resolver that opens it late", function()
    local inner
    local context = libspf.context{resolver = {
        query = function(question)
            inner = inner or libspf.context{resolver = SLOW}
            inner:start("192.0.2.7", "a@example.com", "h", function(result) question:answer{result.record} end)
        end,
        fd = function() return inner and inner:fd() end,
        process = function() return inner and inner:process() end,
    }}
    local fd, result = context:fd(), nil
    context:start{ip = "192.0.2.7", sender = "a@example.com", helo = "h", timeout = 30, function(found) result = found end}
    test.is_true(not readable(fd), "there is no answer yet")
    test.is_true(readable(fd, 10000), "the resolver has something to do")
    test.equal(result, nil)
    context:process()
    test.equal(result.result, "pass")
    test.is_true(not readable(fd), "all is done")
end)

test.case("the time of a resolver", function()
    local waiting, result = {}, nil
    local context = libspf.context{resolver = {
        query = function(question) waiting[#waiting + 1] = question end,
        timeout = function() return waiting[1] and 0.02 end,
        process = function()
            for _, question in ipairs(waiting) do
                question:answer{"v=spf1 -all"}
            end
            waiting = {}
        end,
    }}
    local fd = context:fd()
    test.is_true(not readable(fd))
    context:start{ip = "192.0.2.7", sender = "a@example.com", helo = "h", timeout = 30, function(found) result = found end}
    test.is_true(readable(fd, 10000), "it is time")
    context:process()
    test.equal(result.result, "fail")
    test.is_true(not readable(fd), "there is no other time")
end)

test.case("the resolver is to be told that a question was taken back", function()
    local told = 0
    local context = libspf.context{resolver = {query = function() end, cancel = function() told = told + 1 end}}
    local fd = context:fd()
    local check = context:start("192.0.2.7", "a@example.com", "h", error)
    test.is_true(not readable(fd))
    check:cancel()
    test.equal(told, 0)
    test.is_true(readable(fd), "it was taken back")
    context:process()
    test.equal(told, 1)
    test.is_true(not readable(fd))
end)

test.finish()

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

test.finish()

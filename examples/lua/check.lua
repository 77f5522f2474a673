-- SPDX-License-Identifier: MIT
-- One question, and why the answer is what it is:  lua check.lua IP SENDER HELO [CONFIG-FILE]
local libspf = require "libspf"

local ip, sender, helo, config = ...
if config then
    libspf.configure{config = config}
end
local ok, result = pcall(libspf.check, {ip = ip, sender = sender, helo = helo, trace = true})
if not ok then
    io.stderr:write("check: ", result, "\n")
    os.exit(64)
end
print(result)
if result.explanation then
    print("the domain explains: " .. result.explanation)
end
print(result:received_spf())
for _, step in ipairs(result.trace) do
    print(("  "):rep(step.depth + 1) .. (step.term or step.domain) .. ": " .. step.outcome)
end

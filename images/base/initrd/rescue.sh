# The rescue mode's menu, filled in below.
rescue() { fail "no rescue"; }
